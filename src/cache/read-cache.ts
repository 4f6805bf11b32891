import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readClaimedLayers } from '../engine/oci-store.ts';
import { locateCachedBlobs, RECORD_KINDS, readRecord } from './record.ts';

/** What can be removed from the cache, one by one. */
export interface CacheEntry {
  /** `modules`: what jdeps found in an app; `unpacked`: a layer as the oci engine mounts it. */
  readonly kind: 'base' | 'checkpoint' | 'modules' | 'unpacked';
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
  /** Never removed: there is one, and it is slow to make. */
  readonly toolboxBytes: number;
}

const KINDS = { bases: 'base', checkpoints: 'checkpoint', modules: 'modules' } as const;
const BLOCK_BYTES = 512;

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
  return {
    entries: [...entries, ...(await readUnpacked(cacheDir))],
    orphans,
    toolboxBytes: await measureTree(join(cacheDir, 'toolbox')),
  };
}

async function readUnpacked(cacheDir: string): Promise<readonly CacheEntry[]> {
  const storeDir = join(cacheDir, 'oci-engine');
  const claimed = await readClaimedLayers(storeDir);
  const folders = await list(join(storeDir, 'layers'));
  return await Promise.all(
    folders.map(async ({ name }): Promise<CacheEntry> => {
      const used = await stat(join(storeDir, 'used', name)).catch(() => undefined);
      return {
        kind: 'unpacked',
        path: join('oci-engine/layers', name),
        name: await nameUnpacked(join(storeDir, 'layers', name), name),
        lastUsedMs: used?.mtimeMs ?? 0,
        ownBytes: await measureTree(join(storeDir, 'layers', name)),
        blobs: [],
        isInUse: claimed.has(name),
      };
    }),
  );
}

/** By what is in it. */
async function nameUnpacked(folder: string, diffId: string): Promise<string> {
  const has = (path: string) =>
    lstat(join(folder, path)).then(
      () => true,
      () => false,
    );
  if (await has('opt/java/release')) {
    const release = await readFile(join(folder, 'opt/java/release'), 'utf8').catch(() => '');
    return `base, Java ${/^JAVA_VERSION="?([^"\n]+)/m.exec(release)?.[1] ?? ''}`.trim();
  }
  if (await has('opt/crac/restore')) return 'runtime';
  const [jar] = (await list(join(folder, 'app'))).filter(({ name }) => name.endsWith('.jar'));
  return jar === undefined ? diffId.slice(0, 12) : `app, ${jar.name}`;
}

async function list(folder: string): Promise<readonly Dirent[]> {
  return await readdir(folder, { withFileTypes: true }).catch(() => []);
}

/** What it takes on disk. */
async function measureTree(folder: string): Promise<number> {
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
