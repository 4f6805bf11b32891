import type { CacheEntry, CacheFacts } from './read-cache.ts';

export interface PrunePlan {
  readonly entries: readonly CacheEntry[];
  /** Digests that no record names any more. */
  readonly blobs: readonly string[];
  /** Paths. */
  readonly orphans: readonly string[];
  readonly freedBytes: number;
  readonly leftBytes: number;
}

/** Without the toolbox; a blob counts once, however many records name it. */
export function measureCache({ entries, orphans }: CacheFacts): number {
  const blobs = new Map(entries.flatMap((entry) => entry.blobs.map(({ digest, sizeBytes }) => [digest, sizeBytes])));
  return sum([
    ...entries.map(({ ownBytes }) => ownBytes),
    ...orphans.map(({ sizeBytes }) => sizeBytes),
    ...blobs.values(),
  ]);
}

/**
 * What nothing names, and then what was not used for longest, until the rest has at most `maxBytes`; never what a running
 * build uses. Pure.
 */
export function planPrune(facts: CacheFacts, maxBytes: number): PrunePlan {
  const before = measureCache(facts);
  const kept = new Set(facts.entries);
  const size = () => measureCache({ entries: [...kept], orphans: [] });
  const removed: CacheEntry[] = [];
  const oldestFirst = facts.entries.filter(({ isInUse }) => !isInUse).toSorted(compareUse);
  for (const entry of oldestFirst) {
    if (size() <= maxBytes) break;
    kept.delete(entry);
    removed.push(entry);
  }
  const named = new Set([...kept].flatMap(({ blobs }) => blobs.map(({ digest }) => digest)));
  const blobs = removed
    .flatMap((entry) => entry.blobs.map(({ digest }) => digest))
    .filter((digest) => !named.has(digest));
  return {
    entries: removed,
    blobs: [...new Set(blobs)],
    orphans: facts.orphans.map(({ path }) => path),
    freedBytes: before - size(),
    leftBytes: size(),
  };
}

/** A build uses several, one after the other: of these goes first what is soonest made again, and last what others need. */
const BUILD_MS = 60_000;
const ORDER: readonly CacheEntry['kind'][] = ['unpacked', 'checkpoint', 'modules', 'fetched', 'base'];

function compareUse(a: CacheEntry, b: CacheEntry): number {
  const [minuteA, minuteB] = [a, b].map(({ lastUsedMs }) => Math.floor(lastUsedMs / BUILD_MS));
  return (
    (minuteA ?? 0) - (minuteB ?? 0) || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || a.lastUsedMs - b.lastUsedMs
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
