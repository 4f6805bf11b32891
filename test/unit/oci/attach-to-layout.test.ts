import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeReferrer } from '../../../src/oci/artifact.ts';
import { attachToLayout } from '../../../src/oci/attach-to-layout.ts';
import { findImage, listImages } from '../../../src/oci/find-images.ts';
import type { OciImage } from '../../../src/oci/image.ts';
import { mergeImages } from '../../../src/oci/merge-images.ts';
import { readLayoutImage } from '../../../src/oci/read-image.ts';
import { readLayoutIndex } from '../../../src/oci/read-layout.ts';
import { REF_NAME } from '../../../src/oci/spec.ts';
import { validateLayout } from '../../../src/oci/validate.ts';
import { writeLayout, writeToLayout } from '../../../src/oci/write-layout.ts';
import { makeSampleImage } from './sample-image.ts';

let dir: string;
let out: string;
let image: OciImage;
let digest: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'attach-test-'));
  out = join(dir, 'out');
  image = await makeSampleImage(join(dir, 'work'));
  digest = await writeLayout(image, out, 'latest');
});
afterEach(() => rmSync(dir, { recursive: true }));

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const artifact = (text: string, of = digest) =>
  composeReferrer({
    ...{
      title: 'SBOM',
      subject: { mediaType: MANIFEST, digest: of, size: 1 },
      artifactType: 'application/vnd.cyclonedx+json',
    },
    ...{ content: Buffer.from(text), annotations: { made: 'now' } },
  });
const listBlobs = () => readdirSync(join(out, 'blobs/sha256')).sort();

test('an artifact follows the image in the index, has no name, and whoever reads images does not meet it', async () => {
  const made = artifact('a');
  await attachToLayout(out, digest, [made], { kind: 'mark' });
  expect((await readLayoutIndex(out)).manifests).toEqual([
    expect.objectContaining({ digest, annotations: { [REF_NAME]: 'latest', kind: 'mark' } }),
    {
      ...{ mediaType: MANIFEST, digest: made.manifestDigest, size: made.manifest.length },
      ...{ artifactType: 'application/vnd.cyclonedx+json', annotations: { made: 'now' } },
    },
  ]);
  expect(await validateLayout(out)).toEqual([]);
  expect(await listImages(out)).toHaveLength(1);
  expect((await findImage(out)).descriptor.digest).toBe(digest);
  expect((await readLayoutImage(out)).layers).toHaveLength(2);
});

test('what is attached anew takes the place of the old, whose blobs go; attaching the same changes nothing', async () => {
  await attachToLayout(out, digest, [artifact('old')]);
  await attachToLayout(out, digest, [artifact('new')]);
  const blobs = listBlobs();
  expect(blobs).toHaveLength(4 + 3); // manifest, empty config, content
  await attachToLayout(out, digest, [artifact('new')]);
  expect(listBlobs()).toEqual(blobs);
  expect(await validateLayout(out)).toEqual([]);
});

test('what belongs to an image that was replaced goes with it, and that of another image stays', async () => {
  const other = await writeLayout(await makeSampleImage(join(dir, 'work'), 'other'), out, 'other');
  await attachToLayout(out, other, [artifact('of other', other)]);
  await attachToLayout(out, digest, [artifact('of latest')]);
  const replaced = await writeLayout(await makeSampleImage(join(dir, 'work'), 'replaced'), out, 'latest');
  await attachToLayout(out, replaced, []);
  const { manifests } = await readLayoutIndex(out);
  expect(manifests.map((entry) => entry.digest)).toEqual([other, replaced, artifact('of other', other).manifestDigest]);
  expect(listBlobs()).not.toContain(artifact('of latest').manifestDigest.slice('sha256:'.length));
  expect(await validateLayout(out)).toEqual([]);
});

test('what belongs to an image inside an index stays, until the index goes', async () => {
  const inner = await makeSampleImage(join(dir, 'work'), 'inner');
  const innerDir = join(dir, 'inner');
  await writeLayout(inner, innerDir, 'latest');
  const merged = await mergeImages([{ dir: innerDir, place: `oci:${innerDir}` }], new AbortController().signal);
  await writeToLayout(merged, out, 'index');
  const innerDigest = merged.images[0]?.digest ?? '';
  await attachToLayout(out, innerDigest, [artifact('of inner', innerDigest)]);
  await attachToLayout(out, digest, [artifact('of latest')]);
  const listArtifacts = async () => (await readLayoutIndex(out)).manifests.slice(2).map((entry) => entry.digest);
  const [ofInner, ofLatest] = [artifact('of inner', innerDigest).manifestDigest, artifact('of latest').manifestDigest];
  expect(await listArtifacts()).toEqual([ofInner, ofLatest]);
  expect(await validateLayout(out)).toEqual([]);
  const other = await writeLayout(await makeSampleImage(join(dir, 'work'), 'other'), out, 'index');
  await attachToLayout(out, other, []);
  expect(await listArtifacts()).toEqual([ofLatest]);
  expect(await validateLayout(out)).toEqual([]);
});

test('the validator sees what is wrong with an artifact', async () => {
  const made = artifact('a');
  await attachToLayout(out, digest, [made]);
  const content = made.blobs[1]?.digest.slice('sha256:'.length) ?? '';
  rmSync(join(out, 'blobs/sha256', content));
  expect(await validateLayout(out)).toEqual([expect.stringContaining(content)]);
});
