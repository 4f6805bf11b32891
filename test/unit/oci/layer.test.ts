import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { locateBlob, shareBlob, writeBlob } from '../../../src/oci/blob-store.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { explainNoSpace } from '../../../src/oci/space.ts';
import { composeFile } from '../../../src/tar/entry.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layer-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

test('digests and sizes are those of the bytes', async () => {
  const layer = await writeLayer(dir, 'app', [composeFile('a', Buffer.alloc(300_000, 'abc'))]);
  const blob = readFileSync(locateBlob(dir, layer.digest));
  const tar = gunzipSync(blob);
  expect(layer).toEqual({
    kind: 'app',
    compression: 'gzip',
    digest: sha256(blob),
    diffId: sha256(tar),
    sizeBytes: blob.length,
    uncompressedBytes: tar.length,
  });
  expect(readdirSync(join(dir, 'sha256'))).toHaveLength(1);
});

test('equal entries give equal layers; the gzip header holds no time', async () => {
  const make = (folder: string) => writeLayer(join(dir, folder), 'app', [composeFile('a', Buffer.from('same'))]);
  const one = await make('one');
  expect(await make('two')).toEqual(one);
  expect(readFileSync(locateBlob(join(dir, 'one'), one.digest)).subarray(4, 8)).toEqual(Buffer.alloc(4));
});

test('a failure leaves no partial file', async () => {
  const failing = Readable.from(
    (async function* () {
      yield Buffer.alloc(100_000);
      throw new Error('source broke');
    })(),
  );
  await expect(writeBlob(dir, failing)).rejects.toThrow('source broke');
  expect(readdirSync(join(dir, 'sha256'))).toEqual([]);
});

test('an abort leaves no partial file', async () => {
  const abort = new AbortController();
  const endless = Readable.from(
    (async function* () {
      for (let count = 0; ; count++) {
        if (count === 5) abort.abort();
        yield Buffer.alloc(10_000);
      }
    })(),
  );
  await expect(writeBlob(dir, endless, [], abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
  expect(readdirSync(join(dir, 'sha256'))).toEqual([]);
});

test('a shared blob is the same file, and may be there already', async () => {
  const { digest } = await writeBlob(join(dir, 'from'), Readable.from([Buffer.from('x')]));
  await shareBlob(join(dir, 'from'), join(dir, 'to'), digest);
  await shareBlob(join(dir, 'from'), join(dir, 'to'), digest);
  expect(statSync(locateBlob(join(dir, 'to'), digest)).ino).toBe(statSync(locateBlob(join(dir, 'from'), digest)).ino);
  expect(readdirSync(join(dir, 'to', 'sha256'))).toHaveLength(1);
});

test('a full disk is NO_SPACE, anything else stays', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(explainNoSpace(full, 'writing x')).toMatchObject({
    code: 'NO_SPACE',
    message: 'no space left while writing x',
    cause: full,
  });
  const other = new Error('other');
  expect(explainNoSpace(other, 'writing x')).toBe(other);
});

test('only sha256 digests name blobs', () => {
  expect(() => locateBlob(dir, 'sha256:../../etc/passwd')).toThrow('not a sha256 digest');
});
