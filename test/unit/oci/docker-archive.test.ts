import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { openDockerArchive } from '../../../src/oci/docker-archive.ts';
import { composeDocuments } from '../../../src/oci/manifest.ts';
import { readTar } from '../../../src/tar/read-tar.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'archive-test-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('what docker load reads: a manifest, the config, the layers in order', async () => {
  const image = await makeSampleImage(dir);
  const files = new Map<string, Buffer>();
  for await (const { header, content } of readTar(openDockerArchive(image, 'demo/app:1'))) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    files.set(header.path, Buffer.concat(chunks));
  }
  const [entry] = JSON.parse(files.get('manifest.json')?.toString() ?? '');
  expect(entry.RepoTags).toEqual(['demo/app:1']);
  expect(files.get(entry.Config)).toEqual(composeDocuments(image).config);
  expect(
    entry.Layers.map((name: string) =>
      createHash('sha256')
        .update(files.get(name) ?? '')
        .digest('hex'),
    ),
  ).toEqual(image.layers.map(({ digest }) => digest.slice('sha256:'.length)));
});

test('the name of a layer says how it is compressed', async () => {
  const image = await makeSampleImage(join(dir, 'zstd'), 'hello', 'zstd');
  const names: string[] = [];
  for await (const { header, content } of readTar(openDockerArchive(image, 'a:1'))) {
    names.push(header.path);
    await buffer(content);
  }
  expect(names.filter((name) => name.endsWith('.tar.zst'))).toHaveLength(image.layers.length);
});

test('the archive is the same each time; a layer that is there twice is stored once', async () => {
  const image = await makeSampleImage(dir);
  const twice = { ...image, layers: [...image.layers, ...image.layers.slice(1)] };
  const one = await buffer(openDockerArchive(twice, 'a:1'));
  expect((await buffer(openDockerArchive(twice, 'a:1'))).equals(one)).toBe(true);
});
