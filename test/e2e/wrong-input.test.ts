import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { startRegistry } from '../engine/own-registry.ts';
import { type CliOptions, JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';
import { listLeftovers } from './support/leftovers.ts';

const run = promisify(execFile);
const PLAIN_HTTP_JAR = join(PLAIN_HTTP, 'target/plain-http.jar');
/** Of this run alone: what bears it and is left was left by a build of these tests. */
const NAME = `wrong-${randomBytes(4).toString('hex')}`;
const BASE = `jdk:${JDKS[17]}`;

let dir: string;
let misbehaving: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-wrong-'));
  misbehaving = join(dir, 'misbehaving.jar');
  const source = join(import.meta.dirname, 'support/Misbehaving.java');
  await run('javac', ['--release', '17', '-d', join(dir, 'classes'), source]);
  await run('jar', ['--create', '--file', misbehaving, '--main-class', 'Misbehaving', '-C', join(dir, 'classes'), '.']);
}, 60_000);

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Runs a build that must fail: returns its error after making sure that it left nothing, published nothing. */
async function failBuild(settings: object, options: CliOptions & { readonly flags?: readonly string[] } = {}) {
  const output = join(dir, 'image');
  const config = join(dir, 'crac-build.yaml');
  await writeFile(config, stringify({ name: NAME, base: BASE, outputs: [`oci:${output}`], ...settings }));
  const tmp = options.environment?.['TMPDIR'] ?? join(dir, 'tmp');
  await mkdir(tmp, { recursive: true });
  const { exitCode, stdout, stderr } = await runCli(
    ['build', '--config', config, '--json', ...(options.flags ?? ['--engine', 'oci'])],
    { ...options, environment: { TMPDIR: tmp, ...options.environment } },
  );
  expect(await listLeftovers(tmp, NAME)).toEqual([]);
  await expect(access(output)).rejects.toThrow();
  const { error } = JSON.parse(stdout);
  return { exitCode, error, stderr };
}

describe.each(['oci', 'docker'])('an app that fails, in the engine %s', (engine) => {
  const app = (how: string) => ({ jar: misbehaving, arguments: [how], ports: [8080] });
  const flags = ['--engine', engine];

  test('exits during its start', async () => {
    const { exitCode, error } = await failBuild({ app: app('exits') }, { flags });
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'APP_EXITED' });
    expect(error.message).toContain('code 3');
    expect(error.details.join('\n')).toContain('no database at db.example');
  }, 90_000);

  test('never gets ready', async () => {
    const { exitCode, error } = await failBuild(
      { app: app('never-ready'), readiness: { path: '/', timeout: '3s' } },
      { flags },
    );
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'APP_NOT_READY' });
    expect(error.details.join('\n')).toContain('misbehaving: never-ready');
  }, 90_000);

  test('answers the warm-up with 500', async () => {
    const { exitCode, error } = await failBuild(
      { app: app('fails'), warmUp: { requests: [{ path: '/fails', count: 3 }] } },
      { flags },
    );
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'WARM_UP_FAILED' });
    expect(error.message).toContain('500');
  }, 90_000);

  test('works at the build but not where nothing may be written: no output is made', async () => {
    await using registry = await startRegistry();
    const outputs = [
      `oci:${join(dir, 'image')}`,
      `registry:${registry.host}/${NAME}:latest`,
      ...(engine === 'docker' ? [`docker:crac-e2e/${NAME}:latest`] : []),
    ];
    const { exitCode, error } = await failBuild(
      {
        app: app('writes'),
        warmUp: { requests: [{ path: '/', count: 3 }] },
        checkpoint: { settle: '0s' },
        verify: { timeout: '3s' },
        outputs,
      },
      { flags },
    );
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'VERIFY_FAILED' });
    expect(error.message).toContain('restored, the image did not answer GET :8080/');
    expect(error.details.join('\n')).toContain('Read-only file system');
    expect(await registry.listRepositories()).toEqual([]);
  }, 90_000);

  test('dies during the warm-up', async () => {
    const { exitCode, error } = await failBuild(
      { app: app('dies-in-warm-up'), warmUp: { requests: [{ path: '/fails', count: 3 }] } },
      { flags },
    );
    expect(exitCode).toBe(1);
    expect(['APP_EXITED', 'WARM_UP_FAILED']).toContain(error.code);
  }, 90_000);
});

describe('what is given', () => {
  test('is not a jar', async () => {
    const jar = join(dir, 'not-a.jar');
    await writeFile(jar, 'hello');
    const { exitCode, error } = await failBuild({ app: { jar } });
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'INPUT_INVALID' });
    expect(error.hint).toBeTruthy();
  });

  test('does not exist', async () => {
    const { exitCode, error } = await failBuild({ app: { jar: join(dir, 'missing.jar') } });
    expect(exitCode).not.toBe(0);
    expect(error.message).toContain('missing.jar');
  });

  test('has an unknown key', async () => {
    const { exitCode, error } = await failBuild({ app: { jar: PLAIN_HTTP_JAR, prots: [8080] } });
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'CONFIG_INVALID' });
    expect(error.message + error.details).toMatch(/crac-build\.yaml:\d+.*prots/s);
  });
});

describe('what the build needs', () => {
  const app = { jar: PLAIN_HTTP_JAR, ports: [8080] };

  test('no Docker daemon', async () => {
    const { exitCode, error } = await failBuild(
      { app },
      { flags: ['--engine', 'docker'], environment: { DOCKER_HOST: `unix://${dir}/none.sock` } },
    );
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'ENGINE_UNAVAILABLE' });
    expect(error.hint).toBeTruthy();
  });

  test('no registry where the image is to go', async () => {
    const { exitCode, error, stderr } = await failBuild({ app, outputs: ['registry:127.0.0.1:9/app:1'] });
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'REGISTRY_FAILED' });
    expect(error.message).toContain('127.0.0.1:9: connection refused');
    expect(stderr).not.toContain('containerize');
  }, 60_000);

  test('neither crun nor runc', async () => {
    const bin = join(dir, 'bin');
    await mkdir(bin, { recursive: true });
    const { exitCode, error } = await failBuild({ app }, { environment: { PATH: bin } });
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'ENGINE_UNAVAILABLE' });
    expect(error.hint).toMatch(/crun|runc/);
  });

  test('a CRIU that is too old', async () => {
    const criu = (await run('which', ['criu'])).stdout.trim();
    const { exitCode, error } = await failBuild({ app }, { flags: ['--engine', 'oci', '--criu', criu] });
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'CRIU_UNSUITABLE' });
    expect(error.hint).toMatch(/toolbox|4\.2/);
  }, 60_000);

  test.each([20, 170])(
    'no space: %i MB for cache and temporary files',
    async (sizeMb) => {
      const small = join(dir, 'small');
      await mkdir(small, { recursive: true });
      // A ready one, so that the build gets further than to making it.
      const toolbox: string = JSON.parse((await runCli(['toolbox', '--json'])).stdout).dir;
      await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', small]);
      try {
        const { exitCode, error } = await failBuild(
          { app, warmUp: { requests: [{ path: '/', count: 100 }] } },
          {
            environment: { TMPDIR: join(small, 'tmp'), XDG_CACHE_HOME: join(small, 'cache') },
            flags: ['--engine', 'oci', '--toolbox', toolbox],
          },
        );
        expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code: 'NO_SPACE' });
        expect((await run('find', [small, '-name', '*partial*'])).stdout).toBe('');
      } finally {
        await run('umount', [small]);
      }
    },
    90_000,
  );
});
