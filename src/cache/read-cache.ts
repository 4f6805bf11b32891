import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { z } from 'zod';
import { readClaimedLayers } from '../engine/oci-store.ts';
import { locateCachedBlobs, RECORD_KINDS, readRecord } from './record.ts';

/** What can be removed from the cache, one by one. */
export interface CacheEntry {
  /**
   * `modules`: what jdeps found in an app; `fetched`: a part of an image that was pulled, or taken from Docker and compressed;
   * `unpacked`: a layer as the oci engine mounts it.
   */
  readonly kind: 'base' | 'checkpoint' | 'modules' | 'fetched' | 'unpacked';
  /** Relative to the cache. */
  readonly path: string;
  readonly name: string;
  readonly lastUsedMs: number;
  /** Without blobs. */
  readonly ownBytes: number;
  readonly blobs: readonly { readonly digest: string; readonly sizeBytes: number }[];
  /** By a build that is running. */
  readonly isInUse: boolean;
}

export interface CacheFacts {
  readonly entries: readonly CacheEntry[];
  /** Files that nothing names: left behind by what was interrupted, or of another version. Relative to the cache. */
  readonly orphans: readonly { readonly path: string; readonly sizeBytes: number }[];
}

const KINDS = { bases: 'base', checkpoints: 'checkpoint', modules: 'modules' } as const;
/** src/oci/registry/pull-image.ts, src/oci/adopt-layer.ts */
const FETCHED = ['pulled', 'compressed'];
const FETCHING_MS = 600_000;
const BLOCK_BYTES = 512;
/** As oci-store.ts writes it. */
const USED_LAYER = z.object({ name: z.string(), sizeBytes: z.number() });

/** To be acted upon under the locks of the cache and of its oci-engine only. */
export async function readCache(cacheDir: string): Promise<CacheFacts> {
  const entries: CacheEntry[] = [];
  const orphans: CacheFacts['orphans'][number][] = [];
  const named = new Set<string>();
  for (const kind of RECORD_KINDS) {
    for (const { name } of await list(join(cacheDir, kind))) {
      const path = join(kind, name);
      const facts = await stat(join(cacheDir, path)).catch(() => undefined);
      if (facts === undefined) continue; // gone by now
      const record = name.startsWith('.') ? undefined : await readRecord(join(cacheDir, path));
      if (record === undefined) {
        orphans.push({ path, sizeBytes: facts.size });
        continue;
      }
      const blobs = record.layers.map(({ digest, sizeBytes }) => ({ digest, sizeBytes }));
      for (const { digest } of blobs) named.add(digest);
      const own = { kind: KINDS[kind], path, name: record.name, ownBytes: facts.size };
      entries.push({ ...own, lastUsedMs: facts.mtimeMs, blobs, isInUse: false });
    }
  }
  const blobs = join(locateCachedBlobs(cacheDir), 'sha256');
  for (const { name } of await list(blobs)) {
    if (named.has(`sha256:${name}`)) continue;
    const facts = await stat(join(blobs, name)).catch(() => undefined);
    if (facts !== undefined) orphans.push({ path: join('blobs/sha256', name), sizeBytes: facts.size });
  }
  return { entries: [...entries, ...(await readFetched(cacheDir)), ...(await readUnpacked(cacheDir))], orphans };
}

/** Files of their own: builds take them by a second name. What was written just now may not be whole yet. */
async function readFetched(cacheDir: string): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const folder of FETCHED) {
    for (const entry of await readdir(join(cacheDir, folder), { recursive: true, withFileTypes: true }).catch(
      () => [],
    )) {
      const path = relative(cacheDir, join(entry.parentPath, entry.name));
      const facts = entry.isFile() ? await stat(join(cacheDir, path)).catch(() => undefined) : undefined;
      if (facts === undefined) continue;
      const isInUse = Date.now() - facts.mtimeMs < FETCHING_MS;
      const own = { kind: 'fetched', path, name: basename(path).slice(0, 12), ownBytes: facts.size } as const;
      entries.push({ ...own, lastUsedMs: facts.mtimeMs, blobs: [], isInUse });
    }
  }
  return entries;
}

async function readUnpacked(cacheDir: string): Promise<readonly CacheEntry[]> {
  const storeDir = join(cacheDir, 'oci-engine');
  const claimed = await readClaimedLayers(storeDir);
  const folders = await list(join(storeDir, 'layers'));
  return await Promise.all(
    folders.map(async ({ name }): Promise<CacheEntry> => {
      const used = join(storeDir, 'used', name);
      const facts = USED_LAYER.safeParse(
        await readFile(used, 'utf8')
          .then(JSON.parse)
          .catch(() => undefined),
      ).data;
      return {
        kind: 'unpacked',
        path: join('oci-engine/layers', name),
        name: facts?.name ?? name.slice(0, 12),
        lastUsedMs: await stat(used).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
        ownBytes: facts?.sizeBytes ?? (await measureTree(join(storeDir, 'layers', name))),
        blobs: [],
        isInUse: claimed.has(name),
      };
    }),
  );
}

async function list(folder: string): Promise<readonly Dirent[]> {
  return await readdir(folder, { withFileTypes: true }).catch(() => []);
}

/** What a folder takes on disk. */
export async function measureTree(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await list(folder)) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory()
      ? await measureTree(path)
      : await lstat(path).then(
          ({ blocks }) => blocks * BLOCK_BYTES,
          () => 0,
        );
  }
  return bytes;
}
