import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { locateBlob } from '../../../src/oci/blob-store.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { composeDocuments } from '../../../src/oci/manifest.ts';
import { readConfig, readLayoutIndex, readManifest } from '../../../src/oci/read-layout.ts';
import { REF_NAME } from '../../../src/oci/spec.ts';
import { validateLayout } from '../../../src/oci/validate.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
let image: OciImage;
let out: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'layout-test-'));
  image = await makeSampleImage(join(dir, 'work'));
  mkdirSync(join(dir, 'out'));
  out = join(dir, 'out', 'image');
});
afterEach(() => rmSync(dir, { recursive: true }));

function listBlobs(): string[] {
  return readdirSync(join(out, 'blobs/sha256')).sort();
}

async function listTags(): Promise<(string | undefined)[]> {
  return (await readLayoutIndex(out)).manifests.map((entry) => entry.annotations?.[REF_NAME]);
}

test('a new layout is valid, whole and alone', async () => {
  const digest = await writeLayout(image, out, 'latest');
  expect(await validateLayout(out)).toEqual([]);
  expect(readdirSync(join(dir, 'out'))).toEqual(['image']);
  expect(readdirSync(out).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  expect(listBlobs()).toHaveLength(4);
  const index = await readLayoutIndex(out);
  expect(index.manifests).toEqual([
    expect.objectContaining({
      digest,
      platform: { architecture: 'amd64', os: 'linux' },
      annotations: { [REF_NAME]: 'latest' },
    }),
  ]);
  expect(JSON.parse(readFileSync(join(out, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
});

test('manifest and config say what the image is', async () => {
  const manifest = await readManifest(out, await writeLayout(image, out, 'latest'));
  expect(manifest).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: composeDocuments(image).configDigest,
      size: composeDocuments(image).config.length,
    },
    layers: image.layers.map(({ digest, sizeBytes }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size: sizeBytes,
    })),
  });
  expect(await readConfig(out, manifest.config.digest)).toEqual({
    created: '1980-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: '10001:10001',
      ExposedPorts: { '8080/tcp': {} },
      Env: ['PATH=/usr/bin', 'GREETING=a=b c'],
      Entrypoint: ['/opt/crac/restore'],
      WorkingDir: '/app',
      Labels: { 'a.first': '2', 'z.last': '1' },
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: image.layers.map(({ diffId }) => diffId) },
    history: [
      { created: '1980-01-01T00:00:00Z', created_by: 'crac-build: base layer' },
      { created: '1980-01-01T00:00:00Z', created_by: 'crac-build: app layer' },
    ],
  });
});

test('an empty folder is filled; the same image twice gives the same digest', async () => {
  mkdirSync(out);
  const digest = await writeLayout(image, out, 'latest');
  expect(await writeLayout(image, out, 'latest')).toBe(digest);
  expect(await validateLayout(out)).toEqual([]);
  expect(await listTags()).toEqual(['latest']);
});

test('a new image replaces the one of its tag and what only that one used', async () => {
  await writeLayout(image, out, 'latest');
  const other = await makeSampleImage(join(dir, 'work2'), 'changed');
  const digest = await writeLayout(other, out, 'latest');
  expect((await readLayoutIndex(out)).manifests.map((entry) => entry.digest)).toEqual([digest]);
  expect(await validateLayout(out)).toEqual([]);
  expect(listBlobs()).toHaveLength(4);
  expect(existsSync(locateBlob(join(out, 'blobs'), image.layers[1]?.digest ?? ''))).toBe(false);
});

test('other tags stay', async () => {
  await writeLayout(image, out, 'old');
  await writeLayout(await makeSampleImage(join(dir, 'work2'), 'changed'), out, 'new');
  expect(await listTags()).toEqual(['old', 'new']);
  expect(await validateLayout(out)).toEqual([]);
  expect(listBlobs()).toHaveLength(7);
});

test('a failure leaves no new layout behind', async () => {
  unlinkSync(locateBlob(image.blobDir, image.layers[1]?.digest ?? ''));
  await expect(writeLayout(image, out, 'latest')).rejects.toThrow('ENOENT');
  expect(readdirSync(join(dir, 'out'))).toEqual([]);
});

test('a failure leaves an old layout as it was', async () => {
  await writeLayout(image, out, 'latest');
  const before = [listBlobs(), readFileSync(join(out, 'index.json'), 'utf8')];
  const other = await makeSampleImage(join(dir, 'work2'), 'changed');
  const third = await makeSampleImage(join(dir, 'work3'), 'third');
  const layers = [...other.layers, ...third.layers.slice(1)];
  await expect(writeLayout({ ...other, layers }, out, 'latest')).rejects.toThrow('ENOENT');
  expect([listBlobs(), readFileSync(join(out, 'index.json'), 'utf8')]).toEqual(before);
  expect(await validateLayout(out)).toEqual([]);
});

test('a folder with other things in it, or a file, is left alone', async () => {
  mkdirSync(out);
  writeFileSync(join(out, 'thesis.txt'), 'precious');
  await expect(writeLayout(image, out, 'latest')).rejects.toMatchObject({
    code: 'PUBLISH_FAILED',
    message: expect.stringMatching(/is no image layout: cannot read .*oci-layout: there is no such file$/),
    hint: expect.any(String),
  });
  expect(readdirSync(out)).toEqual(['thesis.txt']);
  await expect(writeLayout(image, join(out, 'thesis.txt'), 'latest')).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
});

test('layers of either compression stand beside each other under their own media types', async () => {
  const zstd = await makeSampleImage(join(dir, 'work'), 'other', 'zstd');
  const mixed = { ...image, layers: [...image.layers, ...zstd.layers] };
  const { layers } = await readManifest(out, await writeLayout(mixed, out, 'latest'));
  expect(layers.map(({ mediaType }) => mediaType)).toEqual([
    ...['gzip', 'gzip', 'zstd', 'zstd'].map((name) => `application/vnd.oci.image.layer.v1.tar+${name}`),
  ]);
  expect(zstd.layers.map(({ diffId }) => diffId).slice(0, 1)).toEqual([image.layers[0]?.diffId]);
  expect(await validateLayout(out)).toEqual([]);

  truncateSync(locateBlob(join(out, 'blobs'), zstd.layers[1]?.digest ?? ''), 50);
  expect(await validateLayout(out)).toContainEqual(expect.stringMatching(/cannot be unpacked: .*premature end/));
});

describe('validateLayout tells of', () => {
  let digest: string;
  beforeEach(async () => {
    digest = await writeLayout(image, out, 'latest');
  });
  const locate = (blob: string | undefined): string => locateBlob(join(out, 'blobs'), blob ?? '');

  test('a changed blob', async () => {
    appendFileSync(locate(image.layers[0]?.digest), 'x');
    const problems = await validateLayout(out);
    expect(problems).toContainEqual(expect.stringContaining('has the content of'));
    expect(problems).toContainEqual(expect.stringMatching(/has \d+ bytes instead of \d+/));
  });

  test('a blob that is cut off', async () => {
    truncateSync(locate(image.layers[0]?.digest), 50);
    expect(await validateLayout(out)).toContainEqual(expect.stringContaining('cannot be unpacked'));
  });

  test('a missing blob', async () => {
    unlinkSync(locate(image.layers[1]?.digest));
    expect(await validateLayout(out)).toContainEqual(expect.stringContaining('ENOENT'));
  });

  test('a wrong diffId and a wrong number of them', async () => {
    const manifest = await readManifest(out, digest);
    const config = await readConfig(out, manifest.config.digest);
    const wrong = { ...config, rootfs: { type: 'layers', diff_ids: [config.rootfs.diff_ids[1]] } };
    writeFileSync(locate(manifest.config.digest), JSON.stringify(wrong));
    const problems = await validateLayout(out);
    expect(problems).toContain('1 diff_ids for 2 layers');
    expect(problems).toContainEqual(expect.stringContaining('unpacks to'));
  });

  test('an unsorted layer with a path twice', async () => {
    const header = (name: string): Buffer => {
      const block = Buffer.alloc(512);
      block.write(name, 0);
      block.write('0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00        0', 100);
      block.write('ustar\x0000', 257);
      block.write(
        `${block
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\x00 `,
        148,
      );
      return block;
    };
    const tar = Buffer.concat([header('b'), header('a'), header('b'), Buffer.alloc(1024)]);
    const blob = gzipSync(tar);
    const sha = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const layer = {
      kind: 'app',
      compression: 'gzip' as const,
      digest: sha(blob),
      diffId: sha(tar),
      sizeBytes: blob.length,
      uncompressedBytes: tar.length,
    };
    writeFileSync(locateBlob(image.blobDir, layer.digest), blob);
    await writeLayout({ ...image, layers: [{ ...layer, kind: 'app' }] }, out, 'latest');
    expect(await validateLayout(out)).toEqual(['a comes too late', 'b is there twice']);
  });

  test('a layer of another media type', async () => {
    const manifest = await readManifest(out, digest);
    const layers = manifest.layers.map((layer) => ({
      ...layer,
      mediaType: 'application/vnd.oci.image.layer.v1.tar+lzma',
    }));
    writeFileSync(locate(digest), JSON.stringify({ ...manifest, layers }));
    expect(await validateLayout(out)).toContainEqual(expect.stringMatching(/has the media type \S+\.tar\+lzma$/));
  });

  test('what is no layout', async () => {
    await expect(validateLayout(dir)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    writeFileSync(join(out, 'index.json'), '{"schemaVersion": 3}');
    await expect(validateLayout(out)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });
});
