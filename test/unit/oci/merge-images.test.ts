import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateBlob } from '../../../src/oci/blob-store.ts';
import { findImage, listImages, renderPlatform } from '../../../src/oci/find-images.ts';
import type { ImageConfig } from '../../../src/oci/image.ts';
import { mergeImages } from '../../../src/oci/merge-images.ts';
import { readInnerIndex, readLayoutIndex } from '../../../src/oci/read-layout.ts';
import { validateLayout } from '../../../src/oci/validate.ts';
import { writeLayout, writeToLayout } from '../../../src/oci/write-layout.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'merge-test-'));
  out = join(dir, 'out');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A layout with an image for that architecture. */
async function makeLayout(architecture: ImageConfig['architecture'], format: 'oci' | 'docker' = 'oci') {
  const place = join(dir, `${architecture}-${format}`);
  const image = await makeSampleImage(join(dir, `work-${architecture}`), architecture);
  const config = { ...image.config, architecture };
  await writeLayout({ ...image, config, format, annotations: { made: 'for a test' } }, place, 'latest');
  return { place, dir: place };
}

const listBlobs = (layout: string) => readdirSync(join(layout, 'blobs/sha256'));

test('an index of all, with every byte of each image as it was', async () => {
  const sources = [await makeLayout('amd64'), await makeLayout('arm64', 'docker')];
  const merged = await mergeImages(sources);
  await writeToLayout(merged, out, 'orders');
  expect(await validateLayout(out)).toEqual([]);

  const [entry] = (await readLayoutIndex(out)).manifests;
  expect(entry?.digest).toBe(merged.descriptor.digest);
  expect(entry?.annotations).toEqual({ 'org.opencontainers.image.ref.name': 'orders' });
  const { manifests } = await readInnerIndex(out, merged.descriptor.digest);
  expect(manifests.map(({ platform }) => platform)).toEqual([
    { architecture: 'amd64', os: 'linux' },
    { architecture: 'arm64', os: 'linux' },
  ]);
  expect(manifests.map(({ mediaType }) => mediaType)).toEqual([
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ]);
  const after = await listImages(out);
  for (const source of sources) {
    const before = await findImage(source.dir);
    const platform = renderPlatform(before.platform);
    const found = after.find((image) => renderPlatform(image.platform) === platform);
    expect(found?.descriptor.digest).toBe(before.descriptor.digest);
    expect(found?.manifest).toEqual(before.manifest);
    for (const name of listBlobs(source.dir)) {
      const [here, there] = [out, source.dir].map((layout) => readFileSync(join(layout, 'blobs/sha256', name)));
      expect(here?.equals(there ?? Buffer.alloc(0))).toBe(true);
    }
  }
  expect((await findImage(out, 'orders')).platform.architecture).toBe('amd64');
});

test('what only the replaced index used goes, and another name stays', async () => {
  const [amd64, arm64] = [await makeLayout('amd64'), await makeLayout('arm64')];
  await writeToLayout(await mergeImages([amd64, arm64]), out, 'a');
  const both = listBlobs(out).length;
  await writeToLayout(await mergeImages([amd64]), out, 'b');
  expect(listBlobs(out)).toHaveLength(both + 1);
  await writeToLayout(await mergeImages([amd64]), out, 'a');
  expect(listBlobs(out)).toHaveLength(listBlobs(amd64.dir).length + 1);
  expect(await validateLayout(out)).toEqual([]);
});

test('an index is a source, too', async () => {
  await writeToLayout(await mergeImages([await makeLayout('amd64')]), out, 'one');
  const merged = await mergeImages([{ place: 'x', dir: out, tag: 'one' }, await makeLayout('arm64')]);
  expect(merged.images.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
});

test('two images of one platform, a damaged one and a name that is not there are refused', async () => {
  const source = await makeLayout('amd64');
  const other = await makeLayout('amd64', 'docker');
  await expect(mergeImages([source, other])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `two images are for linux/amd64: of ${source.place} and of ${other.place}`,
  });
  await expect(mergeImages([{ ...source, tag: 'none' }])).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    details: ['there is nothing called none'],
  });
  const { manifest } = await findImage(source.dir);
  appendFileSync(locateBlob(join(source.dir, 'blobs'), manifest.layers[0]?.digest ?? ''), 'x');
  await expect(mergeImages([source])).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    details: expect.arrayContaining([expect.stringContaining('has the content of')]),
  });
});
