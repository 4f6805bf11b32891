import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import { locateBlob } from '../../src/oci/blob-store.ts';
import { findImage } from '../../src/oci/find-images.ts';
import { composeDocuments } from '../../src/oci/manifest.ts';
import { writeLayout } from '../../src/oci/write-layout.ts';
import { buildImage, JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';
import { readImage } from './support/read-image.ts';
import { startInDocker, waitUntilAnswered } from './support/start-image.ts';

const run = promisify(execFile);
const REFERENCE = 'crac-e2e/formats:1.0';

let dir: string;
let layout: string;
let archive: string;
let built: BuildResult['built'];
/** One build, at a time that it was told. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-formats-'));
  layout = join(dir, 'image');
  archive = join(dir, 'image.tar');
  const config = join(dir, 'crac-build.yaml');
  await writeFile(
    config,
    stringify({
      name: 'formats',
      app: { jar: join(PLAIN_HTTP, 'target/plain-http.jar'), javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'] },
      warmUp: { requests: [{ path: '/', count: 20 }] },
      checkpoint: { settle: '0s' },
      verify: { enabled: false },
      outputs: [`oci:${layout}:formats:1.0`, `docker-archive:${archive}:${REFERENCE}`],
    }),
  );
  const environment = { SOURCE_DATE_EPOCH: '1700000000' };
  const flags = ['--config', config, '--engine', 'oci', '--base', `jdk:${JDKS[17]}`];
  ({ built } = await buildImage(flags, { environment }));
}, 120_000);
afterAll(async () => {
  await run('docker', ['rmi', '-f', REFERENCE]).catch(() => undefined); // not loaded
  await rm(dir, { recursive: true, force: true });
}, 60_000);

async function inspectImage(place: string) {
  const { exitCode, stdout, stderr } = await runCli(['inspect', place, '--json']);
  if (exitCode !== 0) throw new Error(stderr + stdout);
  return JSON.parse(stdout);
}

test('the time that was told', async () => {
  const { descriptor, config } = await findImage(layout, 'formats:1.0');
  expect(descriptor.digest).toBe(built.digest);
  expect(config.created).toBe('2023-11-14T22:13:20Z');
});

test('skopeo reads a manifest with Docker’s media types', async () => {
  const image = await readImage(layout);
  const { manifest, config, configDigest } = composeDocuments({ ...image, format: 'docker' });
  const docker = join(dir, 'docker-types');
  const fileOf = (digest: string) => join(docker, digest.slice('sha256:'.length));
  await mkdir(docker);
  await writeFile(join(docker, 'version'), 'Directory Transport Version: 1.1\n');
  await writeFile(join(docker, 'manifest.json'), manifest);
  await writeFile(fileOf(configDigest), config);
  for (const { digest } of image.layers) await link(locateBlob(image.blobDir, digest), fileOf(digest));
  const copy = `oci:${join(dir, 'from-docker')}:latest`;
  await run('skopeo', ['copy', '--quiet', '--insecure-policy', `dir:${docker}`, copy]);
  const { stdout } = await run('skopeo', ['inspect', '--raw', copy]);
  expect(JSON.parse(stdout).layers.map(({ digest }: { digest: string }) => digest)).toEqual(
    image.layers.map(({ digest }) => digest),
  );
});

test('skopeo reads the archive, and finds the same image', async () => {
  const inspected = await run('skopeo', ['inspect', '--config', '--raw', `docker-archive:${archive}:${REFERENCE}`]);
  const { stdout } = await run('skopeo', ['inspect', '--config', '--raw', `oci:${layout}:formats:1.0`]);
  expect(JSON.parse(inspected.stdout)).toEqual(JSON.parse(stdout));
});

test('Docker loads the archive, restores what is in it, and saves what we read again', async () => {
  await run('docker', ['load', '--input', archive]);
  const { stdout } = await run('docker', ['image', 'inspect', '--format', '{{.Id}}', REFERENCE]);
  expect([built.configDigest, built.digest]).toContain(stdout.trim()); // the second with containerd's store
  {
    await using started = await startInDocker(REFERENCE, { environment: { CRAC_RESTORE: 'require' } });
    expect(await waitUntilAnswered(() => started.get('/'))).toContain('hello from plain-http');
  }
  const valid = await runCli(['validate', `docker:${REFERENCE}`, '--json']);
  expect([valid.exitCode, valid.stderr]).toEqual([0, '']);
  const [saved, written] = [await inspectImage(`docker:${REFERENCE}`), await inspectImage(`oci:${layout}`)];
  expect(saved.image.labels).toEqual(written.image.labels);
  expect(saved.sizes).toEqual(written.sizes);
  expect(saved.image.labels).toMatchObject({
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'dev.crac-build.java.gc': 'Serial',
    'dev.crac-build.warm-up.requests': '20',
    'dev.crac-build.warm-up.stopped': 'counts',
    'org.criu.checkpoint.host.kernel': expect.stringMatching(/^\d+\.\d+/),
  });
}, 60_000);

test('Podman loads the archive under its name', async () => {
  const store = ['--root', join(dir, 'podman'), '--runroot', join(dir, 'podman-run'), '--storage-driver', 'vfs'];
  await run('podman', [...store, 'load', '--input', archive]);
  const { stdout } = await run('podman', [...store, 'image', 'inspect', '--format', '{{.Id}}', REFERENCE]);
  expect(`sha256:${stdout.trim()}`).toBe(built.configDigest);
}, 60_000);

test('the archive and a made-up image for another processor become one index that skopeo understands', async () => {
  const arm64 = join(dir, 'arm64');
  const image = await readImage(layout);
  await writeLayout({ ...image, config: { ...image.config, architecture: 'arm64' } }, arm64, 'made-up');
  const merged = join(dir, 'merged');
  const sources = [`docker-archive:${archive}`, `oci:${arm64}:made-up`];
  const { exitCode, stderr } = await runCli(['merge', ...sources, '--output', `oci:${merged}:both`]);
  expect([exitCode, stderr]).toEqual([0, '']);
  for (const architecture of ['amd64', 'arm64']) {
    const words = ['--override-arch', architecture, 'inspect', `oci:${merged}:both`];
    expect(JSON.parse((await run('skopeo', words)).stdout).Architecture).toBe(architecture);
  }
  const copy = ['copy', '--quiet', '--insecure-policy', '--all', `oci:${merged}:both`, `dir:${join(dir, 'copy')}`];
  await run('skopeo', copy);
}, 60_000);
