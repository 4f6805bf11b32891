import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { isCracBuildError } from '../../../src/errors.ts';
import { renderError } from '../../../src/report/render-error.ts';
import { expectGolden } from '../../support/golden.ts';
import { PEM } from '../warm-up/serve.ts';

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
readiness: { port: 9090, path: /ready, status: 204, contains: UP, tls: false, timeout: 1.5s }
warmUp:
  requests:
    - GET / x200
    - { method: POST, path: /orders, body: '{}', headers: { content-type: application/json }, count: 3, concurrency: 2, status: 201, contains: id }
  scenarios:
    - name: order
      weight: 3
      steps:
        - GET /orders
        - method: POST
          port: 8081
          path: /orders
          headers: { x-number: 1 }
          json: { item: '{{n}}' }
          expect: { status: 201, contains: '{{n}}', headers: { etag: 1 }, json: { type: object } }
          capture: { id: { json: $.id }, at: { header: location }, key: { regex: 'k=(.*)' } }
          think: 100ms
        - { path: '{{at}}', form: { id: '{{id}}', photo: { file: a.png, type: image/png } } }
        - { path: '/{{key}}', bodyFile: order.xml, expect: { json: schema.json } }
    - steps: ['/{{n}}?user={{user}}&x={{random}}']
    - { script: chat.ts, port: 9090, options: { room: 7 }, count: 2, concurrency: 2 }
    - { command: [sh, -c, 1] }
    - { javaClass: com.example.Warm, weight: 2 }
  rate: 0.5
  seed: 7
  protocol: h2
  tls: { ca: ca.pem, serverName: orders.example, insecure: true }
  until: { requests: 1000 }
  min: { duration: 5s, requests: 100 }
  max: { duration: 1m }
  timeout: 2m
  services:
    - { name: db, image: 'postgres:16', command: [postgres, -c, fsync=off], environment: { PORT: 1 }, user: 999, ports: [5432] }
    - { name: web, image: oci:web, health: { path: /up, port: 80, status: 204, contains: UP, timeout: 5s } }
    - { name: mail, process: [mail], health: { command: [mail, check] } }
checkpoint: { trigger: app, memory: read, timeout: 30s, settle: 500ms, resources: strict, policies: rules.yaml, skip: [trim, zero-pages] }
verify: { enabled: false, timeout: 10s }
image: { compression: zstd, compressionLevel: 19 }
outputs: [oci:out, docker:orders:1, 'registry:localhost:5000/orders:1']
insecureRegistries: [registry.test:5000, 10.0.0.1]
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
      readiness: { port: 9090, path: '/ready', status: 204, contains: 'UP', tls: false, timeout: 1500 },
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
        scenarios: [
          {
            name: 'order',
            weight: 3,
            steps: [
              { method: 'GET', path: '/orders' },
              {
                method: 'POST',
                port: 8081,
                path: '/orders',
                headers: { 'x-number': '1' },
                json: { item: '{{n}}' },
                expect: { status: 201, contains: '{{n}}', headers: { etag: '1' }, json: { type: 'object' } },
                capture: { id: { json: '$.id' }, at: { header: 'location' }, key: { regex: 'k=(.*)' } },
                think: 100,
              },
              { path: '{{at}}', form: { id: '{{id}}', photo: { file: 'a.png', type: 'image/png' } } },
              { path: '/{{key}}', bodyFile: 'order.xml', expect: { json: 'schema.json' } },
            ],
          },
          { steps: [{ method: 'GET', path: '/{{n}}?user={{user}}&x={{random}}' }] },
          { script: 'chat.ts', port: 9090, options: { room: 7 }, count: 2, concurrency: 2 },
          { command: ['sh', '-c', '1'] },
          { javaClass: 'com.example.Warm', weight: 2 },
        ],
        rate: 0.5,
        seed: 7,
        protocol: 'h2',
        tls: { ca: 'ca.pem', serverName: 'orders.example', insecure: true },
        until: { requests: 1000 },
        min: { duration: 5000, requests: 100 },
        max: { duration: 60_000 },
        services: [
          {
            name: 'db',
            image: 'postgres:16',
            command: ['postgres', '-c', 'fsync=off'],
            environment: { PORT: '1' },
            user: '999',
            ports: [5432],
          },
          {
            name: 'web',
            image: 'oci:web',
            health: { path: '/up', port: 80, status: 204, contains: 'UP', timeout: 5000 },
          },
          { name: 'mail', process: ['mail'], health: { command: ['mail', 'check'] } },
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
        { kind: 'registry', reference: 'localhost:5000/orders:1' },
      ],
      insecureRegistries: ['registry.test:5000', '10.0.0.1'],
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
      'wrong registry': 'insecureRegistries: [http://registry.test]\n',
      'wrong request': 'warmUp: { requests: [get /] }\n',
      'wrong name': 'name: My App\n',
      'two forms of readiness': 'readiness:\n  path: /up\n  tcp: 8080\n',
      'readiness of no expression': "readiness: { log: 'Started (' }\n",
      'readiness of an empty command': 'readiness: { command: [] }\n',
      'scenario without steps': 'warmUp: { scenarios: [{ name: a, steps: [] }] }\n',
      'scenario without anything': 'warmUp: { scenarios: [{ name: a }] }\n',
      'scenario of two things': 'warmUp: { scenarios: [{ script: a.ts, command: [ls] }] }\n',
      'class of no name': 'warmUp: { scenarios: [{ javaClass: com/example/Warm }] }\n',
      'options without a script': 'warmUp: { scenarios: [{ command: [ls], options: {} }] }\n',
      'weight and count': 'warmUp: { scenarios: [{ script: a.ts, weight: 2, count: 3 }] }\n',
      'concurrency without a count': 'warmUp: { scenarios: [{ script: a.ts, concurrency: 3 }] }\n',
      'wrong step': 'warmUp:\n  scenarios:\n    - steps:\n        - get /\n',
      'step with a count': 'warmUp:\n  scenarios:\n    - steps:\n        - GET /a x20\n',
      'unknown key of a step': 'warmUp:\n  scenarios:\n    - steps:\n        - { path: /, boddy: x }\n',
      'two bodies': 'warmUp:\n  scenarios:\n    - steps:\n        - path: /\n          body: x\n          json: {}\n',
      'name that nothing captures': 'warmUp:\n  scenarios:\n    - steps:\n        - GET /\n        - GET /{{id}}\n',
      'name that is captured later':
        "warmUp:\n  scenarios:\n    - steps:\n        - { path: '/{{id}}', capture: { id: { header: a } } }\n",
      'name that was mistyped':
        "warmUp:\n  scenarios:\n    - steps:\n        - { path: /, capture: { order: { header: a } } }\n        - { path: /, json: { a: ['{{oder}}'] } }\n",
      'name in a request': "warmUp: { requests: ['GET /{{id}} x3'] }\n",
      'captured name with a value':
        'warmUp: { scenarios: [{ steps: [{ path: /, capture: { n: { header: a } } }] }] }\n',
      'captured name with a dash':
        'warmUp: { scenarios: [{ steps: [{ path: /, capture: { a-b: { header: a } } }] }] }\n',
      'capture of nothing': 'warmUp: { scenarios: [{ steps: [{ path: /, capture: { a: {} } }] }] }\n',
      'wrong JSON path': 'warmUp: { scenarios: [{ steps: [{ path: /, capture: { a: { json: items.id } } }] }] }\n',
      'wrong expression': "warmUp: { scenarios: [{ steps: [{ path: /, capture: { a: { regex: '(' } } }] }] }\n",
      'the same scenario twice':
        'warmUp:\n  scenarios:\n    - { name: a, steps: [GET /] }\n    - { name: a, steps: [GET /] }\n',
      'rate and concurrency': 'warmUp:\n  concurrency: 4\n  rate: 10\n',
      'wrong rate': 'warmUp: { rate: 0 }\n',
      'wrong protocol': 'warmUp: { protocol: http2 }\n',
      'wrong TLS': 'warmUp: { tls: { cert: a.pem } }\n',
      'wrong end': 'warmUp: { until: done }\n',
      'service without an image': 'warmUp:\n  services:\n    - { name: db, ports: [5432] }\n',
      'service of two kinds': 'warmUp:\n  services: [{ name: db, image: a, process: [b], ports: [1] }]\n',
      'process with a command': 'warmUp:\n  services: [{ name: db, process: [b], command: [c], ports: [1] }]\n',
      'service that nobody can ask': 'warmUp:\n  services: [{ name: db, image: a }]\n',
      'two forms of health': 'warmUp:\n  services: [{ name: db, image: a, health: { tcp: 1, log: x } }]\n',
      'wrong name of a service': 'warmUp: { services: [{ name: my_db, image: a, ports: [1] }] }\n',
      'the same service twice':
        'warmUp:\n  services:\n    - { name: db, image: a, ports: [1] }\n    - { name: db, image: b, ports: [2] }\n',
      'unknown key of a service': 'warmUp: { services: [{ name: db, image: a, port: [1] }] }\n',
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

  test('files of the warm-up count from the config file; a JSON schema is read', async () => {
    await writeFile(join(folder, 'order.json'), '{"type":"object"}');
    await writeFile(
      join(folder, 'crac-build.yaml'),
      `
readiness: { tls: { ca: ${PEM} } }
warmUp:
  tls: { ca: ${PEM} }
  requests: [{ path: /, bodyFile: order.json }]
  scenarios:
    - steps:
        - { path: /, form: { a: b, c: { file: order.json } } }
        - { path: /, bodyFile: order.json, expect: { json: order.json, status: 201 } }
        - { path: /, expect: { status: 204 } }
`,
    );
    const file = join(folder, 'order.json');
    expect(await loadSettings({ configFile: undefined, flags: {}, cwd: folder })).toEqual({
      readiness: { tls: { ca: PEM } },
      warmUp: {
        tls: { ca: PEM },
        requests: [{ path: '/', bodyFile: file }],
        scenarios: [
          {
            steps: [
              { path: '/', form: { a: 'b', c: { file } } },
              { path: '/', bodyFile: file, expect: { json: { type: 'object' }, status: 201 } },
              { path: '/', expect: { status: 204 } },
            ],
          },
        ],
      },
    });
  });

  test('the layout of a service counts from the config file', async () => {
    const layout = join(folder, 'images');
    await mkdir(layout);
    await writeFile(join(layout, 'index.json'), '{}');
    await writeFile(
      join(folder, 'crac-build.yaml'),
      'warmUp:\n  services:\n    - { name: a, image: oci:images, ports: [1] }\n    - { name: b, image: b, ports: [2] }\n',
    );
    const { warmUp } = await loadSettings({ configFile: undefined, flags: {}, cwd: folder });
    expect(warmUp?.services?.map(({ image }) => image)).toEqual([`oci:${layout}`, 'b']);
  });

  test.each([
    [
      'warmUp:\n  services:\n    - { name: a, image: oci:gone, ports: [1] }',
      ':3: warmUp.services[0].image: there is no ',
    ],
    ['readiness: { tls: { ca: gone } }', ':1: readiness.tls.ca: there is no '],
    ['warmUp: { tls: { ca: crac-build.yaml } }', 'crac-build.yaml holds no certificate'],
    ['warmUp:\n  requests:\n    - { path: /, bodyFile: gone }', ':3: warmUp.requests[0].bodyFile: there is no '],
    [
      'warmUp:\n  scenarios:\n    - steps:\n        - { path: /, form: { a: { file: gone } } }',
      ':4: warmUp.scenarios[0].steps[0].form.a.file: there is no ',
    ],
    ['warmUp: { requests: [{ path: /, bodyFile: . }] }', ':1: warmUp.requests[0].bodyFile: '],
    [
      'warmUp: { scenarios: [{ steps: [{ path: /, expect: { json: crac-build.yaml } }] }] }',
      'crac-build.yaml is not JSON: ',
    ],
  ])('%s: a file that is not there, or not what it should be, is told with its line', async (text, message) => {
    await writeFile(join(folder, 'crac-build.yaml'), text);
    await expect(loadSettings({ configFile: undefined, flags: {}, cwd: folder })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('a path that a flag asks takes the place of another form of readiness', async () => {
    await writeFile(join(folder, 'crac-build.yaml'), "readiness: { log: 'Started', timeout: 5s }\n");
    const settings = await loadSettings({ configFile: undefined, flags: { readiness: { path: '/up' } }, cwd: folder });
    expect(settings.readiness).toEqual({ path: '/up', timeout: 5000 });
  });
});
