/** A real PostgreSQL beside a real app: in the warm-up, gone at the checkpoint, another one after the restore. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { connectEngine } from '../../src/engine/connect.ts';
import { writeLayout } from '../../src/oci/write-layout.ts';
import type { BuildPlan } from '../../src/plan/build-plan.ts';
import { launchServices } from '../../src/stages/services.ts';
import type { Service } from '../../src/warm-up/service.ts';
import type { World } from '../../src/world.ts';
import { makeFixtureImage } from '../engine/image-fixture.ts';
import { startRegistry } from '../engine/own-registry.ts';
import { buildImage, JDKS, ROOT, runCli } from './support/build-example.ts';
import { readImage } from './support/read-image.ts';
import { openClient, waitUntilAnswered } from './support/start-image.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
let dir: string;
let binaries: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-services-'));
  const [version = ''] = await readdir('/usr/lib/postgresql');
  binaries = join('/usr/lib/postgresql', version, 'bin');
  const drivers = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build-test/postgresql');
  const [driver = ''] = await readdir(drivers);
  const classes = join(dir, 'classes');
  await run('unzip', ['-q', join(drivers, driver), '-d', classes]);
  const crac = join(ROOT, 'dist/native/crac.jar');
  const source = join(import.meta.dirname, 'support/Visits.java');
  await run(join(JDKS[17], 'bin/javac'), ['--release', '17', '-cp', crac, '-d', classes, source]);
  const jar = ['--create', '--file', join(dir, 'visits.jar'), '--main-class', 'Visits', '-C', classes, '.'];
  await run(join(JDKS[17], 'bin/jar'), jar);
}, 60_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

/** In memory, in a cluster of its own, for whoever comes. */
const postgres = (port: number) => ({
  name: 'db',
  process: [
    ...['sh', '-c'],
    `initdb -D data -A trust -U warm >init.log && exec postgres -D data -p ${port} -c fsync=off -c unix_socket_directories=`,
  ],
  user: 'postgres',
  environment: { PATH: `${binaries}:/usr/bin:/bin`, LC_ALL: 'C' },
  health: { command: ['pg_isready', '-q', '-h', '127.0.0.1', '-p', String(port)], timeout: '30s' },
});
const urlOf = (port: number) => `jdbc:postgresql://db:${port}/postgres?user=warm`;

async function writeConfig(name: string, settings: object): Promise<string> {
  const config = join(dir, `${name}.yaml`);
  await writeFile(
    config,
    stringify({
      app: {
        jar: 'visits.jar',
        javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'],
        environment: { DB_URL: urlOf(5432) },
        arguments: ['closes'],
      },
      base: `jdk:${JDKS[17]}`,
      engine: 'oci',
      warmUp: { requests: ['GET / x200'], services: [postgres(5432)] },
      checkpoint: { settle: '0ms' },
      outputs: [`oci:${join(dir, name)}`],
      ...settings,
    }),
  );
  return config;
}

/** What a build must not leave: neither the database, nor what it ran in. */
function leftovers(): readonly string[] {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line === join(ROOT, 'dist/native/netns') || /^postgres|initdb|pg_isready/.test(line));
}

test.each<[string, object]>([
  ['its resources close', {}],
  ['a rule closes', { app: 'keeps', checkpoint: { settle: '0ms', policies: 'rules.yaml' } }],
])(
  'an app whose connection %s is warmed up with PostgreSQL, and restored beside another one',
  async (_, { app, ...settings }: { app?: string }) => {
    await writeFile(
      join(dir, 'rules.yaml'),
      stringify({ type: 'socket', remotePort: 5432, action: 'close', warn: false }),
    );
    const config = await writeConfig('image', settings);
    const given = app === undefined ? [] : ['--arg', app];
    const { warmth, verified } = await buildImage(['--config', config, ...given]);
    expect(warmth?.requestCount).toBe(200);
    expect(verified).toMatchObject({ restoredMs: [expect.any(Number), expect.any(Number)] });
    expect(leftovers()).toEqual([]);

    const [cacheDir, nativeDir] = [join(dir, 'cache'), join(ROOT, 'dist/native')];
    const engine = await connectEngine('oci', { cacheDir, nativeDir, signal });
    const plan = { name: 'visits', network: 'isolated', services: [planned(5433)] } as unknown as BuildPlan;
    const world = { engine, signal, report: () => {} } as unknown as World;
    await using services = await launchServices(plan, 'verify', world);
    await using loaded = await engine.loadImage(await readImage(join(dir, 'image')), 'crac-e2e/visits:latest', signal);
    await using container = await engine.launchContainer(
      {
        image: loaded.reference,
        name: 'crac-build-e2e-visits',
        environment: { CRAC_RESTORE: 'require', DB_URL: urlOf(5433) },
        ...{ user: '65432:65432', noNewPrivileges: true, readOnlyRoot: true, tmpfs: ['/tmp'] },
        ...{ capabilities: [], seccomp: 'default', ports: [8080] },
        ...services.neighbourhood,
      },
      signal,
    );
    const { host, port } = await container.endpoint(8080);
    const client = openClient(`${host}:${port}`);
    await waitUntilAnswered(() => client.get('/'));
    // A count of its own: neither what the warm-up nor what verify has left behind.
    expect(await client.get('/')).toBe('visit 2');
    const lines = (await container.lastLines(50)).join('\n');
    expect(lines).not.toMatch(/starting cold/);
    if (app === undefined) expect(lines).toContain('visits: restored');
    else expect(lines).toContain('visits: connecting again');
  },
  180_000,
);

test.each(['docker', 'oci'] as const)(
  'in the engine %s an app finds the container of an image layout by its name, in all of its starts, and Docker pulls what it lacks',
  async (engine) => {
    await using fixture = await makeFixtureImage({ workingDir: '/', user: '' });
    await writeLayout(fixture.image, join(dir, `backend-${engine}`), 'latest');
    const classes = join(dir, `classes-${engine}`);
    const source = join(import.meta.dirname, 'support/Asking.java');
    await run(join(JDKS[17], 'bin/javac'), ['--release', '17', '-d', classes, source]);
    const jar = ['--create', '--file', join(dir, 'asking.jar'), '--main-class', 'Asking', '-C', classes, '.'];
    await run(join(JDKS[17], 'bin/jar'), jar);
    await using registry = engine === 'docker' ? await startRegistry() : undefined;
    const pulled = `${registry?.host}/backend:1`;
    const services = [{ name: 'backend', image: `oci:backend-${engine}`, command: ['serve', '7000'], ports: [7000] }];
    if (engine === 'docker') {
      const copy = ['copy', '--quiet', '--dest-tls-verify=false', `oci:${join(dir, 'backend-docker')}:latest`];
      await run('skopeo', [...copy, `docker://${pulled}`]);
      services.push({ name: 'pulled', image: pulled, command: ['serve', '7001'], ports: [7001] });
    }
    const config = await writeConfig(`asking-${engine}`, {
      app: {
        jar: 'asking.jar',
        javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'],
        environment: { BACKEND: 'backend:7000' },
      },
      engine,
      warmUp: { requests: [{ path: '/', count: 100, contains: 'hello' }], services },
    });
    const { warmth, verified } = await buildImage(['--config', config]);
    expect(warmth?.requestCount).toBe(100);
    expect(verified).toMatchObject({ checkedRequests: 1, coldMs: expect.any(Number) });
    if (engine === 'docker') {
      expect((await run('docker', ['network', 'ls', '-q', '--filter', 'type=custom'])).stdout).toBe('');
      // As with `docker run`, it stays. The daemon did not have it before: this registry is of this test.
      await run('docker', ['rmi', pulled]);
    }
  },
  180_000,
);

function planned(port: number): Service {
  const { name, process, user, environment, health } = postgres(port);
  return {
    ...{ name, user, environment, ports: [] },
    source: { kind: 'process', argv: process },
    health: { kind: 'command', argv: health.command },
    timeoutMs: 30_000,
  };
}

test.each<[string, () => object, string, RegExp]>([
  [
    'keeps its connection',
    () => ({ app: { jar: 'visits.jar', environment: { DB_URL: urlOf(5432) } } }),
    'CHECKPOINT_REFUSED',
    /TCP connection .*127\.0\.0\.1:5432/,
  ],
  [
    'waits for a database that is never there',
    () => ({ warmUp: { services: [{ ...postgres(5432), health: { tcp: 5499, timeout: '3s' } }] } }),
    'SERVICE_FAILED',
    /^the backing service db was not healthy after 3\.0 s: a connection to port 5499 was to be accepted; .*\n(.*\n)*.*database system is ready/,
  ],
  [
    'has a database that ends in the warm-up',
    () => ({
      warmUp: {
        requests: ['GET / x100000'],
        services: [
          {
            ...postgres(5432),
            process: [...postgres(5432).process.slice(0, 2), `${postgres(5432).process[2]} & sleep 12; exit 3`],
          },
        ],
      },
    }),
    'SERVICE_FAILED',
    /^the backing service db exited with code 3 while the app needed it/,
  ],
  [
    'has a service whose program is not installed',
    () => ({ warmUp: { services: [{ name: 'db', process: ['mariadbd-none'], ports: [3306] }] } }),
    'SERVICE_FAILED',
    /^the backing service db cannot be started: there is no program mariadbd-none on this machine/,
  ],
  [
    'has a service of a registry',
    () => ({ warmUp: { services: [{ name: 'db', image: 'postgres:16', ports: [5432] }] } }),
    'SERVICE_FAILED',
    /^the backing service db cannot be started: the oci engine has no image postgres:16/,
  ],
])(
  'a build whose app %s fails, says so, and leaves nothing',
  async (_, settings, code, message) => {
    const config = await writeConfig('none', settings());
    const { exitCode, stdout, stderr } = await runCli(['build', '--config', config, '--json']);
    const { error } = JSON.parse(stdout);
    expect({ exitCode, code: error.code, stderr: error.code === code ? '' : stderr }).toEqual({
      exitCode: 1,
      code,
      stderr: '',
    });
    expect([error.message, ...error.details].join('\n')).toMatch(message);
    expect(leftovers()).toEqual([]);
  },
  120_000,
);

test('Ctrl-C in the warm-up, and a build that is killed, leave no database', async () => {
  for (const [name, exitCode] of [
    ['SIGINT', 130],
    ['SIGKILL', 137],
  ] as const) {
    const config = await writeConfig('none', { warmUp: { requests: ['GET / x1000000'], services: [postgres(5432)] } });
    let seen: readonly string[] = [];
    const built = await runCli(['build', '--config', config, '--json'], {
      onProgress: (stderr, kill) => {
        if (seen.length > 0 || !stderr.includes('"stage-started","stage":"warm-up"')) return;
        seen = leftovers();
        kill(name);
      },
    });
    expect(built.exitCode).toBe(exitCode);
    expect(seen.length).toBeGreaterThan(1);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(leftovers()).toEqual([]);
  }
}, 120_000);
