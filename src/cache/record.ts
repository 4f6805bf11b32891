/**
 * CACHE/bases/KEY.json, CACHE/checkpoints/KEY.json, CACHE/modules/KEY.json (what jdeps found; without layers): what a key stands for. Its layers are blobs of CACHE/blobs, which all records
 * share; the file's time tells when it was last used.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { withStoreLock } from '../engine/store-lock.ts';
import { digestOf, hashFile, locateBlob, shareBlob } from '../oci/blob-store.ts';
import type { Layer } from '../oci/image.ts';
import { explainNoSpace } from '../oci/space.ts';

const LAYER = z.object({
  kind: z.enum(['base', 'dependencies', 'app', 'runtime', 'state', 'checkpoint']),
  compression: z.enum(['gzip', 'zstd']),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  diffId: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  sizeBytes: z.number(),
  uncompressedBytes: z.number(),
});
const RECORD = z.object({
  /** For people: what it is of. */
  name: z.string(),
  madeAtMs: z.number(),
  layers: z.array(LAYER),
  facts: z.record(z.string(), z.unknown()),
});
/** `digest` is that of `record` as JSON: a file that is damaged counts as not there. */
const RECORD_FILE = z.object({ format: z.literal(1), digest: z.string(), record: z.unknown() });

export type CacheRecord = z.infer<typeof RECORD>;
export const RECORD_KINDS = ['bases', 'checkpoints', 'modules'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export function locateRecord(cacheDir: string, kind: RecordKind, key: string): string {
  return join(cacheDir, kind, `${key}.json`);
}

export function locateCachedBlobs(cacheDir: string): string {
  return join(cacheDir, 'blobs');
}

/** Undefined where there is none, or none that can be used. */
export async function readRecord(path: string): Promise<CacheRecord | undefined> {
  try {
    const { digest, record } = RECORD_FILE.parse(JSON.parse(await readFile(path, 'utf8')));
    return digest === digestOf(JSON.stringify(record)) ? RECORD.parse(record) : undefined;
  } catch {
    return undefined;
  }
}

export async function touchRecord(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined); // removed meanwhile
}

/** Its layers lie in `blobDir`: they become known to the cache, and then the record appears, whole. */
export async function writeRecord(
  cacheDir: string,
  place: { readonly kind: RecordKind; readonly key: string },
  record: CacheRecord,
  blobDir: string,
  signal: AbortSignal,
): Promise<void> {
  const path = locateRecord(cacheDir, place.kind, place.key);
  const partial = join(dirname(path), `.partial-${randomUUID()}`);
  try {
    await withStoreLock(cacheDir, signal, async () => {
      for (const { digest } of record.layers) await shareBlob(blobDir, locateCachedBlobs(cacheDir), digest);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(partial, JSON.stringify({ format: 1, digest: digestOf(JSON.stringify(record)), record }));
      await rename(partial, path);
    });
  } catch (error) {
    await rm(partial, { force: true });
    throw explainNoSpace(error, `keeping ${record.name} in ${cacheDir}`);
  }
}

/** Of `layers`, all in `blobDir` under names of their own, or a sentence that says which is missing or damaged. */
export async function takeLayers(
  cacheDir: string,
  layers: readonly Layer[],
  blobDir: string,
): Promise<string | undefined> {
  for (const { digest } of layers) {
    try {
      await shareBlob(locateCachedBlobs(cacheDir), blobDir, digest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `its layer ${digest} is gone`;
      throw error;
    }
    if ((await hashFile(locateBlob(blobDir, digest))) !== digest) return `its layer ${digest} is damaged`;
  }
  return undefined;
}
