import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { isCracBuildError } from '../../../src/errors.ts';
import { renderError } from '../../../src/report/render-error.ts';
import { expectGolden } from '../../support/golden.ts';

function messageOf(text: string): string {
  try {
    parseConfig(text, 'crac-build.yaml');
  } catch (error) {
    expect(isCracBuildError(error, 'CONFIG_INVALID')).toBe(true);
    return renderError(error);
  }
  throw new Error('the config was taken');
}

describe('parseConfig', () => {
  test('reads every key, with durations in milliseconds', () => {
    const { settings } = parseConfig(
      `
name: orders
app:
  jar: target/orders.jar
  javaOptions: [-Xmx256m]
  arguments: [serve, 8080]
  environment: { PORT: 8080, DEBUG: true, NAME: x }
  ports: [8080, 9090]
  user: 2000:3000
base: jdk:/opt/jdk
modules: [java.base]
engine: oci
network: host
readiness: { port: 9090, path: /ready, status: 204, timeout: 1.5s }
warmUp:
  requests:
    - GET / x200
    - { method: POST, path: /orders, body: '{}', headers: { content-type: application/json }, count: 3, concurrency: 2, status: 201, contains: id }
  timeout: 2m
checkpoint: { trigger: app, memory: read, timeout: 30s, settle: 500ms, resources: strict, policies: rules.yaml, skip: [trim, zero-pages] }
verify: { enabled: false, timeout: 10s }
image: { compression: zstd, compressionLevel: 19 }
outputs: [oci:out, docker:orders:1]
`,
      'crac-build.yaml',
    );
    expect(settings).toEqual({
      name: 'orders',
      app: {
        jar: 'target/orders.jar',
        javaOptions: ['-Xmx256m'],
        arguments: ['serve', '8080'],
        environment: { PORT: '8080', DEBUG: 'true', NAME: 'x' },
        ports: [8080, 9090],
        user: { uid: 2000, gid: 3000 },
      },
      base: '/opt/jdk',
      modules: ['java.base'],
      engine: 'oci',
      network: 'host',
      readiness: { port: 9090, path: '/ready', status: 204, timeout: 1500 },
      warmUp: {
        requests: [
          { method: 'GET', path: '/', count: 200 },
          {
            method: 'POST',
            path: '/orders',
            body: '{}',
            headers: { 'content-type': 'application/json' },
            count: 3,
            concurrency: 2,
            status: 201,
            contains: 'id',
          },
        ],
        timeout: 120_000,
      },
      checkpoint: {
        trigger: 'app',
        memory: 'read',
        timeout: 30_000,
        settle: 500,
        resources: 'strict',
        policies: 'rules.yaml',
        skip: ['trim', 'zero-pages'],
      },
      verify: { enabled: false, timeout: 10_000 },
      image: { compression: 'zstd', compressionLevel: 19 },
      outputs: [
        { kind: 'oci', dir: 'out' },
        { kind: 'docker', reference: 'orders:1' },
      ],
    });
  });

  test('an empty file has no settings', () => {
    expect(parseConfig('', 'c.yaml').settings).toEqual({});
    expect(parseConfig('# nothing\n', 'c.yaml').settings).toEqual({});
  });

  test('every kind of mistake is told with file, line and key', () => {
    const mistakes = {
      'unknown key, near another': 'name: x\nwarmup: {}\n',
      'unknown key, deep': 'app:\n  jar: a.jar\n  prots: [1]\n',
      'known key at the wrong place': 'jar: a.jar\n',
      'unknown key, near nothing': 'colour: blue\n',
      'unknown key of a request': 'warmUp:\n  requests:\n    - path: /\n      cuont: 3\n',
      'text instead of list': 'app:\n  javaOptions: -Xmx1g\n',
      'list instead of text': 'app:\n  environment:\n    A: [1]\n',
      'text instead of keys': 'app: a.jar\n',
      'list instead of the whole': '- a\n',
      'number instead of text': 'app: { jar: 3 }\n',
      'text instead of number': 'app:\n  ports:\n    - 8080\n    - http\n',
      'text instead of boolean': 'verify: { enabled: maybe }\n',
      'number out of range': 'readiness:\n  port: 99999\n',
      'zero count': 'warmUp: { requests: [{ path: /, count: 0 }] }\n',
      'missing key': 'warmUp:\n  requests:\n    - count: 3\n',
      'wrong word, near another': 'engine: dokcer\n',
      'wrong word': 'engine: podman-compose\n',
      'duration without unit': 'readiness: { timeout: 30 }\n',
      'wrong user': 'app: { user: me }\n',
      'wrong base': 'base: ubuntu\n',
      'wrong compression': 'image: { compression: bzip2 }\n',
      'compression level out of range': 'image: { compressionLevel: 20 }\n',
      'unknown step': 'checkpoint:\n  skip:\n    - trim\n    - zero-page\n',
      'wrong output': 'outputs: [registry/x]\n',
      'wrong request': 'warmUp: { requests: [get /] }\n',
      'wrong name': 'name: My App\n',
      'not YAML': 'app:\n  jar: [a\n',
      'the same key twice': 'name: a\nname: b\n',
      'several at once': 'nam: x\napp:\n  user: me\n  port: 1\nengine: dokcer\n',
    };
    const text = Object.entries(mistakes)
      .map(([title, config]) => `── ${title}\n${messageOf(config)}`)
      .join('\n');
    expectGolden('config-errors.txt', text);
  });
});

describe('loadSettings', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'config-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('flags win over the file; paths count from the file and from the current folder', async () => {
    await writeFile(join(folder, 'app.jar'), '');
    await writeFile(
      join(folder, 'my.yaml'),
      'name: a\napp:\n  jar: app.jar\n  environment: { A: 1, B: 2 }\n  javaOptions: [-Xa, -Xb]\nreadiness: { path: /r, port: 1 }\nimage: { compression: zstd, compressionLevel: 3 }\noutputs: [oci:out]\n',
    );
    const settings = await loadSettings({
      configFile: join(folder, 'my.yaml'),
      cwd: '/elsewhere',
      flags: {
        name: 'b',
        app: { environment: { B: '3' }, javaOptions: ['-Xc'] },
        readiness: { path: '/q' },
        image: { compressionLevel: 4 },
        outputs: [{ kind: 'oci', dir: 'o' }],
      },
    });
    expect(settings).toEqual({
      name: 'b',
      app: { jar: join(folder, 'app.jar'), environment: { A: '1', B: '3' }, javaOptions: ['-Xc'] },
      readiness: { path: '/q', port: 1 },
      image: { compression: 'zstd', compressionLevel: 4 },
      outputs: [{ kind: 'oci', dir: '/elsewhere/o' }],
    });
  });

  test('crac-build.yaml is read where there is one, and not missed where there is none', async () => {
    expect(await loadSettings({ configFile: undefined, flags: { name: 'f' }, cwd: folder })).toEqual({ name: 'f' });
    await writeFile(join(folder, 'crac-build.yaml'), 'engine: oci\n');
    expect(await loadSettings({ configFile: undefined, flags: {}, cwd: folder })).toEqual({ engine: 'oci' });
  });

  test('a missing --config file is an error', async () => {
    const loading = loadSettings({ configFile: 'none.yaml', flags: {}, cwd: folder });
    await expect(loading).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('none.yaml'),
    });
  });

  test('a missing jar is told with its line, unless a flag names another', async () => {
    await writeFile(join(folder, 'crac-build.yaml'), 'name: x\napp:\n  jar: gone.jar\n');
    await expect(loadSettings({ configFile: undefined, flags: {}, cwd: folder })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `crac-build.yaml:3: app.jar: there is no ${join(folder, 'gone.jar')}`,
    });
    const settings = await loadSettings({ configFile: undefined, flags: { app: { jar: 'b.jar' } }, cwd: folder });
    expect(settings.app?.jar).toBe(join(folder, 'b.jar'));
  });

  test('a missing policies file is told with its line; a path counts from the file', async () => {
    await writeFile(join(folder, 'crac-build.yaml'), 'checkpoint:\n  policies: rules.yaml\n');
    await expect(loadSettings({ configFile: undefined, flags: {}, cwd: folder })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `crac-build.yaml:2: checkpoint.policies: there is no ${join(folder, 'rules.yaml')}`,
    });
    await writeFile(join(folder, 'rules.yaml'), '');
    const settings = await loadSettings({ configFile: undefined, flags: {}, cwd: folder });
    expect(settings.checkpoint?.policies).toBe(join(folder, 'rules.yaml'));
  });
});
