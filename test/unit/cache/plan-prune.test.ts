import { measureCache, planPrune } from '../../../src/cache/plan-prune.ts';
import type { CacheEntry } from '../../../src/cache/read-cache.ts';

const entry = (path: string, lastUsedMs: number, more: Partial<CacheEntry> = {}): CacheEntry => ({
  kind: 'checkpoint',
  path,
  name: path,
  lastUsedMs,
  ownBytes: 1,
  blobs: [],
  isInUse: false,
  ...more,
});
const blob = (digest: string, sizeBytes: number) => ({ digest, sizeBytes });
const MINUTE = 60_000;
const SHARED = blob('shared', 100);

const facts = {
  entries: [
    entry('new', 30 * MINUTE, { blobs: [SHARED, blob('a', 10)] }),
    entry('old', 10 * MINUTE, { blobs: [SHARED, blob('b', 20)] }),
    entry('layer', 20 * MINUTE, { kind: 'unpacked', ownBytes: 500 }),
    entry('used layer', 5 * MINUTE, { kind: 'unpacked', ownBytes: 700, isInUse: true }),
  ],
  orphans: [{ path: 'blobs/sha256/left', sizeBytes: 1000 }],
};

test('a blob counts once', () => {
  expect(measureCache(facts)).toBe(1 + 100 + 10 + 1 + 20 + 500 + 700 + 1000);
});

test('what nothing names goes first, and nothing else where that is enough', () => {
  const plan = planPrune(facts, 1332);
  expect(plan).toMatchObject({
    entries: [],
    blobs: [],
    orphans: ['blobs/sha256/left'],
    freedBytes: 1000,
    leftBytes: 1332,
  });
});

test('then what was not used for longest, with the blobs that only it names', () => {
  const plan = planPrune(facts, 1331);
  expect(plan.entries.map(({ path }) => path)).toEqual(['old']);
  expect(plan.blobs).toEqual(['b']);
  expect(plan).toMatchObject({ freedBytes: 1021, leftBytes: 1311 });
});

test('a shared blob goes with the last that names it; what is in use stays whatever the limit', () => {
  const plan = planPrune(facts, 0);
  expect(plan.entries.map(({ path }) => path)).toEqual(['old', 'layer', 'new']);
  expect(plan.blobs.toSorted()).toEqual(['a', 'b', 'shared']);
  expect(plan.leftBytes).toBe(700);
});

test('of what one build has used a base goes last: what was made with it needs it', () => {
  const entries = [
    entry('base', 1, { kind: 'base' }),
    entry('modules', 2, { kind: 'modules' }),
    entry('checkpoint', 3),
    entry('layer', 4, { kind: 'unpacked' }),
    entry('later', MINUTE, { kind: 'unpacked' }),
  ];
  const { entries: removed } = planPrune({ entries, orphans: [] }, 0);
  expect(removed.map(({ path }) => path)).toEqual(['layer', 'checkpoint', 'modules', 'base', 'later']);
});
