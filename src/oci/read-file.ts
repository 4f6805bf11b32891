import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CracBuildError } from '../errors.ts';
import { readTar } from '../tar/read-tar.ts';
import { openBlob } from './blob-store.ts';
import { readLayoutIndex, readManifest } from './read-layout.ts';

export interface LayoutFile {
  readonly sizeBytes: number;
  /** Of the one that was wanted. */
  readonly content?: Buffer;
}

/**
 * Files below `folder` of the first image in a layout, by name, out of the uppermost layer that has any. The one called
 * `wanted` comes with its content unless it has more than `maxBytes`.
 */
export async function readLayoutFolder(
  dir: string,
  folder: string,
  wanted: string,
  maxBytes: number,
): Promise<ReadonlyMap<string, LayoutFile>> {
  const [image] = (await readLayoutIndex(dir)).manifests;
  if (image === undefined)
    throw new CracBuildError('IMAGE_INVALID', `${dir} holds no image`, { hint: 'Give a layout that was built.' });
  const { layers } = await readManifest(dir, image.digest);
  for (const { digest } of layers.toReversed()) {
    try {
      const files = await readLayerFolder(openBlob(join(dir, 'blobs'), digest), folder, wanted, maxBytes);
      if (files.size > 0) return files;
    } catch (cause) {
      throw new CracBuildError('IMAGE_INVALID', `cannot read layer ${digest} of ${dir}: ${(cause as Error).message}`, {
        hint: 'Build the image again, or copy it again from where it came.',
        cause,
      });
    }
  }
  return new Map();
}

async function readLayerFolder(
  blob: Readable,
  folder: string,
  wanted: string,
  maxBytes: number,
): Promise<Map<string, LayoutFile>> {
  const tar = createGunzip();
  blob.once('error', (error) => tar.destroy(error));
  blob.pipe(tar);
  const files = new Map<string, LayoutFile>();
  for await (const { header, content } of readTar(tar)) {
    if (header.type !== 'file' || !header.path.startsWith(`${folder}/`)) continue;
    const { sizeBytes } = header;
    const name = header.path.slice(folder.length + 1);
    files.set(
      name,
      name === wanted && sizeBytes <= maxBytes ? { sizeBytes, content: await collect(content) } : { sizeBytes },
    );
  }
  return files;
}

async function collect(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}
