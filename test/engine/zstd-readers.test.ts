import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../../src/oci/read-layout.ts';
import { validateLayout } from '../../src/oci/validate.ts';
import { writeLayout } from '../../src/oci/write-layout.ts';
import { type ImageFixture, makeFixtureImage } from './image-fixture.ts';
import { startContainerd } from './own-containerd.ts';

/** Layers compressed with zstd, read by what others use; Docker is in contract.test.ts. */
// Podman makes a name of it, and names have no capital letters.
const dir = `/tmp/crac-build-zstd-test-${process.pid}`;
let fixture: ImageFixture;
let layout: string;
let digest: string;
beforeAll(async () => {
  await mkdir(dir);
  layout = join(dir, 'layout');
  fixture = await makeFixtureImage({}, 'zstd');
  digest = await writeLayout(fixture.image, layout, 'latest');
});
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const run = (command: string, ...argv: readonly string[]) =>
  execFileSync(command, argv, { encoding: 'utf8', stdio: 'pipe' });

test('skopeo reads the layout, copies the layers as they are and unpacks them', async () => {
  const copy = join(dir, 'copy');
  const unpacked = join(dir, 'unpacked');
  const skopeo = (...argv: string[]) => run('skopeo', ...argv);

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

test('containerd stacks them, and starts what is in them', async () => {
  await using daemon = await startContainerd();
  await daemon.importLayout(layout, 'crac-engine');
  const root = join(dir, 'containerd');
  await mkdir(root);
  await daemon.ctr('images', 'mount', 'crac-engine:latest', root);
  try {
    await expectStacked(root);
  } finally {
    await daemon.ctr('images', 'unmount', '--rm', root);
  }
  const { stdout } = await daemon.ctr('run', '--rm', 'crac-engine:latest', 'subject', '/bin/subject', 'facts');
  expect(stdout).toMatch(/^env FROM_IMAGE=image$/m);
}, 60_000);

test('Podman stacks them, and starts what is in them', async () => {
  // crun does not start here by Podman: where cgroups of both versions are mounted, it refuses
  const folders = ['--root', join(dir, 'podman'), '--runroot', join(dir, 'run'), '--tmpdir', join(dir, 'tmp')];
  const kind = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  const podman = (...argv: string[]) => run('podman', ...folders, ...kind, '--runtime', 'runc', ...argv).trim();
  const image = podman('pull', '--quiet', `oci:${layout}:latest`);
  await expectStacked(podman('image', 'mount', image));
  podman('image', 'unmount', image);
  // Podman's own limits are higher than some machines allow.
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  expect(podman('run', '--rm', '--network', 'none', ...limits, image, 'facts')).toMatch(/^env FROM_IMAGE=image$/m);
}, 60_000);

async function expectStacked(root: string): Promise<void> {
  expect(await readFile(join(root, 'data/replaced'), 'utf8')).toBe('new');
  expect((await readdir(join(root, 'data'))).sort()).toEqual(['folder', 'kept', 'replaced']);
}
