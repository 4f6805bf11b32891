import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { readTar, type TarHeader } from '../tar/read-tar.ts';
import { compressLayer, type LayerStore } from './adopt-layer.ts';
import { digestOf, writeBlob } from './blob-store.ts';
import type { Compression, Layer, LayerCompression } from './image.ts';
import { parseConfig } from './read-layout.ts';
import type { SourceImage } from './source-image.ts';
import { explainNoSpace } from './space.ts';

/** See docker-archive.ts for the form. */
const MANIFEST = z
  .array(z.looseObject({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }))
  .min(1);

const MAX_DOCUMENT_BYTES = 16 << 20;
const MAX_LINKS = 10;

type Found = Pick<TarHeader, 'type' | 'target' | 'sizeBytes'> & { readonly offset: number };

/**
 * The one image in what `docker save`, Podman, skopeo or Jib have written, compressed with gzip or not. Its layers, which mostly are not
 * compressed, become so.
 */
export async function readDockerArchive(
  file: string,
  workDir: string,
  compression: Compression,
  store: LayerStore,
): Promise<SourceImage> {
  try {
    const tar = await unpackArchive(file, workDir, store.signal);
    const files = await indexArchive(tar);
    const locate = (path: string): Found & { readonly slice: () => Readable } => {
      const found = resolveFile(files, path);
      if (found === undefined) throw new Error(`it has no ${path}`);
      return { ...found, slice: () => openSlice(tar, found) };
    };
    const images = MANIFEST.parse(JSON.parse((await readAll(locate('manifest.json'))).toString()));
    const [image, second] = images;
    if (image === undefined || second !== undefined) {
      const names = images.flatMap(({ RepoTags }) => RepoTags ?? []);
      throw new Error(`it holds ${images.length} images: ${names.join(', ')}; one is wanted`);
    }
    const configBytes = await readAll(locate(image.Config));
    const config = parseConfig(configBytes, file);
    const diffIds = config.rootfs.diff_ids;
    if (diffIds.length !== image.Layers.length) {
      throw new Error(`its config names ${diffIds.length} layers, its manifest ${image.Layers.length}`);
    }
    const layers: Layer[] = [];
    for (const [index, path] of image.Layers.entries()) {
      layers.push(await adoptSlice(locate(path), diffIds[index] ?? '', compression, store));
    }
    return { digest: digestOf(configBytes), config, layers };
  } catch (error) {
    if (store.signal.aborted || isCracBuildError(error)) throw error;
    const explained = explainNoSpace(error, `reading ${file}`);
    if (isCracBuildError(explained)) throw explained;
    const words = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new CracBuildError('IMAGE_INVALID', `${file} is no Docker archive that can be used: ${words}`, {
      hint: 'Give what `docker save IMAGE -o FILE` has written.',
      cause: error,
    });
  }
}

async function adoptSlice(
  found: Found & { readonly slice: () => Readable },
  diffId: string,
  compression: Compression,
  store: LayerStore,
): Promise<Layer> {
  const form = compressionByMagic(await readStart(found.slice()));
  if (form === undefined) return await compressLayer(diffId, found.slice, compression, store);
  const blob = await writeBlob(store.blobDir, found.slice(), [], store.signal);
  return { kind: 'base', compression: form, ...blob, diffId, uncompressedBytes: 0 };
}

/** A tar in which parts can be found again: an archive that is compressed as a whole is written out. */
async function unpackArchive(file: string, workDir: string, signal: AbortSignal): Promise<string> {
  const isGzip = compressionByMagic(await readStart(createReadStream(file, { end: 3 }))) === 'gzip';
  if (!isGzip) return file;
  const tar = join(workDir, 'docker-archive.tar');
  await pipeline(createReadStream(file), createGunzip(), createWriteStream(tar), { signal });
  return tar;
}

async function indexArchive(tar: string): Promise<ReadonlyMap<string, Found>> {
  const files = new Map<string, Found>();
  for await (const { header, offset } of readTar(createReadStream(tar))) {
    const { type, target, sizeBytes } = header;
    files.set(header.path, { type, target, sizeBytes, offset });
  }
  return files;
}

/** Equal layers are stored once, the others as links to them. */
function resolveFile(files: ReadonlyMap<string, Found>, path: string): Found | undefined {
  let at = posix.normalize(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    const found = files.get(at);
    if (found?.target === undefined || found.type === 'file') return found?.type === 'file' ? found : undefined;
    at = found.type === 'link' ? found.target : posix.join(posix.dirname(at), found.target);
  }
  return undefined;
}

function openSlice(tar: string, { offset, sizeBytes }: Found): Readable {
  return createReadStream(tar, {
    start: offset,
    end: Math.max(offset, offset + sizeBytes - 1),
    highWaterMark: 1 << 20,
  });
}

async function readAll({ slice, sizeBytes }: Found & { readonly slice: () => Readable }): Promise<Buffer> {
  if (sizeBytes > MAX_DOCUMENT_BYTES) throw new Error(`a document in it has ${sizeBytes} bytes`);
  return Buffer.concat(await slice().toArray());
}

async function readStart(stream: Readable): Promise<Buffer> {
  for await (const chunk of stream) return chunk as Buffer;
  return Buffer.alloc(0);
}

/** RFC 1952, 2.3.1 and RFC 8878, 3.1.1. */
export function compressionByMagic(start: Buffer): LayerCompression | undefined {
  if (start.length >= 2 && start.readUInt16BE(0) === 0x1f8b) return 'gzip';
  return start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : undefined;
}

/** Rejects where the file cannot be read. */
export async function requireArchive(file: string): Promise<void> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `the Docker archive ${file} cannot be read`, {
      hint: 'Give what `docker save IMAGE -o FILE` has written.',
      cause,
    });
  });
  await handle.close();
}
