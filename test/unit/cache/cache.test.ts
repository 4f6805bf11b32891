import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pruneCache } from '../../../src/cache/prune-cache.ts';
import { readCache } from '../../../src/cache/read-cache.ts';
import {
  type CacheRecord,
  locateCachedBlobs,
  locateRecord,
  readRecord,
  takeLayers,
  touchRecord,
  writeRecord,
} from '../../../src/cache/record.ts';
import { composeOwner } from '../../../src/engine/owner.ts';
import { withStoreLock } from '../../../src/engine/store-lock.ts';
import { locateBlob, writeBlob } from '../../../src/oci/blob-store.ts';

const { signal } = new AbortController();
/** Of this machine, and not running any more: the start time is another's. */
const ENDED = composeOwner().replace(/\d+$/, '1');
let dir: string;
let cacheDir: string;
let blobDir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cache-test-'));
  cacheDir = join(dir, 'cache');
  blobDir = join(dir, 'blobs');
});
afterEach(() => rmSync(dir, { recursive: true }));

async function makeRecord(name: string, contents: readonly string[]): Promise<CacheRecord> {
  const layers = [];
  for (const content of contents) {
    const { digest, sizeBytes } = await writeBlob(blobDir, Readable.from([Buffer.from(content)]));
    const sizes = { sizeBytes, uncompressedBytes: sizeBytes };
    layers.push({ kind: 'checkpoint' as const, compression: 'gzip' as const, digest, diffId: digest, ...sizes });
  }
  return { name, madeAtMs: 1, layers, facts: { warmth: { requestCount: 7 } } };
}

async function keep(key: string, contents: readonly string[], usedAtSeconds?: number): Promise<CacheRecord> {
  const record = await makeRecord(key, contents);
  await writeRecord(cacheDir, { kind: 'checkpoints', key }, record, blobDir, signal);
  if (usedAtSeconds !== undefined) utimesSync(locate(key), usedAtSeconds, usedAtSeconds);
  return record;
}

const locate = (key: string) => locateRecord(cacheDir, 'checkpoints', key);
const countBlobs = () => readdirSync(join(cacheDir, 'blobs/sha256')).length;

test('what was kept is read back, and its layers can be taken', async () => {
  const record = await keep('k', ['state', 'checkpoint']);
  expect(await readRecord(locate('k'))).toEqual(record);
  const target = join(dir, 'work');
  expect(await takeLayers(cacheDir, record.layers, target)).toBeUndefined();
  expect(readFileSync(locateBlob(target, record.layers[1]?.digest ?? ''), 'utf8')).toBe('checkpoint');
  expect(await readRecord(locate('other'))).toBeUndefined();
  // Neither locks nor halves are left.
  expect(readdirSync(cacheDir).toSorted()).toEqual(['blobs', 'checkpoints']);
});

test('a damaged record counts as none', async () => {
  await keep('k', ['a']);
  const text = readFileSync(locate('k'), 'utf8');
  for (const damaged of [text.replace('"requestCount":7', '"requestCount":8'), text.slice(0, -5), '{}', '']) {
    writeFileSync(locate('k'), damaged);
    expect(await readRecord(locate('k'))).toBeUndefined();
  }
});

test('a damaged or missing layer is told, and kept anew', async () => {
  const record = await keep('k', ['content']);
  const digest = record.layers[0]?.digest ?? '';
  const blob = locateBlob(locateCachedBlobs(cacheDir), digest);
  rmSync(blob); // the name in `blobDir` stands for the same file
  writeFileSync(blob, 'c0ntent');
  const target = join(dir, 'work');
  expect(await takeLayers(cacheDir, record.layers, target)).toBe(`its layer ${digest} is damaged`);
  rmSync(blob);
  expect(await takeLayers(cacheDir, record.layers, target)).toBe(`its layer ${digest} is gone`);
  await keep('k', ['content']);
  expect(await takeLayers(cacheDir, record.layers, target)).toBeUndefined();
});

test('pruning removes the least recently used, and blobs with the last record that names them', async () => {
  await keep('old', ['shared', 'a'.repeat(5000)], 1000);
  await keep('middle', ['shared', 'b'.repeat(5000)], 2000);
  await keep('new', ['shared', 'c'.repeat(5000)], 3000);
  await touchRecord(locate('old'));
  const plan = await pruneCache(cacheDir, 13_000, signal);
  expect(plan.entries.map(({ name }) => name)).toEqual(['middle']);
  expect(['old', 'middle', 'new'].map((key) => existsSync(locate(key)))).toEqual([true, false, true]);
  expect(countBlobs()).toBe(3);
  await pruneCache(cacheDir, 0, signal);
  expect((await readCache(cacheDir)).entries).toEqual([]);
  expect(countBlobs()).toBe(0);
});

test('a layer that a build has taken outlives its place in the cache', async () => {
  const record = await keep('k', ['content']);
  const target = join(dir, 'work');
  await takeLayers(cacheDir, record.layers, target);
  await pruneCache(cacheDir, 0, signal);
  expect(readFileSync(locateBlob(target, record.layers[0]?.digest ?? ''), 'utf8')).toBe('content');
});

test('what an interrupted build has left is removed; an empty cache is pruned, too', async () => {
  expect(await pruneCache(cacheDir, 0, signal)).toMatchObject({ entries: [], freedBytes: 0 });
  await keep('k', ['a']);
  writeFileSync(join(cacheDir, 'blobs/sha256/.partial-1'), 'half');
  writeFileSync(join(cacheDir, 'checkpoints/.partial-1'), 'half');
  writeFileSync(join(cacheDir, '.lock-1'), ENDED);
  mkdirSync(join(cacheDir, 'oci-engine/pruned-1/etc'), { recursive: true });
  const { orphans } = await pruneCache(cacheDir, 1e9, signal);
  expect(orphans.toSorted()).toEqual(['blobs/sha256/.partial-1', 'checkpoints/.partial-1']);
  expect(await readRecord(locate('k'))).toBeDefined();
  expect(readdirSync(cacheDir).toSorted()).toEqual(['blobs', 'checkpoints', 'oci-engine']);
  expect(readdirSync(join(cacheDir, 'oci-engine'))).toEqual([]);
});

test('unpacked layers go unless a living build has claimed them', async () => {
  const store = join(cacheDir, 'oci-engine');
  for (const name of ['claimed', 'abandoned', 'free']) {
    mkdirSync(join(store, 'layers', name, 'etc'), { recursive: true });
    writeFileSync(join(store, 'layers', name, 'etc/file'), 'x'.repeat(9000));
  }
  const claim = (id: string, owner: string, uses: string) => {
    mkdirSync(join(store, 'images', id), { recursive: true });
    writeFileSync(join(store, 'images', id, 'owner'), owner);
    writeFileSync(join(store, 'images', id, 'uses'), uses);
  };
  mkdirSync(join(store, 'used'));
  writeFileSync(join(store, 'used/free'), JSON.stringify({ name: 'app of orders', sizeBytes: 12_345 }));
  const found = (await readCache(cacheDir)).entries;
  expect(found.find(({ name }) => name === 'app of orders')).toMatchObject({ kind: 'unpacked', ownBytes: 12_345 });
  expect(found.find(({ name }) => name === 'claimed')?.ownBytes).toBeGreaterThanOrEqual(9000);
  claim('1', composeOwner(), 'claimed\nother');
  claim('2', ENDED, 'abandoned');
  const { entries } = await pruneCache(cacheDir, 0, signal);
  expect(entries.map(({ path }) => path).toSorted()).toEqual(['oci-engine/layers/abandoned', 'oci-engine/layers/free']);
  expect(readdirSync(join(store, 'layers'))).toEqual(['claimed']);
});

describe('the lock of a store', () => {
  test('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withStoreLock(cacheDir, signal, work)));
    expect(most).toBe(1);
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  test('is taken from an owner that has ended, and given up after a failure', async () => {
    mkdirSync(cacheDir);
    writeFileSync(join(cacheDir, 'lock'), ENDED);
    await expect(withStoreLock(cacheDir, signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withStoreLock(cacheDir, signal, async () => 'in')).toBe('in');
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  test('is as old as the time that it was got, however long that was waited for', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = withStoreLock(cacheDir, signal, () => held);
    while (!existsSync(join(cacheDir, 'lock'))) await sleep(5);
    const second = withStoreLock(cacheDir, signal, async () => statSync(join(cacheDir, 'lock')).mtimeMs);
    while (readdirSync(cacheDir).length < 3) await sleep(5);
    await sleep(30); // it has begun to wait
    for (const name of readdirSync(cacheDir))
      utimesSync(join(cacheDir, name), new Date(), new Date(Date.now() - 500_000));
    release();
    await first;
    expect(Date.now() - (await second)).toBeLessThan(60_000);
  });

  test('is waited for while its owner lives, until an interrupt', async () => {
    mkdirSync(cacheDir);
    writeFileSync(join(cacheDir, 'lock'), composeOwner());
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 60);
    const waiting = withStoreLock(cacheDir, controller.signal, async () => 'in');
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(readdirSync(cacheDir)).toEqual(['lock']);
  });
});
