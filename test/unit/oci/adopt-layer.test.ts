import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { compressLayer } from '../../../src/oci/adopt-layer.ts';
import { digestOf, locateBlob } from '../../../src/oci/blob-store.ts';

const CONTENT = Buffer.from('a layer');
const DIFF_ID = digestOf(CONTENT);
let dir: string;
let opened: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'adopt-layer-test-'));
  opened = 0;
});
afterEach(() => rmSync(dir, { recursive: true }));

const compress = (build: string) => {
  const open = () => {
    opened++;
    return Readable.from([CONTENT]);
  };
  const store = { blobDir: join(dir, build), cacheDir: join(dir, 'cache'), signal: new AbortController().signal };
  return compressLayer(DIFF_ID, open, { compression: 'gzip', compressionLevel: 6 }, store);
};
const cached = () => join(dir, 'cache/compressed');
const recordPath = () => join(cached(), readdirSync(cached()).find((name) => name.endsWith('.json')) ?? '');

test('what is taken from the cache counts as used now', async () => {
  const layer = await compress('first');
  const paths = [recordPath(), locateBlob(cached(), layer.digest)];
  for (const path of paths) utimesSync(path, 1000, 1000);
  expect(await compress('second')).toEqual(layer);
  expect(opened).toBe(1);
  for (const path of paths) expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
  expect(digestOf(readFileSync(locateBlob(join(dir, 'second'), layer.digest)))).toBe(layer.digest);
});

test.each([
  ['damaged', (path: string) => writeFileSync(path, readFileSync(path).fill(0))],
  ['gone', (path: string) => rmSync(path)],
])('what is %s is made again', async (_, harm) => {
  const layer = await compress('first');
  rmSync(join(dir, 'first'), { recursive: true });
  harm(locateBlob(cached(), layer.digest));
  expect(await compress('second')).toEqual(layer);
  expect(opened).toBe(2);
  for (const blobDir of [cached(), join(dir, 'second')])
    expect(digestOf(readFileSync(locateBlob(blobDir, layer.digest)))).toBe(layer.digest);
});
