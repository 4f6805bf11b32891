import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { normalizePath, readTar } from '../tar/read-tar.ts';
import { type Blob, locateBlob, writeBlob } from './blob-store.ts';
import { readConfig } from './read-layout.ts';
import { parseReference, renderReference } from './reference.ts';
import { explainNoSpace } from './space.ts';
import {
  type Descriptor,
  type Index,
  LAYER_TYPES,
  LAYOUT_FILE,
  type Manifest,
  MEDIA_TYPES,
  PLAIN_LAYER_TYPE,
} from './spec.ts';

/** manifest.json of `docker save`, see docker-archive.ts. Docker 25 and later write an image layout around it, with the same file. */
const ARCHIVE_MANIFEST = z.array(
  z.looseObject({
    Config: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()).nullish(),
  }),
);
type ArchiveImage = z.infer<typeof ARCHIVE_MANIFEST>[number];

const GZIP_MAGIC = Buffer.of(0x1f, 0x8b);
const ZSTD_MAGIC = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);

/** Opens a `docker save` file, also one that was compressed with gzip as a whole. */
export async function openArchiveFile(file: string): Promise<Readable> {
  const start = await readStart(file, GZIP_MAGIC.length).catch((cause: unknown) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `cannot read ${file}: ${(cause as Error).message}`, {
      hint: 'Give a file that `docker save` or `crac-build build` has written.',
      cause,
    });
  });
  const bytes = createReadStream(file, { highWaterMark: 1 << 20 });
  return start.equals(GZIP_MAGIC) ? pipeline(bytes, createGunzip(), () => undefined) : bytes;
}

/**
 * Makes an image layout in the new folder `dir` of one image in an archive: the one called `reference`, or the only one. The layers
 * stay as they are; the manifest, which archives do not have, is made anew. `place`: for messages.
 */
export async function importArchive(
  archive: Readable,
  dir: string,
  {
    place,
    reference,
    signal,
  }: { readonly place: string; readonly reference?: string | undefined; readonly signal?: AbortSignal },
): Promise<void> {
  try {
    const files = await storeFiles(archive, join(dir, 'blobs'), signal);
    const image = chooseImage(await readArchiveManifest(dir, files), place, reference);
    const descriptor = await writeManifest(dir, files, image);
    const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [descriptor] };
    await writeFile(join(dir, LAYOUT_FILE.name), LAYOUT_FILE.content);
    await writeFile(join(dir, 'index.json'), JSON.stringify(index));
  } catch (error) {
    const cause = explainNoSpace(error, `unpacking ${place}`);
    if (signal?.aborted || isCracBuildError(cause)) throw cause;
    throw new CracBuildError('IMAGE_INVALID', `${place} is no archive of an image: ${(cause as Error).message}`, {
      hint: 'Save it again: `docker save --output FILE REFERENCE`.',
      cause,
    });
  } finally {
    archive.destroy();
  }
}

/** Every file of the archive as a blob, by path; links name the file that they lead to. */
async function storeFiles(
  archive: Readable,
  blobDir: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Blob>> {
  await mkdir(join(blobDir, 'sha256'), { recursive: true });
  const files = new Map<string, Blob>();
  const links: [path: string, target: string][] = [];
  const abort = (): unknown => archive.destroy(new Error('interrupted'));
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const { header, content } of readTar(archive)) {
      const { type, path, target = '' } = header;
      if (type === 'file') files.set(path, await writeBlob(blobDir, Readable.from(content, { objectMode: false })));
      if (type === 'link') links.push([path, normalizePath(target)]);
      if (type === 'symlink') links.push([path, normalizePath(posix.join(posix.dirname(path), target))]);
    }
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  for (const [path, target] of links) {
    const file = files.get(target);
    if (file !== undefined) files.set(path, file);
  }
  return files;
}

async function readArchiveManifest(dir: string, files: ReadonlyMap<string, Blob>): Promise<readonly ArchiveImage[]> {
  const { digest } = findFile(files, 'manifest.json');
  return ARCHIVE_MANIFEST.parse(JSON.parse(await readFile(locateBlob(join(dir, 'blobs'), digest), 'utf8')));
}

function chooseImage(images: readonly ArchiveImage[], place: string, reference: string | undefined): ArchiveImage {
  const wanted = reference === undefined ? undefined : renderReference(parseReference(reference));
  const fitting = images.filter(({ RepoTags }) => wanted === undefined || RepoTags?.includes(wanted));
  const [image, second] = fitting;
  if (image !== undefined && second === undefined) return image;
  const names = images.flatMap(({ RepoTags }) => RepoTags ?? []);
  throw new CracBuildError(
    'INPUT_NOT_FOUND',
    wanted === undefined ? `${place} holds ${images.length} images` : `${place} holds no image ${wanted}`,
    { hint: names.length === 0 ? 'Save one by its name.' : `Name one of these: ${names.join(', ')}.` },
  );
}

async function writeManifest(dir: string, files: ReadonlyMap<string, Blob>, image: ArchiveImage): Promise<Descriptor> {
  const blobDir = join(dir, 'blobs');
  const config = findFile(files, image.Config);
  const layers: Descriptor[] = [];
  for (const path of image.Layers ?? []) {
    const { digest, sizeBytes } = findFile(files, path);
    const start = await readStart(locateBlob(blobDir, digest), ZSTD_MAGIC.length);
    layers.push({ mediaType: chooseLayerType(start), digest, size: sizeBytes });
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: config.digest, size: config.sizeBytes },
    layers,
  };
  const { digest, sizeBytes } = await writeBlob(blobDir, Readable.from([Buffer.from(JSON.stringify(manifest))]));
  const { architecture, os, variant } = await readConfig(dir, config.digest);
  return {
    mediaType: MEDIA_TYPES.manifest,
    digest,
    size: sizeBytes,
    platform: { architecture, os, ...(variant !== undefined && { variant }) },
  };
}

/** Names in archives say nothing of the compression. */
function chooseLayerType(start: Buffer): string {
  if (start.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) return LAYER_TYPES.gzip;
  return start.equals(ZSTD_MAGIC) ? LAYER_TYPES.zstd : PLAIN_LAYER_TYPE;
}

function findFile(files: ReadonlyMap<string, Blob>, path: string): Blob {
  const file = files.get(normalizePath(path));
  if (file === undefined) throw new Error(`there is no ${path} in it`);
  return file;
}

async function readStart(path: string, bytes: number): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
  return buffer.subarray(0, bytesRead);
}
