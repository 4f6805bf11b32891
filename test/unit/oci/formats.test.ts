import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { openBlob } from '../../../src/oci/blob-store.ts';
import { findImage } from '../../../src/oci/find-images.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { composeDocuments } from '../../../src/oci/manifest.ts';
import { validateLayout } from '../../../src/oci/validate.ts';
import { validateTar } from '../../../src/oci/validate-tar.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { composeDirectory, composeFile, FIXED_MTIME_SECONDS, type TarEntry } from '../../../src/tar/entry.ts';
import { readTar } from '../../../src/tar/read-tar.ts';
import { openTar } from '../../../src/tar/write-tar.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'formats-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('Docker’s media types, from the layout’s index to the layers', async () => {
  const image = await makeSampleImage(dir);
  const annotations = { a: 'lost: Docker’s manifests have none' };
  await writeLayout({ ...image, format: 'docker', annotations }, join(dir, 'out'), 'latest');
  expect(await validateLayout(join(dir, 'out'))).toEqual([]);
  const { descriptor, manifest } = await findImage(join(dir, 'out'), 'latest');
  expect(descriptor.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  expect(manifest).toEqual({
    schemaVersion: 2,
    mediaType: descriptor.mediaType,
    config: expect.objectContaining({ mediaType: 'application/vnd.docker.container.image.v1+json' }),
    layers: image.layers.map(({ digest, sizeBytes }) => ({
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      digest,
      size: sizeBytes,
    })),
  });
});

test('annotations are sorted; the config has the time that is given', async () => {
  const image = await makeSampleImage(dir);
  const { manifest, config } = composeDocuments({
    ...image,
    annotations: { b: '2', a: '1' },
    createdSeconds: 1_700_000_000,
  });
  expect(Object.entries(JSON.parse(manifest.toString()).annotations)).toEqual([
    ['a', '1'],
    ['b', '2'],
  ]);
  const { created, history } = JSON.parse(config.toString());
  expect(created).toBe('2023-11-14T22:13:20Z');
  expect(new Set(history.map((step: { created: string }) => step.created))).toEqual(new Set([created]));
});

async function timesOf(kind: 'app' | 'state', createdSeconds: number | undefined): Promise<readonly number[]> {
  const entries = [composeDirectory('d'), composeFile('d/f', Buffer.from('x'), 0o644, { mtimeSeconds: 2_000_000_000 })];
  const layer = await writeLayer(dir, kind, entries, createdSeconds === undefined ? {} : { createdSeconds });
  const times: number[] = [];
  const tar = openBlob(dir, layer.digest).pipe(createGunzip());
  for await (const { header } of readTar(tar)) times.push(header.mtimeSeconds);
  return times;
}

test('nothing is younger than the image, but what the app has written', async () => {
  expect(await timesOf('app', undefined)).toEqual([FIXED_MTIME_SECONDS, 2_000_000_000]);
  expect(await timesOf('app', 1_700_000_000)).toEqual([FIXED_MTIME_SECONDS, 1_700_000_000]);
  expect(await timesOf('app', 1000)).toEqual([1000, 1000]);
  expect(await timesOf('state', 1000)).toEqual([FIXED_MTIME_SECONDS, 2_000_000_000]);
});

const file = (path: string, content = ''): TarEntry => composeFile(path, Buffer.from(content));
test.each<[string, readonly TarEntry[], readonly string[]]>([
  ['whiteouts that hide something', [file('a/.wh.b'), file('a/.wh..wh..opq'), file('c')], []],
  ['a whiteout of what is there', [file('a/.wh.b'), file('a/b')], ['a/b is removed and there in one layer']],
  ['a whiteout without a name', [file('.wh.')], ['the whiteout .wh. hides nothing']],
  ['a whiteout with content', [file('.wh.a', 'x')], ['the whiteout .wh.a is no empty file']],
  ['a whiteout that is a folder', [composeDirectory('.wh.a')], ['the whiteout .wh.a is no empty file']],
])('%s', async (_, entries, problems) => {
  expect(await validateTar(openTar(entries), true)).toEqual(problems);
  expect(await validateTar(openTar(entries), false)).toEqual(problems);
});
