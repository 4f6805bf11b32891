import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { isCracBuildError } from '../errors.ts';
import { hashFile, locateBlob, openDigestMeter, shareBlob, writeBlob } from './blob-store.ts';
import { openCompressor } from './compression.ts';
import type { Compression, Layer } from './image.ts';

/** Of a layer as it lies in a store of the cache: CACHE/compressed/KEY.json, its blob beside it. Written last, so what is named there is whole. */
const CACHED_LAYER = z.object({
  kind: z.literal('base'),
  compression: z.enum(['gzip', 'zstd']),
  digest: z.string(),
  diffId: z.string(),
  sizeBytes: z.number(),
  uncompressedBytes: z.number(),
});

export interface LayerStore {
  readonly blobDir: string;
  readonly cacheDir: string;
  readonly signal: AbortSignal;
}

/**
 * An uncompressed layer (what `docker save` writes), compressed: `blobDir` has it then. Its `diffId` stays, and the cache
 * keeps what was made of it.
 */
export async function compressLayer(
  diffId: string,
  open: () => Readable,
  { compression, compressionLevel }: Compression,
  { blobDir, cacheDir, signal }: LayerStore,
): Promise<Layer> {
  const cachedBlobs = join(cacheDir, 'compressed');
  const key = `${diffId.replace(':', '-')}-${compression}-${compressionLevel}`;
  const recordPath = join(cachedBlobs, `${key}.json`);
  const known = await takeCachedLayer(recordPath, cachedBlobs, blobDir);
  if (known !== undefined) return known;
  const meter = openDigestMeter();
  const compressor = openCompressor({ compression, compressionLevel });
  const blob = await writeBlob(cachedBlobs, open(), [meter.stream, compressor], signal);
  const tar = meter.takeBlob();
  const layer: Layer = { kind: 'base', compression, ...blob, diffId: tar.digest, uncompressedBytes: tar.sizeBytes };
  if (tar.digest === diffId) await writeCachedLayer(recordPath, layer);
  await shareBlob(cachedBlobs, blobDir, layer.digest);
  return layer;
}

/**
 * Undefined: not made yet, damaged, or pruned meanwhile: made again. What is taken counts as used now, before it is read: nobody
 * prunes it then.
 */
async function takeCachedLayer(recordPath: string, cachedBlobs: string, blobDir: string): Promise<Layer | undefined> {
  try {
    const layer = CACHED_LAYER.parse(JSON.parse(await readFile(recordPath, 'utf8')));
    const blob = locateBlob(cachedBlobs, layer.digest);
    const now = new Date();
    for (const path of [recordPath, blob]) await utimes(path, now, now);
    if ((await hashFile(blob)) !== layer.digest) return undefined;
    await shareBlob(cachedBlobs, blobDir, layer.digest);
    return layer;
  } catch (error) {
    if (isCracBuildError(error, 'NO_SPACE')) throw error;
    return undefined;
  }
}

async function writeCachedLayer(recordPath: string, layer: Layer): Promise<void> {
  await mkdir(dirname(recordPath), { recursive: true });
  const partial = `${recordPath}.${randomUUID()}`;
  await writeFile(partial, JSON.stringify(layer));
  await rename(partial, recordPath);
}
