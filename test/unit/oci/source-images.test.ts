import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { digestOf, locateBlob, writeBlob } from '../../../src/oci/blob-store.ts';
import { openDecompressor } from '../../../src/oci/compression.ts';
import { openDockerArchive } from '../../../src/oci/docker-archive.ts';
import { readDockerArchive } from '../../../src/oci/read-docker-archive.ts';
import { readSourceLayout } from '../../../src/oci/read-source-layout.ts';
import type { SourceImage } from '../../../src/oci/source-image.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { composeFile, composeSymlink, type TarEntry } from '../../../src/tar/entry.ts';
import { openTar } from '../../../src/tar/write-tar.ts';
import { makeSampleImage } from './sample-image.ts';

const GZIP = { compression: 'gzip', compressionLevel: 6 } as const;

let dir: string;
let store: { blobDir: string; cacheDir: string; signal: AbortSignal };
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'source-test-'));
  store = { blobDir: join(dir, 'mine'), cacheDir: join(dir, 'cache'), signal: new AbortController().signal };
});
afterEach(() => rmSync(dir, { recursive: true }));

const LAYERS = ['a', 'b', 'a'].map((name) => openTar([composeFile(name, Buffer.from(name.repeat(100)))]));

/** As Docker 20 saves: a folder for each layer, an equal one as a link, documents at the end. */
async function makeArchive(change: (files: Map<string, TarEntry>) => void = () => {}): Promise<string> {
  const [one = Buffer.alloc(0), two = Buffer.alloc(0)] = await tars;
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['A=b'], Cmd: null },
      rootfs: { type: 'layers', diff_ids: [one, two, one].map(digestOf) },
    }),
  );
  const manifest = [{ Config: 'c.json', RepoTags: ['demo:1'], Layers: ['1/layer.tar', '2/layer.tar', '3/layer.tar'] }];
  const files = new Map<string, TarEntry>(
    [
      composeFile('1/layer.tar', one),
      composeFile('2/layer.tar', two),
      composeSymlink('3/layer.tar', '../1/layer.tar'),
      composeFile('c.json', config),
      composeFile('manifest.json', Buffer.from(JSON.stringify(manifest))),
    ].map((entry) => [entry.path, entry]),
  );
  change(files);
  const path = join(dir, 'image.tar');
  await pipeline(openTar([...files.values()]), createWriteStream(path));
  return path;
}
const tars = Promise.all(LAYERS.map((tar) => buffer(tar)));

async function unpack({ layers }: SourceImage): Promise<readonly string[]> {
  return await Promise.all(
    layers.map(async ({ digest, compression }) => {
      const bytes = readFileSync(locateBlob(store.blobDir, digest));
      expect(digestOf(bytes)).toBe(digest);
      return digestOf(await buffer(Readable.from([bytes]).pipe(openDecompressor(compression))));
    }),
  );
}

test('layers that are not compressed become so, and stay what they are', async () => {
  const archive = await makeArchive();
  const image = await readDockerArchive(archive, dir, GZIP, store);
  expect(image.config.config?.Env).toEqual(['A=b']);
  expect(image.layers.map(({ compression }) => compression)).toEqual(['gzip', 'gzip', 'gzip']);
  expect(await unpack(image)).toEqual((await tars).map(digestOf));
  expect(image.layers.map(({ diffId }) => diffId)).toEqual((await tars).map(digestOf));
  // What lies in the cache is not made again: with another store nothing but it can be the source.
  rmSync(store.blobDir, { recursive: true });
  expect((await readDockerArchive(archive, dir, GZIP, store)).layers).toEqual(image.layers);
});

test('an archive that is compressed as a whole', async () => {
  const archive = await makeArchive();
  const packed = join(dir, 'image.tar.gz');
  writeFileSync(packed, gzipSync(readFileSync(archive)));
  expect(await unpack(await readDockerArchive(packed, dir, GZIP, store))).toEqual((await tars).map(digestOf));
});

test('layers that are compressed stay byte for byte', async () => {
  const image = await makeSampleImage(dir);
  const path = join(dir, 'own.tar');
  await pipeline(openDockerArchive(image, 'demo:1'), createWriteStream(path));
  const read = await readDockerArchive(path, dir, GZIP, store);
  expect(read.layers.map(({ digest }) => digest)).toEqual(image.layers.map(({ digest }) => digest));
});

test.each([
  [
    'several images',
    (files: Map<string, TarEntry>) => {
      const entry = { Config: 'c.json', RepoTags: ['x:1'], Layers: [] };
      files.set('manifest.json', composeFile('manifest.json', Buffer.from(JSON.stringify([entry, entry]))));
    },
    /holds 2 images: x:1, x:1; one is wanted/,
  ],
  [
    'a layer that is not there',
    (files: Map<string, TarEntry>) => void files.delete('1/layer.tar'),
    /it has no 1\/layer\.tar/,
  ],
  ['no manifest', (files: Map<string, TarEntry>) => void files.delete('manifest.json'), /it has no manifest\.json/],
])('a Docker archive with %s is refused', async (_, change, words) => {
  const archive = await makeArchive(change);
  await expect(readDockerArchive(archive, dir, GZIP, store)).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    message: expect.stringMatching(words),
    hint: expect.stringContaining('docker save'),
  });
});

test('what is no archive at all', async () => {
  writeFileSync(join(dir, 'text'), 'not a tar at all, but a text that is long enough to be taken for one\n'.repeat(20));
  await expect(readDockerArchive(join(dir, 'text'), dir, GZIP, store)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});

describe('an image layout', () => {
  const layout = () => join(dir, 'layout');

  test('the image of that name; its layers as they are', async () => {
    const image = await makeSampleImage(dir);
    await writeLayout(await makeSampleImage(dir, 'other'), layout(), 'other');
    const digest = await writeLayout(image, layout(), 'mine');
    const read = await readSourceLayout(layout(), 'mine', GZIP, store);
    expect(read.digest).toBe(digest);
    expect(read.layers.map((layer) => layer.digest)).toEqual(image.layers.map((layer) => layer.digest));
    await expect(readSourceLayout(layout(), 'none', GZIP, store)).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringMatching(/holds no image none, but other, mine$/),
    });
    await expect(readSourceLayout(layout(), undefined, GZIP, store)).rejects.toMatchObject({
      message: expect.stringMatching(/it holds 2 images$/),
    });
  });

  /** A layout whose one layer is of that type. */
  async function writeLayoutOf(mediaType: string, content: Buffer, diffId = digestOf(content)): Promise<void> {
    await writeLayout(await makeSampleImage(dir), layout(), 'latest');
    const blobs = join(layout(), 'blobs');
    const add = async (bytes: Buffer) => await writeBlob(blobs, Readable.from([bytes]));
    const descriptor = (type: string, { digest, sizeBytes }: { digest: string; sizeBytes: number }) => ({
      mediaType: type,
      digest,
      size: sizeBytes,
    });
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };
    const manifest = {
      schemaVersion: 2,
      config: descriptor(
        'application/vnd.docker.container.image.v1+json',
        await add(Buffer.from(JSON.stringify(config))),
      ),
      layers: [descriptor(mediaType, await add(content))],
    };
    const blob = await add(Buffer.from(JSON.stringify(manifest)));
    const type = 'application/vnd.docker.distribution.manifest.v2+json';
    writeFileSync(
      join(layout(), 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [descriptor(type, blob)] }),
    );
  }

  test.each(['application/vnd.oci.image.layer.v1.tar', 'application/vnd.docker.image.rootfs.diff.tar'])(
    '%s is compressed',
    async (type) => {
      const [tar = Buffer.alloc(0)] = await tars;
      await writeLayoutOf(type, tar);
      expect(await unpack(await readSourceLayout(layout(), undefined, GZIP, store))).toEqual([digestOf(tar)]);
    },
  );

  test('Docker’s compressed layers are taken as they are', async () => {
    const [tar = Buffer.alloc(0)] = await tars;
    await writeLayoutOf('application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(tar), digestOf(tar));
    const { layers } = await readSourceLayout(layout(), undefined, GZIP, store);
    expect(layers[0]).toMatchObject({ digest: digestOf(gzipSync(tar)), diffId: digestOf(tar), compression: 'gzip' });
  });

  test('layers that may not be passed on are refused by their type', async () => {
    await writeLayoutOf('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', Buffer.from('x'));
    await expect(readSourceLayout(layout(), undefined, GZIP, store)).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringMatching(/a layer is of the type .*foreign/),
    });
  });
});
