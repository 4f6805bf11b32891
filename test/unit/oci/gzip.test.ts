import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { openGzip } from '../../../src/oci/gzip.ts';

const BLOCK = 4 << 20;
const compress = (bytes: Buffer, chunkBytes: number) =>
  buffer(
    Readable.from(
      (function* () {
        for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
      })(),
    ).pipe(openGzip(1)),
  );

test.each([
  ['nothing', 0],
  ['less than a block', 1000],
  ['exactly a block', BLOCK],
  ['several blocks and a rest', 5 * BLOCK + 77],
])('%s comes back as it was', async (_name, size) => {
  const bytes = Buffer.concat([randomBytes(Math.min(size, 5000)), Buffer.alloc(Math.max(size - 5000, 0), 'abc')]);
  const compressed = await compress(bytes, 65_536);
  expect(gunzipSync(compressed).equals(bytes)).toBe(true);
  expect(compressed.length).toBeLessThan(size / 10 + 6000);
});

test('how the input arrives does not change the output', async () => {
  const bytes = Buffer.alloc(2 * BLOCK + 5, 'some text');
  const [small, large] = await Promise.all([compress(bytes, 1000), compress(bytes, 3 * BLOCK)]);
  expect(small.equals(large)).toBe(true);
});
