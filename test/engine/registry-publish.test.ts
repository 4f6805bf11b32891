import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import { validateLayout } from '../../src/oci/validate.ts';
import type { Output } from '../../src/plan/build-plan.ts';
import type { ReportEvent } from '../../src/report/event.ts';
import { checkOutputs, publishImage } from '../../src/stages/publish.ts';
import type { World } from '../../src/world.ts';
import { samplePlan } from '../support/sample-plan.ts';
import { type ImageFixture, makeFixtureImage } from './image-fixture.ts';
import { type Meddler, startMeddler } from './meddler.ts';
import { type OwnRegistry, startRegistry } from './own-registry.ts';
import { composeAccess, pull } from './registry-fixture.ts';

/** The stage `publish` into docker-registry, and what others make of what is there. */
// Podman makes a name of it, and names have no capital letters.
const dir = `/tmp/crac-build-registry-publish-${process.pid}`;
let registry: OwnRegistry;
let proxy: Meddler;
let fixture: ImageFixture;
const events: ReportEvent[] = [];
beforeAll(async () => {
  mkdirSync(dir);
  registry = await startRegistry();
  fixture = await makeFixtureImage();
});
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  proxy = await startMeddler(registry.port);
  events.length = 0;
});
afterEach(async () => proxy[Symbol.asyncDispose]());

const ENGINE = { name: 'oci', description: 'crun 1.0' } as Engine;
const registryOutputs = (...names: readonly string[]): Output[] =>
  names.map((name) => ({ kind: 'registry', reference: `${proxy.host}/${name}` }));

async function publish(outputs: readonly Output[], signal = new AbortController().signal) {
  const world = { engine: ENGINE, signal, report: (event) => events.push(event), environment: {} } as Partial<World>;
  await checkOutputs(outputs, ENGINE, composeAccess());
  return await publishImage({ ...samplePlan(), outputs, insecureRegistries: [] }, fixture.image, world as World);
}
const exists = async (name: string) =>
  await pull(`${registry.host}/${name}`, join(dir, 'cache'), composeAccess()).then(
    ({ digest }) => digest,
    () => undefined,
  );

test('several tags and repositories: each blob is sent once, and all tags come last', async () => {
  const outputs = registryOutputs('all/app:1', 'all/app:latest', 'all/copy:1');
  const built = await publish(outputs);
  expect(built.references).toEqual(outputs.map((output) => `registry:${(output as { reference: string }).reference}`));
  for (const name of ['all/app:1', 'all/app:latest', 'all/copy:1', `all/app@${built.digest}`])
    expect(await exists(name)).toBe(built.digest);
  const sent = proxy.seen.filter(({ method }) => method === 'PUT').map(({ path }) => path.replace(/uploads.*/, ''));
  expect(sent).toEqual([
    ...Array(3).fill('/v2/all/app/blobs/'),
    '/v2/all/app/manifests/1',
    '/v2/all/app/manifests/latest',
    '/v2/all/copy/manifests/1',
  ]);
  expect(events).toContainEqual({
    type: 'stage-progress',
    stage: 'publish',
    text: expect.stringMatching(/^pushed .* of .*: 127.0.0.1:\d+\/all\/app$/),
    bytes: { done: expect.any(Number), total: expect.any(Number) },
  });
});

test('no tag where another output fails, and no layout where a registry does', async () => {
  const file = join(dir, 'file');
  const withLayout = (where: string): Output[] => [...registryOutputs('half/app:1'), { kind: 'oci', dir: where }];
  proxy.meddle = ({ method }) => {
    // In the way since the check before the build.
    if (method === 'PUT') writeFileSync(file, 'in the way');
    return undefined;
  };
  await expect(publish(withLayout(file))).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
  expect(await exists('half/app:1')).toBeUndefined();
  proxy.meddle = ({ path }) => (path.includes('digest=') ? { answer: { status: 403 } } : undefined);
  const outputs: Output[] = [...registryOutputs('full/app:1'), { kind: 'oci', dir: join(dir, 'layout') }];
  await expect(publish(outputs)).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
  expect(() => execFileSync('stat', [join(dir, 'layout')], { stdio: 'ignore' })).toThrow();
});

test('an interruption after the layout is written leaves no tag out', async () => {
  const controller = new AbortController();
  const outputs: Output[] = [
    ...registryOutputs('cut/app:1', 'cut/app:2', 'cut/other:1'),
    { kind: 'oci', dir: join(dir, 'cut') },
  ];
  proxy.meddle = ({ method, path }) => {
    if (method === 'PUT' && path.endsWith('/manifests/1')) controller.abort(new Error('interrupted'));
    return undefined;
  };
  const built = await publish(outputs, controller.signal);
  expect(controller.signal.aborted).toBe(true);
  for (const name of ['cut/app:1', 'cut/app:2', 'cut/other:1']) expect(await exists(name)).toBe(built.digest);
});

test('what cannot be pushed to is known before a build', async () => {
  const check = (output: Output) => checkOutputs([output], ENGINE, composeAccess());
  await expect(
    check({ kind: 'registry', reference: `${proxy.host}/app@sha256:${'ab'.repeat(32)}` }),
  ).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('cannot be pushed to a digest') });
  await expect(check({ kind: 'registry', reference: 'No Good' })).rejects.toMatchObject({ code: 'USAGE' });
  proxy.meddle = ({ method }) => (method === 'POST' ? { answer: { status: 403 } } : undefined);
  const [output] = registryOutputs('app:1');
  if (output === undefined) throw new Error('no output');
  await expect(check(output)).rejects.toMatchObject({
    code: 'REGISTRY_DENIED',
    message: `${proxy.host} refuses an upload to app: status 403`,
  });
});

describe('read by others', () => {
  let digest: string;
  const reference = () => `${registry.host}/read/app:1`;
  const run = (command: string, ...argv: readonly string[]) =>
    execFileSync(command, argv, { encoding: 'utf8', stdio: 'pipe' }).trim();
  beforeAll(async () => {
    await using own = await startMeddler(registry.port);
    const outputs: Output[] = [{ kind: 'registry', reference: `${own.host}/read/app:1` }];
    const world = { engine: ENGINE, signal: new AbortController().signal, report: () => undefined, environment: {} };
    const plan = { ...samplePlan(), outputs, insecureRegistries: [] };
    digest = (await publishImage(plan, fixture.image, world as unknown as World)).digest;
  });

  test('skopeo', async () => {
    const found = JSON.parse(run('skopeo', 'inspect', '--tls-verify=false', `docker://${reference()}`));
    expect(found).toMatchObject({ Digest: digest, Layers: fixture.image.layers.map((layer) => layer.digest) });
    const copy = join(dir, 'skopeo');
    run(
      'skopeo',
      'copy',
      '--insecure-policy',
      '--src-tls-verify=false',
      `docker://${reference()}`,
      `oci:${copy}:latest`,
    );
    expect(await validateLayout(copy)).toEqual([]);
  }, 30_000);

  test('what skopeo has pushed, in Docker’s formats, is pulled', async () => {
    const target = `${registry.host}/read/v2s2:1`;
    const source = `docker://${reference()}`;
    run(
      'skopeo',
      'copy',
      '--insecure-policy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      '--format',
      'v2s2',
      source,
      `docker://${target}`,
    );
    const pulled = await pull(target, join(dir, 'v2s2'), composeAccess());
    expect(pulled.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    expect(pulled.config.rootfs.diff_ids).toEqual(fixture.image.layers.map(({ diffId }) => diffId));
  }, 30_000);

  test('docker pull, and what is in it starts', () => {
    run('docker', 'pull', '--quiet', reference());
    try {
      expect(run('docker', 'inspect', '--format', '{{index .RepoDigests 0}}', reference())).toBe(
        `${registry.host}/read/app@${digest}`,
      );
      expect(run('docker', 'run', '--rm', '--network', 'none', reference(), 'facts')).toMatch(
        /^env FROM_IMAGE=image$/m,
      );
    } finally {
      run('docker', 'rmi', '--force', reference());
    }
  }, 60_000);

  test('podman pull', () => {
    const folders = ['--root', join(dir, 'podman'), '--runroot', join(dir, 'run'), '--tmpdir', join(dir, 'tmp')];
    const kind = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    const podman = (...argv: string[]) => run('podman', ...folders, ...kind, '--runtime', 'runc', ...argv);
    const id = podman('pull', '--quiet', '--tls-verify=false', reference());
    expect(podman('image', 'inspect', '--format', '{{.Digest}}', id)).toBe(digest);
  }, 60_000);
});
