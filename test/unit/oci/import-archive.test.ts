import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { locateBlob, openBlob } from '../../../src/oci/blob-store.ts';
import { openDockerArchive } from '../../../src/oci/docker-archive.ts';
import { findImage } from '../../../src/oci/find-images.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { importArchive, openArchiveFile } from '../../../src/oci/import-archive.ts';
import { composeDocuments } from '../../../src/oci/manifest.ts';
import { validateLayout } from '../../../src/oci/validate.ts';
import { composeDirectory, composeFile, composeSymlink, type TarEntry } from '../../../src/tar/entry.ts';
import { openTar } from '../../../src/tar/write-tar.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
let layout: string;
let image: OciImage;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'import-test-'));
  layout = join(dir, 'layout');
  mkdirSync(layout);
  image = await makeSampleImage(join(dir, 'work'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('what was written is read again, compressed as a whole or not', async () => {
  const archive = await buffer(openDockerArchive(image, 'demo:1'));
  const digests = new Set<string>();
  for (const [name, bytes] of Object.entries({ plain: archive, zipped: gzipSync(archive) })) {
    const file = join(dir, `${name}.tar`);
    const out = join(dir, name);
    mkdirSync(out);
    writeFileSync(file, bytes);
    await importArchive(await openArchiveFile(file), out, { place: file, reference: 'demo:1' });
    expect(await validateLayout(out)).toEqual([]);
    const found = await findImage(out);
    expect(found.manifest.config.digest).toBe(composeDocuments(image).configDigest);
    expect(found.manifest.layers.map(({ digest }) => digest)).toEqual(image.layers.map(({ digest }) => digest));
    expect(found.platform).toEqual({ architecture: 'amd64', os: 'linux' });
    digests.add(found.descriptor.digest);
  }
  expect(digests.size).toBe(1);
});

/** As Docker before 25 writes it: uncompressed layers in folders, equal ones as links to the first. */
async function saveAsOldDocker(
  tags: readonly string[],
  change: (entry: TarEntry) => readonly TarEntry[] = (entry) => [entry],
) {
  const { config, configDigest } = composeDocuments({ ...image, layers: [...image.layers, ...image.layers.slice(1)] });
  const layers = await Promise.all(
    image.layers.map(async ({ digest }) => gunzipSync(await buffer(openBlob(image.blobDir, digest)))),
  );
  const configName = `${configDigest.slice('sha256:'.length)}.json`;
  const Layers = ['a/layer.tar', 'b/layer.tar', 'c/layer.tar'];
  const manifest = tags.map((tag) => ({ Config: configName, RepoTags: [tag], Layers }));
  const entries = [
    composeFile('manifest.json', Buffer.from(JSON.stringify(manifest))),
    composeFile(configName, config),
    ...['a', 'b', 'c'].map((name) => composeDirectory(name)),
    composeFile('a/layer.tar', layers[0] ?? Buffer.alloc(0)),
    composeFile('b/layer.tar', layers[1] ?? Buffer.alloc(0)),
    composeSymlink('c/layer.tar', '../b/layer.tar'),
  ];
  return openTar(entries.flatMap(change));
}

test('an archive of an old Docker: layers that are not compressed, and links', async () => {
  await importArchive(await saveAsOldDocker(['demo:1']), layout, { place: 'x' });
  expect(await validateLayout(layout)).toEqual([]);
  const { manifest } = await findImage(layout);
  expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual(
    Array(3).fill('application/vnd.oci.image.layer.v1.tar'),
  );
  expect(manifest.layers[2]).toEqual(manifest.layers[1]);
});

test('of several images one is named', async () => {
  const save = () => saveAsOldDocker(['demo:1', 'demo:latest']);
  await importArchive(await save(), layout, { place: 'x', reference: 'demo' });
  await expect(importArchive(await save(), join(dir, 'two'), { place: 'x' })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: 'x holds 2 images',
    hint: 'Name one of these: demo:1, demo:latest.',
  });
  const none = importArchive(await save(), join(dir, 'none'), { place: 'x', reference: 'other' });
  await expect(none).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND', message: 'x holds no image other:latest' });
});

test('what is no archive, is cut off, or lacks a part is refused', async () => {
  const noTar = join(dir, 'no.tar');
  writeFileSync(noTar, Buffer.alloc(4096, 'x'));
  const cut = join(dir, 'cut.tar');
  writeFileSync(cut, (await buffer(openDockerArchive(image, 'demo:1'))).subarray(0, 3000));
  const lacking = await saveAsOldDocker(['a:1'], (entry) => (entry.path === 'b/layer.tar' ? [] : [entry]));
  for (const [archive, words] of [
    [await openArchiveFile(noTar), /is no archive of an image: .*[Ii]nvalid tar/],
    [lacking, /is no archive of an image: there is no b\/layer\.tar in it/],
    [await openArchiveFile(cut), /is no archive of an image: /],
  ] as const) {
    await expect(importArchive(archive, layout, { place: 'x' })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringMatching(words),
    });
  }
  await expect(openArchiveFile(join(dir, 'missing'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
});

test('a changed layer keeps its name and is told by its diff_id', async () => {
  const { blobDir, layers } = await makeSampleImage(join(dir, 'other'), 'something else');
  const { digest = '', sizeBytes = 0 } = layers[1] ?? {};
  const content = { localPath: locateBlob(blobDir, digest), sizeBytes };
  const archive = await saveAsOldDocker(['a:1'], (entry) =>
    entry.path === 'a/layer.tar' ? [composeFile('a/layer.tar', content)] : [entry],
  );
  await importArchive(archive, layout, { place: 'x' });
  expect(await validateLayout(layout)).toContainEqual(
    expect.stringMatching(/ unpacks to sha256:\w+ instead of sha256:/),
  );
});
