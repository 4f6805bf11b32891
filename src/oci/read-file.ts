import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { readTar } from '../tar/read-tar.ts';
import { openBlob } from './blob-store.ts';
import { openDecompressor } from './compression.ts';
import { findImage } from './find-images.ts';
import { readCompressionOf } from './spec.ts';

export interface LayoutFile {
  readonly sizeBytes: number;
  /** Of the one that was wanted. */
  readonly content?: Buffer;
}

/**
 * Files below `folder` of an image in a layout, by name, out of the uppermost layer that has any. The one called `wanted` comes
 * with its content unless it has more than `maxBytes`.
 */
export async function readLayoutFolder(
  { dir, tag }: { readonly dir: string; readonly tag?: string },
  folder: string,
  wanted: string,
  maxBytes: number,
): Promise<ReadonlyMap<string, LayoutFile>> {
  const { manifest } = await findImage(dir, tag);
  for (const { digest, mediaType } of manifest.layers.toReversed()) {
    try {
      const decompressor = openDecompressor(readCompressionOf(mediaType) ?? 'gzip');
      const tar = pipeline(openBlob(join(dir, 'blobs'), digest), decompressor, () => undefined);
      const files = await readTarFolder(tar, folder, wanted, maxBytes);
      if (files.size > 0) return files;
    } catch (cause) {
      if (isCracBuildError(cause)) throw cause;
      throw new CracBuildError('IMAGE_INVALID', `cannot read layer ${digest} of ${dir}: ${(cause as Error).message}`, {
        hint: 'Build the image again, or copy it again from where it came.',
        cause,
      });
    }
  }
  return new Map();
}

async function readTarFolder(
  tar: Readable,
  folder: string,
  wanted: string,
  maxBytes: number,
): Promise<Map<string, LayoutFile>> {
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
