import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../../../src/oci/blob-store.ts';
import { readLayoutImage } from '../../../src/oci/read-image.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
let layout: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'read-image-test-'));
  layout = join(dir, 'layout');
});
afterEach(() => rm(dir, { recursive: true }));

const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
const blobOf = (digest: string) => join(layout, 'blobs/sha256', digest.slice('sha256:'.length));

/** Stores a blob and gives what points at it. */
async function put(value: object, mediaType: string) {
  const content = JSON.stringify(value);
  const digest = digestOf(content);
  await writeFile(blobOf(digest), content);
  return { mediaType, digest, size: content.length };
}

test('what was written is read again', async () => {
  const image = await makeSampleImage(join(dir, 'work'));
  await writeLayout(image, layout, 'latest');
  const read = await readLayoutImage(layout);
  const { environment, entrypoint, command, workingDir, user } = image.config;
  expect(read.config).toMatchObject({ environment, entrypoint, command, workingDir: workingDir || '/', user });
  expect(read.layers.map(({ digest, diffId, compression }) => ({ digest, diffId, compression }))).toEqual(
    image.layers.map(({ digest, diffId, compression }) => ({ digest, diffId, compression })),
  );
});

test('layers have the kinds that they were made as', async () => {
  const image = await makeSampleImage(join(dir, 'work'));
  const kinds = ['base', 'dependencies', 'app', 'runtime', 'state', 'checkpoint'] as const;
  const [layer] = image.layers;
  if (layer === undefined) throw new Error('no layer');
  await writeLayout({ ...image, layers: kinds.map((kind) => ({ ...layer, kind })) }, layout, 'latest');
  expect((await readLayoutImage(layout)).layers.map(({ kind }) => kind)).toEqual(kinds);
});

test('others write Docker’s types, null for what there is not, and an index for several platforms', async () => {
  await writeLayout(await makeSampleImage(join(dir, 'work')), layout, 'latest');
  const [ours] = (await readJson(join(layout, 'index.json'))).manifests;
  const manifest = await readJson(blobOf(ours.digest));
  const config = await readJson(blobOf(manifest.config.digest));
  config.config = { Env: ['A=b=c'], Entrypoint: null, Cmd: ['serve'] };
  manifest.config = await put(config, 'application/vnd.docker.container.image.v1+json');
  manifest.layers[0].mediaType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
  const image = await put(manifest, 'application/vnd.docker.distribution.manifest.v2+json');
  const manifests = [
    { ...image, platform: { architecture: 'arm64', os: 'linux' } },
    { ...image, platform: { architecture: 'amd64', os: 'linux' } },
    { ...image, platform: { architecture: 'unknown', os: 'unknown' } },
  ];
  const inner = await put({ schemaVersion: 2, manifests }, 'application/vnd.oci.image.index.v1+json');
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [inner] }));
  expect((await readLayoutImage(layout)).config).toMatchObject({
    environment: { A: 'b=c' },
    entrypoint: [],
    command: ['serve'],
    workingDir: '/',
    user: '',
  });
});

test.each<[string, (index: { manifests: object[] }) => unknown, RegExp]>([
  ['no image', (index) => ({ ...index, manifests: [] }), /holds no image for linux\/amd64/],
  ['two images', (index) => ({ ...index, manifests: [...index.manifests, ...index.manifests] }), /holds 2 images/],
])('a layout with %s is refused', async (_, change, message) => {
  await writeLayout(await makeSampleImage(join(dir, 'work')), layout, 'latest');
  const path = join(layout, 'index.json');
  await writeFile(path, JSON.stringify(change(await readJson(path))));
  await expect(readLayoutImage(layout)).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    message: expect.stringMatching(message),
  });
});

test('a layer that is cut off, or of a type that cannot be read, is refused', async () => {
  const written = await makeSampleImage(join(dir, 'work'));
  await writeLayout(written, layout, 'latest');
  const path = join(layout, 'index.json');
  const index = await readJson(path);
  const manifest = await readJson(blobOf(index.manifests[0].digest));
  manifest.layers[0].mediaType = 'application/vnd.oci.image.layer.v1.tar';
  await writeFile(
    path,
    JSON.stringify({ ...index, manifests: [await put(manifest, 'application/vnd.oci.image.manifest.v1+json')] }),
  );
  await expect(readLayoutImage(layout)).rejects.toThrow(
    'a layer is of the type application/vnd.oci.image.layer.v1.tar',
  );
  await writeFile(path, JSON.stringify(index));
  await writeFile(blobOf(written.layers[0]?.digest ?? ''), 'cut');
  await expect(readLayoutImage(layout)).rejects.toThrow(/the layer sha256:\S+ is not whole/);
});
