import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildImage, JDKS, PLAIN_HTTP, ROOT, runCli } from './support/build-example.ts';
import { loadDockerBase } from './support/docker-base.ts';

const run = promisify(execFile);
const SPRING_BOOT = join(ROOT, 'examples/spring-boot');
const BASE = 'crac-e2e/app-sources-base:17';

let dir: string;
beforeAll(async () => {
  await run(join(PLAIN_HTTP, 'build'));
  await run(join(SPRING_BOOT, 'build'));
  dir = await mkdtemp(join(tmpdir(), 'crac-sources-'));
}, 300_000);
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('it has not come to pass within 15 s');
    await sleep(100);
  }
}

const asked = (path: string) => ['--readiness', path, '--warm-up', `GET ${path} x20`];
const small = ['--java-option=-Xmx128m', '--java-option=-XX:+UseSerialGC'];

test('a Spring Boot jar is taken apart, starts without its loader, and restores', async () => {
  const { plan, layers, verified } = await buildImage([
    ...[join(SPRING_BOOT, 'target/bookshop.jar'), '--base', `jdk:${JDKS[25]}`, '--engine', 'oci', ...small],
    ...[...asked('/books'), '--output', `oci:${join(dir, 'spring')}`],
  ]);
  expect(plan.app.source?.title).toBe('a Spring Boot jar, taken apart as its BOOT-INF/layers.idx says');
  expect(plan.command.argv.slice(-2)).toEqual(['-jar', '/app/bookshop.jar']);
  expect(layers.map(({ kind }) => kind).filter((kind) => kind !== 'state')).toEqual([
    ...['base', 'dependencies', 'app', 'runtime', 'checkpoint'],
  ]);
  const sizeOf = (wanted: string) => layers.find(({ kind }) => kind === wanted)?.uncompressedBytes ?? 0;
  expect(sizeOf('dependencies')).toBeGreaterThan(10e6);
  expect(sizeOf('app')).toBeLessThan(200e3);
  expect(verified).toMatchObject({ restoredMs: [expect.any(Number), expect.any(Number)] });
}, 180_000);

test('a class path and a main class', async () => {
  const { plan, layers, verified } = await buildImage([
    ...['--class-path', join(PLAIN_HTTP, 'target/classes'), '--main-class', 'plainhttp.Main', ...small],
    ...['--base', `jdk:${JDKS[17]}`, '--engine', 'oci', ...asked('/'), '--output', `oci:${join(dir, 'classes')}`],
  ]);
  expect(plan).toMatchObject({ name: 'plainhttp', app: { imagePath: '/app/classes' } });
  expect(plan.command.argv.slice(-3)).toEqual(['-cp', '/app/classes', 'plainhttp.Main']);
  expect(layers.map(({ kind }) => kind)).toContain('app');
  expect(verified).toMatchObject({ restoredMs: [expect.any(Number), expect.any(Number)] });
}, 120_000);

describe('a Dockerfile', () => {
  let base: AsyncDisposable;
  beforeAll(async () => {
    base = await loadDockerBase(JDKS[17], join(PLAIN_HTTP, 'target/plain-http.jar'), BASE);
  }, 60_000);
  afterAll(async () => {
    const { stdout } = await run('docker', ['images', '-q', 'crac-build-dockerfile']);
    const ids = stdout.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await run('docker', ['rmi', '-f', ...ids]);
    await base?.[Symbol.asyncDispose]();
  });

  test('as init writes it is built by Docker, and its image becomes one that restores', async () => {
    const project = join(dir, 'plain');
    await mkdir(join(project, 'target'), { recursive: true });
    await cp(join(PLAIN_HTTP, 'target/plain-http.jar'), join(project, 'target/plain-http.jar'));
    const init = await runCli(['init', '--dockerfile'], { cwd: project });
    expect(init).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('wrote Dockerfile') });
    expect(await readFile(join(project, 'crac-build.yaml'), 'utf8')).toContain('\n  dockerfile: Dockerfile\n');
    const { plan, verified } = await buildImage(
      [
        ...['--build-arg', `BASE=${BASE}`, '--engine', 'docker', '--warm-up', 'GET / x20'],
        ...['--output', `oci:${join(dir, 'dockerfile')}`],
      ],
      { cwd: project },
    );
    expect(plan.app).toMatchObject({ user: { uid: 1000 }, dockerfile: { buildArguments: { BASE } } });
    expect(plan.command.argv.slice(-2)).toEqual(['-jar', '/app/app.jar']);
    expect(verified).toMatchObject({ restoredMs: [expect.any(Number), expect.any(Number)] });
  }, 120_000);

  test('of Spring Boot is built in stages, and by BuildKit', async () => {
    const project = join(dir, 'spring-boot');
    await mkdir(join(project, 'target'), { recursive: true });
    await cp(join(SPRING_BOOT, 'target/bookshop.jar'), join(project, 'target/bookshop.jar'));
    expect(await runCli(['init', '--dockerfile'], { cwd: project })).toMatchObject({ exitCode: 0 });
    const planned = await runCli(['plan', '--json', '--build-arg', `BASE=${BASE}`, '--engine', 'docker'], {
      cwd: project,
      environment: { DOCKER_BUILDKIT: '1' },
    });
    expect({ ...planned, stdout: planned.exitCode === 0 ? '' : planned.stdout }).toMatchObject({ exitCode: 0 });
    expect(planned.stderr).toContain('[internal] load remote build context'); // BuildKit's words
    expect(JSON.parse(planned.stdout)).toMatchObject({
      name: 'bookshop',
      command: { cold: { argv: ['/opt/java/bin/java', '-jar', '/app/app.jar'] } },
    });
  }, 60_000);

  test('is no longer built once it was interrupted', async () => {
    const file = join(dir, 'endless.Dockerfile');
    const pause = ['java', '-XX:+UnlockDiagnosticVMOptions', '-XX:+PauseAtStartup', '-XX:PauseAtStartupFile=/pause'];
    await writeFile(file, `FROM ${BASE}\nRUN ${JSON.stringify(pause)}\n`);
    const interrupted = await runCli(['plan', '--dockerfile', file, '--engine', 'docker'], {
      cwd: dir,
      environment: { DOCKER_BUILDKIT: '0' },
      onProgress: (stderr, kill) => {
        if (stderr.includes('Running in') && !stderr.includes('SIGINT')) kill('SIGINT');
      },
    });
    expect(interrupted).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('interrupted') });
    /** The daemon notices by itself that nobody listens any more. */
    await waitFor(async () => (await run('docker', ['ps', '-q'])).stdout === '');
  }, 60_000);

  test('that fails is told with the last lines of its builder', async () => {
    const file = join(dir, 'broken.Dockerfile');
    await writeFile(file, `FROM ${BASE}\nRUN ["java", "-XX:NoSuchOption"]\n`);
    const failed = await runCli(['plan', '--dockerfile', file, '--engine', 'docker'], { cwd: dir });
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`Docker failed to build ${file}`) });
    expect(failed.stderr).toContain('NoSuchOption');
  }, 60_000);
});
