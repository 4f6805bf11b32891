import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../../src/oci/read-layout.ts';
import { validateLayout } from '../../src/oci/validate.ts';
import { writeLayout } from '../../src/oci/write-layout.ts';
import { makeFixtureImage } from './image-fixture.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp('/tmp/crac-build-skopeo-test-');
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

test('skopeo reads a layout with layers compressed with zstd, copies them as they are and unpacks them', async () => {
  await using fixture = await makeFixtureImage({}, 'zstd');
  const layout = join(dir, 'layout');
  const copy = join(dir, 'copy');
  const unpacked = join(dir, 'unpacked');
  const digest = await writeLayout(fixture.image, layout, 'latest');
  const skopeo = (...argv: string[]) => execFileSync('skopeo', argv, { encoding: 'utf8', stdio: 'pipe' });

  const found = JSON.parse(skopeo('inspect', `oci:${layout}:latest`));
  expect(found).toMatchObject({ Digest: digest, Layers: fixture.image.layers.map((layer) => layer.digest) });

  skopeo('copy', '--insecure-policy', `oci:${layout}:latest`, `oci:${copy}:latest`);
  expect(await validateLayout(copy)).toEqual([]);
  const { layers } = await readManifest(copy, digest);
  for (const { mediaType } of layers) expect(mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');

  // A layer that is unpacked on the way has its diff_id as its name.
  skopeo('copy', '--insecure-policy', '--dest-decompress', `oci:${layout}:latest`, `dir:${unpacked}`);
  const diffIds = fixture.image.layers.map(({ diffId }) => diffId.replace('sha256:', ''));
  expect(await readdir(unpacked)).toEqual(expect.arrayContaining(diffIds));
}, 60_000);
