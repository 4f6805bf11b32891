import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isOwnerGone } from '../engine/owner.ts';
import { withStoreLock } from '../engine/store-lock.ts';
import { locateBlob } from '../oci/blob-store.ts';
import { type PrunePlan, planPrune } from './plan-prune.ts';
import { readCache } from './read-cache.ts';
import { locateCachedBlobs } from './record.ts';

/**
 * Makes the cache no larger than `maxBytes`. Safe beside builds: they take blobs into their own folder by a second name, claim
 * unpacked layers under the same lock, and write under it. What is removed is renamed or gone at once, never half there.
 */
export async function pruneCache(cacheDir: string, maxBytes: number, signal: AbortSignal): Promise<PrunePlan> {
  const storeDir = join(cacheDir, 'oci-engine');
  return await withStoreLock(cacheDir, signal, () =>
    withStoreLock(storeDir, signal, async () => {
      const plan = planPrune(await readCache(cacheDir), maxBytes);
      for (const path of plan.orphans) await rm(join(cacheDir, path), { recursive: true, force: true });
      for (const { kind, path } of plan.entries) {
        if (kind !== 'unpacked') await rm(join(cacheDir, path), { force: true });
        else await removeUnpacked(storeDir, join(cacheDir, path));
      }
      // After the records: one that names what is gone would be of no use.
      for (const digest of plan.blobs) await rm(locateBlob(locateCachedBlobs(cacheDir), digest), { force: true });
      for (const folder of [cacheDir, storeDir]) await removeLeftovers(folder);
      return plan;
    }),
  );
}

async function removeUnpacked(storeDir: string, folder: string): Promise<void> {
  const away = join(storeDir, `pruned-${randomUUID()}`);
  await rename(folder, away);
  await rm(join(storeDir, 'used', basename(folder)), { force: true });
  await rm(away, { recursive: true, force: true });
}

/** Of runs that were killed: while they removed a layer, or waited for a lock. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const isWait = name.startsWith('.lock-') && isOwnerGone(await readFile(path, 'utf8').catch(() => ''));
    if (isWait || name.startsWith('pruned-')) await rm(path, { recursive: true, force: true });
  }
}
