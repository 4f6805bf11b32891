import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import { readConfig, readLayoutIndex, readManifest } from '../../src/oci/read-layout.ts';
import { writeLayout } from '../../src/oci/write-layout.ts';
import { startRegistry } from '../engine/own-registry.ts';
import {
  composeAppImage,
  locateTestBase,
  makeSmallBase,
  readTestBase,
  writeDockerArchive,
} from './support/base-images.ts';
import { buildImage, JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';
import { startInDocker, waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const run = promisify(execFile);
/** The oldest C library that is tried, and the newest JDK on the newest one, laid out as Fedora has it. */
const OLD = 'bullseye-17';
const FEDORA_LIKE = 'fedora-like-25';
const REQUIRE = { environment: { CRAC_RESTORE: 'require' } };
const WARM_UP = { warmUp: { requests: [{ path: '/', count: 50 }] }, checkpoint: { settle: '0s' } };

let dir: string;
beforeAll(async () => {
  for (const name of [OLD, FEDORA_LIKE]) {
    if (!existsSync(locateTestBase(name))) throw new Error(`run scripts/install-dependencies --test: no ${name}`);
  }
  dir = await mkdtemp(join(tmpdir(), 'crac-bases-'));
  await writeFile(join(dir, 'image.yaml'), stringify(WARM_UP));
  const app = { jar: join(PLAIN_HTTP, 'target/plain-http.jar'), ports: [8080] };
  await writeFile(join(dir, 'jar.yaml'), stringify({ app, ...WARM_UP }));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function build(config: 'jar' | 'image', flags: readonly string[]): Promise<BuildResult> {
  return await buildImage(['--config', join(dir, `${config}.yaml`), ...flags]);
}

async function readLayout(layout: string) {
  const [entry] = (await readLayoutIndex(layout)).manifests;
  const manifest = await readManifest(layout, entry?.digest ?? '');
  return { manifest, config: await readConfig(layout, manifest.config.digest) };
}

/** Restored elsewhere, it goes on counting where the warm-up has stopped. */
async function countsOn(get: (path: string) => Promise<string>): Promise<void> {
  expect(await waitUntilAnswered(() => get('/'))).toMatch(/request (5\d|[6-9]\d)/);
}

test('a jar on Debian 11, from a Docker archive as skopeo writes it', async () => {
  const archive = join(dir, 'old.tar');
  const layout = join(dir, 'old');
  await run('skopeo', ['copy', '-q', `oci:${locateTestBase(OLD)}:latest`, `docker-archive:${archive}:jre:11`]);
  const flags = ['--engine', 'oci', '--base', `docker-archive:${archive}`, '--output', `oci:${layout}`];
  const { layers, plan } = await build('jar', flags);
  const { config } = await readLayout(locateTestBase(OLD));
  expect(plan.base).toMatchObject({ system: 'Debian GNU/Linux 11 (bullseye)', javaVersion: 17 });
  expect(layers.map(({ kind }) => kind)).toEqual(['base', 'app', 'runtime', 'checkpoint']);
  expect(layers[0]?.diffId).toBe(config.rootfs.diff_ids[0]);
  const built = await readLayout(layout);
  expect(built.config.config).toMatchObject({
    Labels: { 'test.suite': 'bullseye' },
    User: '1000:1000',
    WorkingDir: '/app',
  });
  await using started = await startInCrun(layout, REQUIRE);
  await countsOn(started.get);
}, 180_000);

test('a jar on a root laid out as Fedora’s, from a registry, whose layer is taken as it is and not sent again', async () => {
  await using registry = await startRegistry();
  const reference = `${registry.host}/team/jre:25`;
  const layout = join(dir, 'fedora');
  await run('skopeo', [
    ...['copy', '-q', '--dest-tls-verify=false'],
    ...[`oci:${locateTestBase(FEDORA_LIKE)}:latest`, `docker://${reference}`],
  ]);
  const outputs = ['--output', `oci:${layout}`, '--output', `registry:${registry.host}/team/shop:1`];
  const { layers, plan } = await build('jar', ['--engine', 'oci', '--base', reference, ...outputs]);
  const base = await readLayout(locateTestBase(FEDORA_LIKE));
  expect(plan.base).toMatchObject({
    source: `registry:${reference}`,
    system: 'a Debian root, laid out as Fedora',
    jvm: {
      home: expect.stringMatching(/^\/usr\/lib\/jvm\/java-25-openjdk-25[\d.]*-1\.fc99\.x86_64$/),
      javaVersion: 25,
    },
  });
  expect(layers[0]).toMatchObject({ digest: base.manifest.layers[0]?.digest, diffId: base.config.rootfs.diff_ids[0] });
  await using started = await startInCrun(layout, REQUIRE);
  await countsOn(started.get);
}, 180_000);

const EXEC_WRAPPER = '#!/bin/sh\n# becomes Java\ncd /srv\nexec java $JAVA_OPTS -jar app.jar "$@"\n';

test('an image whose script becomes Java', async () => {
  const base = await readTestBase(OLD, dir);
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', JAVA_OPTS: '-Xmx64m' };
  const settings = { user: 'nobody', environment, entrypoint: ['/srv/run.sh'], ports: [8080], labels: { who: 'shop' } };
  const image = await composeAppImage(base, settings, { 'run.sh': EXEC_WRAPPER });
  const source = join(dir, 'wrapped');
  const layout = join(dir, 'wrapped-built');
  await writeLayout(image, source, '1.2');
  const { plan, layers, ready } = await build('image', [
    ...['--image', `oci:${source}:1.2`, '--engine', 'oci', '--output', `oci:${layout}`],
  ]);
  expect(ready.pid).toBe(1);
  expect(plan).toMatchObject({ name: 'wrapped', app: { user: { uid: 65534, gid: 65534 }, ports: [8080] } });
  expect(plan.command.cold).toEqual({ argv: ['/srv/run.sh'], jvmOptionIndex: 1 });
  expect(layers.slice(0, 2).map(({ digest }) => digest)).toEqual(image.layers.map(({ digest }) => digest));
  await using started = await startInCrun(layout, REQUIRE);
  await countsOn(started.get);
  // Given for the build alone.
  expect(await started.getJson('/env?name=JDK_JAVA_OPTIONS')).toEqual({ value: null });
}, 180_000);

test.each([
  ['at once, where no line of it becomes anything', 'java -jar app.jar "$@"'],
  ['when it runs, where that cannot be seen before', 'exec 2>&1\njava -jar app.jar "$@"'],
])(
  'an image whose script stays the parent of Java is refused: %s',
  async (_, lines) => {
    const base = await readTestBase(OLD, dir);
    const script = `#!/bin/sh\ncd /srv\n${lines}\necho ended\n`;
    const image = await composeAppImage(base, { entrypoint: ['/srv/run.sh'], ports: [8080] }, { 'run.sh': script });
    const source = join(dir, `parent-${lines.length}`);
    await writeLayout(image, source, 'latest');
    const layout = join(dir, 'never');
    const flags = ['--image', `oci:${source}`, '--engine', 'oci', '--output', `oci:${layout}`];
    const { exitCode, stderr } = await runCli(['build', '--config', join(dir, 'image.yaml'), ...flags]);
    expect(exitCode).toBe(1);
    const line = 2 + lines.split('\n').length;
    expect(stderr).toContain(
      `stays the parent of the JVM: /srv/run.sh:${line}: \`java -jar app.jar "$@"\`, make it \`exec java`,
    );
    expect(existsSync(layout)).toBe(false);
  },
  120_000,
);

test('an image of the Docker daemon that starts Java itself, and what it says of itself', async () => {
  const reference = 'crac-e2e/shop:plain';
  const built = 'crac-e2e/shop:warm';
  const image = await composeAppImage(await makeSmallBase(JDKS[17], dir), {
    user: '4711:4712',
    workingDir: '/srv',
    environment: { PATH: '/opt/java/bin', GREETING: 'of the image' },
    entrypoint: ['java', '-Xmx64m', '-jar'],
    command: ['app.jar'],
    ports: [8080],
    labels: { who: 'shop' },
    inherited: {
      otherPorts: ['9999/udp'],
      volumes: ['/srv/data'],
      history: [{ created_by: 'jlink' }],
    },
  });
  const archive = join(dir, 'shop.tar');
  await writeDockerArchive(image, reference, archive);
  await run('docker', ['load', '-q', '-i', archive]);
  try {
    const flags = ['--image', `docker:${reference}`, '--engine', 'docker', '--output', `docker:${built}`];
    const { plan } = await build('image', flags);
    expect(plan.command.cold?.argv).toEqual(['/opt/java/bin/java', '-Xmx64m', '-jar', 'app.jar']);
    const { stdout } = await run('docker', ['image', 'inspect', built]);
    const [{ Config, RootFS }] = JSON.parse(stdout);
    expect(RootFS.Layers.slice(0, 2)).toEqual(image.layers.map(({ diffId }) => diffId));
    expect(Config).toMatchObject({
      User: '4711:4712',
      WorkingDir: '/srv',
      Env: expect.arrayContaining(['GREETING=of the image']),
      Entrypoint: ['/opt/crac/restore'],
      ExposedPorts: { '8080/tcp': {}, '9999/udp': {} },
      Volumes: { '/srv/data': {} },
      Labels: { who: 'shop' },
    });
    const { stdout: history } = await run('docker', ['history', '--format', '{{.CreatedBy}}', built]);
    expect(history.trim().split('\n').slice(-2)).toEqual(['crac-build: app layer', 'jlink']);
    await using started = await startInDocker(built, REQUIRE);
    await countsOn(started.get);
    expect(await started.getJson('/env?name=GREETING')).toEqual({ value: 'of the image' });
  } finally {
    await run('docker', ['rmi', '-f', reference, built]).catch(() => undefined);
  }
}, 180_000);
