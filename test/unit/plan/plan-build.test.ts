import type { Settings } from '../../../src/config/settings.ts';
import { isServer } from '../../../src/plan/build-plan.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { renderPlan } from '../../../src/plan/render-plan.ts';
import { expectGolden } from '../../support/golden.ts';
import { jarSource, SAMPLE_FACTS, samplePlan } from '../../support/sample-plan.ts';

test('the plan of a jar alone', () => expectGolden('plan-defaults.txt', renderPlan(samplePlan())));

test('a service is asked at its first port where nothing else is said, and at the port that its path needs', () => {
  const healthOf = (service: object) =>
    samplePlan({ warmUp: { services: [{ name: 'db', image: 'x', ...service }] } }).services[0]?.health;
  expect(healthOf({ ports: [5432, 1] })).toEqual({ kind: 'tcp', port: 5432 });
  expect(healthOf({ ports: [5432], health: { timeout: 1 } })).toEqual({ kind: 'tcp', port: 5432 });
  expect(healthOf({ health: { port: 80 } })).toEqual({ kind: 'tcp', port: 80 });
  expect(healthOf({ ports: [80], health: { contains: 'UP' } })).toMatchObject({ kind: 'http', port: 80, path: '/' });
  expect(healthOf({ ports: [80], health: { log: 'ready' } })).toEqual({ kind: 'log', pattern: 'ready' });
  expect(() => healthOf({ health: { path: '/' } })).toThrow('the service db has no port that could be asked');
});

test('the plan of everything', () => {
  const plan = samplePlan({
    name: 'orders',
    app: {
      javaOptions: ['-Xmx256m', '-Dgreeting=good morning'],
      arguments: ['serve', "it's"],
      environment: { PORT: '9090' },
      ports: [9090, 9091],
      user: { uid: 0, gid: 0 },
    },
    modules: ['java.base', 'jdk.httpserver'],
    engine: 'docker',
    network: 'host',
    readiness: { port: 9091, path: '/ready', status: 204, timeout: 5000 },
    warmUp: {
      requests: [
        { path: '/' },
        { method: 'POST', path: '/o', body: '{}', count: 3, concurrency: 9, status: 201, contains: '"id"' },
      ],
      scenarios: [
        {
          name: 'order',
          weight: 3,
          steps: [
            { path: '/orders', capture: { id: { json: '$[0].id' }, etag: { header: 'ETag' } }, think: 100 },
            {
              method: 'PUT',
              port: 9090,
              path: '/orders/{{id}}',
              headers: { 'if-match': '{{etag}}' },
              json: { item: '{{n}}' },
              expect: { status: 204, contains: 'ok', headers: { server: 'x' }, json: { type: 'object' } },
              capture: { key: { regex: 'k=(.*)' } },
            },
          ],
        },
        {
          steps: [
            { path: '/upload', form: { photo: { file: '/photo.png' }, title: 'a' } },
            { path: '/upload', form: { title: 'a' } },
            { path: '/upload', bodyFile: '/photo.png' },
          ],
        },
        { name: 'chat', script: '/work/chat.ts', options: { room: 7 }, port: 9091, weight: 2 },
        { script: '/work/chat.ts', count: 20, concurrency: 50 },
        { name: 'fill', command: ['sh', '-c', "echo it's > /tmp/x"] },
        { name: 'caches', javaClass: 'com.example.Warm' },
      ],
      concurrency: 4,
      seed: 7,
      protocol: 'h2',
      tls: { ca: '/ca.pem', serverName: 'orders.example' },
      min: { duration: 5000 },
      max: { requests: 10_000 },
      timeout: 120_000,
      services: [
        { name: 'db', image: 'postgres:16', environment: { POSTGRES_PASSWORD: 'warm' }, ports: [5432] },
        {
          name: 'cache',
          image: 'oci:/images/cache',
          command: ['serve'],
          user: 'cache',
          health: { path: '/ready', port: 80 },
        },
        { name: 'mail', process: ['mail', '-v'], health: { command: ['nc', '127.0.0.1', '25'], timeout: 5000 } },
      ],
    },
    checkpoint: {
      memory: 'read',
      settle: 100,
      timeout: 1000,
      resources: 'strict',
      policies: '/rules.yaml',
      skip: ['trim', 'collect'],
    },
    verify: { enabled: false },
    image: { compression: 'zstd', compressionLevel: 19 },
    outputs: [
      { kind: 'oci', dir: '/out' },
      { kind: 'docker', reference: 'orders:1' },
      { kind: 'registry', reference: 'registry.test:5000/orders:1' },
    ],
    insecureRegistries: ['registry.test:5000'],
  });
  expectGolden('plan-full.txt', renderPlan(plan));
  expectGolden('plan-full.json', `${JSON.stringify(plan, null, 2)}\n`);
});

test('-D options given at run time go before -jar, after all other JVM options', () => {
  const { argv, jvmOptionIndex } = samplePlan({ app: { javaOptions: ['-Xmx1g'], arguments: ['x'] } }).command;
  expect(argv.slice(jvmOptionIndex)).toEqual(['-jar', '/app/orders.jar', 'x']);
  expect(argv[jvmOptionIndex - 1]).toBe('-Xmx1g');
});

test('the agent comes first and unlocking comes before what it unlocks', () => {
  expect(samplePlan().addedJavaOptions.map(({ option }) => option)).toEqual([
    '-agentpath:/opt/crac/libcrac.so',
    '-XX:CompileCommand=quiet',
    '-XX:CompileCommand=dontinline,java.lang.ProcessHandleImpl::*',
    '-XX:+PerfDisableSharedMem',
    '-XX:+UnlockDiagnosticVMOptions',
    '-XX:ArchiveRelocationMode=0',
    '-XX:StringTableSize=4096',
    '-XX:+UnlockExperimentalVMOptions',
    '-XX:SymbolTableSize=8192',
  ]);
});

test('how open resources are treated reaches the JVM as properties', () => {
  const argv = (checkpoint: object) =>
    samplePlan({ checkpoint }).command.argv.filter((option) => option.startsWith('-D'));
  expect(argv({})).toEqual([]);
  expect(argv({ resources: 'transparent' })).toEqual([]);
  expect(argv({ resources: 'strict', policies: '/rules.yaml' })).toEqual([
    '-Dcrac.resources=strict',
    '-Djdk.crac.resource-policies=/opt/crac/policies.yaml',
  ]);
});

test.each([
  ['-XX:-PerfDisableSharedMem', '-XX:+PerfDisableSharedMem'],
  ['-XX:-UsePerfData', '-XX:+PerfDisableSharedMem'],
  ['-XX:ArchiveRelocationMode=1', '-XX:ArchiveRelocationMode=0'],
  ['-XX:ArchiveRelocationMode=1', '-XX:+UnlockDiagnosticVMOptions'],
  ['-Xshare:off', '-XX:ArchiveRelocationMode=0'],
  ['-XX:StringTableSize=65536', '-XX:StringTableSize=4096'],
  ['-XX:SymbolTableSize=32768', '-XX:SymbolTableSize=8192'],
  ['-XX:SymbolTableSize=32768', '-XX:+UnlockExperimentalVMOptions'],
])('the user’s %s keeps %s away', (users, ours) => {
  const added = samplePlan({ app: { javaOptions: [users] } }).addedJavaOptions.map(({ option }) => option);
  expect(added).not.toContain(ours);
  expect(added).toContain('-agentpath:/opt/crac/libcrac.so');
});

test.each([
  [17, [], true],
  [19, [], true],
  [20, [], false],
  [17, ['-XX:SweeperThreshold=0.5'], false],
])('Java %d with %j: whether code is swept more often: %s', (javaVersion, javaOptions, isAdded) => {
  const facts = { ...SAMPLE_FACTS, jdk: { ...SAMPLE_FACTS.jdk, javaVersion } };
  const added = planBuild({ app: { javaOptions } }, facts).addedJavaOptions.map(({ option }) => option);
  expect(added.includes('-XX:SweeperThreshold=0.05')).toBe(isAdded);
});

test('HotSpot’s options are for HotSpot', () => {
  const plan = planBuild({}, { ...SAMPLE_FACTS, jdk: { ...SAMPLE_FACTS.jdk, hotSpot: false } });
  expect(plan.addedJavaOptions.map(({ option }) => option)).toEqual(['-agentpath:/opt/crac/libcrac.so']);
});

test.each([
  ['orders.jar', 'orders'],
  ['orders-service-1.4.2-SNAPSHOT.jar', 'orders-service'],
  ['My App_2.jar', 'my-app'],
  ['orders-v3.1.jar', 'orders'],
  ['7.jar', '7'],
  ['__.jar', 'app'],
])('the name of %s', (file, name) => {
  expect(planBuild({}, { ...SAMPLE_FACTS, source: jarSource(`/x/${file}`) }).name).toBe(name);
});

test('the engine that answered decides where the image goes', () => {
  expect(planBuild({}, { ...SAMPLE_FACTS, engine: 'docker' }).outputs).toEqual([
    { kind: 'docker', reference: 'orders:latest' },
  ]);
  expect(planBuild({}, { ...SAMPLE_FACTS, engine: 'oci' }).outputs).toEqual([{ kind: 'oci', dir: './orders-image' }]);
});

test('the readiness port is the app’s first; without ports the app has the readiness port', () => {
  expect(samplePlan({ app: { ports: [9000, 9001] } }).readiness).toMatchObject({ kind: 'http', port: 9000 });
  expect(samplePlan({ readiness: { port: 7000 } }).app.ports).toEqual([7000]);
});

test('no requests means the readiness path; an empty list means no warm-up', () => {
  expect(samplePlan({ readiness: { path: '/up', status: 204 } }).warmUp.scenarios).toMatchObject([
    { load: { kind: 'mixed', weight: 1 }, steps: [{ method: 'GET', path: '/up', expect: { status: 204 } }] },
  ]);
  expect(samplePlan({ warmUp: { requests: [] } }).warmUp.scenarios).toEqual([]);
});

test('the readiness path is warmed up as it was asked', () => {
  const readiness = { path: '/up', contains: 'UP', tls: { insecure: true } };
  const { scenarios, connection } = samplePlan({ readiness }).warmUp;
  expect(scenarios).toMatchObject([{ steps: [{ expect: { contains: 'UP' } }] }]);
  expect(connection.tls).toEqual({ insecure: true });
  expect(samplePlan({ readiness, warmUp: { requests: [{ path: '/' }] } }).warmUp.connection.tls).toBeUndefined();
  const plain = samplePlan({ readiness: { tls: false }, warmUp: { tls: true } });
  expect(plain.readiness).not.toHaveProperty('tls');
  expect(plain.warmUp.connection.tls).toBeUndefined();
});

test('until decides over requests, too: their counts are shares then', () => {
  const requests = [{ path: '/a', count: 5 }, { path: '/b' }];
  const { scenarios, until } = samplePlan({ warmUp: { requests, until: { duration: 1000 } } }).warmUp;
  expect(scenarios.map(({ load }) => load)).toEqual([
    { kind: 'mixed', weight: 5 },
    { kind: 'mixed', weight: 100 },
  ]);
  expect(until).toEqual({ kind: 'duration', durationMs: 1000 });
});

test('requests without a count go on until the app has settled, unless they change something', () => {
  const load = (request: NonNullable<NonNullable<Settings['warmUp']>['requests']>[number]) => {
    const { scenarios, until } = samplePlan({ warmUp: { requests: [request] } }).warmUp;
    return { ...scenarios[0]?.load, until: until?.kind };
  };
  expect(load({ path: '/a' })).toEqual({ kind: 'mixed', weight: 1, until: 'settled' });
  expect(load({ path: '/a', count: 5 })).toEqual({ kind: 'fixed', count: 5, concurrency: 1, until: undefined });
  expect(load({ path: '/a', concurrency: 2 })).toEqual({ kind: 'fixed', count: 100, concurrency: 2, until: undefined });
  expect(load({ path: '/a', method: 'POST' })).toMatchObject({ kind: 'fixed', count: 100 });
});

describe('how long a warm-up may take that ends when the app has settled', () => {
  const limits = (warmUp: NonNullable<Settings['warmUp']>) => {
    const { min, max, timeoutMs } = samplePlan({ warmUp }).warmUp;
    return { min, max, timeoutMs };
  };
  const of = (minMs: number, maxMs: number, timeoutMs: number) => ({
    min: { durationMs: minMs },
    max: { durationMs: maxMs },
    timeoutMs,
  });
  test.each([
    [{}, of(5000, 60_000, 300_000)],
    [{ max: { duration: 2000 } }, of(2000, 2000, 300_000)],
    [{ min: { duration: 90_000 } }, of(90_000, 90_000, 300_000)],
    [{ max: { duration: 600_000 } }, of(5000, 600_000, 660_000)],
    [{ until: { duration: 900_000 } }, of(5000, 60_000, 960_000)],
    [{ timeout: 10_000 }, of(5000, 8000, 10_000)],
  ])('%j', (given, expected) => expect(limits(given)).toEqual(expected));

  test.each([
    [{ min: { duration: 2000 }, max: { duration: 1000 } }, 'warmUp.min.duration is more than warmUp.max.duration'],
    [{ min: { requests: 20 }, max: { requests: 10 } }, 'warmUp.min.requests is more than warmUp.max.requests'],
  ])('%j is refused', (given, message) => {
    expect(() => limits(given)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }));
  });
});

test('scenarios alone are not preceded by requests, and run until the app has settled', () => {
  const { scenarios, until } = samplePlan({ warmUp: { scenarios: [{ steps: [{ path: '/a' }] }] } }).warmUp;
  expect(scenarios.map(({ name }) => name)).toEqual(['scenario 1']);
  expect(until).toEqual({ kind: 'settled' });
});

test('each scenario has a name of its own', () => {
  const requests = [{ path: '/a' }, { path: '/a', method: 'POST' }, { path: '/a', headers: { a: 'b' } }];
  const names = samplePlan({ warmUp: { requests } }).warmUp.scenarios.map(({ name }) => name);
  expect(names).toEqual(['GET /a', 'POST /a', 'GET /a (3)']);
});

describe('what a start is waited for with when the image is verified', () => {
  const get = { steps: [{ path: '/orders', expect: { status: 203 } }] };
  const answers: [string, Settings, object | undefined][] = [
    ['a path', { readiness: { path: '/up', contains: 'UP' } }, { kind: 'http', path: '/up', contains: 'UP' }],
    ['a port, without any GET', { readiness: { tcp: 9000 } }, { kind: 'tcp', port: 9000 }],
    ['a log line, without any GET', { readiness: { log: 'x' }, app: { ports: [7, 8] } }, { kind: 'tcp', port: 7 }],
    ['a command, without any GET', { readiness: { command: ['true'] } }, { kind: 'command', argv: ['true'] }],
    ['a log line of an app without ports', { readiness: { log: 'x' }, app: { ports: [] } }, undefined],
  ];
  for (const readiness of [{ tcp: 9000 }, { log: 'x' }, { command: ['true'] }])
    answers.push([
      `${Object.keys(readiness)}, with a GET`,
      { readiness, warmUp: { requests: [{ method: 'HEAD', path: '/' }], scenarios: [get], tls: true } },
      { kind: 'http', path: '/orders', status: 203, tls: { insecure: false } },
    ]);
  const needy = [{ steps: [{ path: '/{{n}}' }, { path: '/' }] }, { steps: [{ path: '/', headers: { a: 'b' } }] }];
  answers.push([
    'a port, with a GET that needs more',
    { readiness: { tcp: 1 }, warmUp: { scenarios: needy } },
    { kind: 'tcp' },
  ]);
  answers.push([
    'a port, with a GET of what was made before, which a cold start does not have',
    { readiness: { tcp: 1 }, warmUp: { requests: [{ method: 'POST', path: '/orders' }], scenarios: [get] } },
    { kind: 'tcp' },
  ]);
  const h2 = { scenarios: [get], protocol: 'h2' as const };
  answers.push(['a port, in HTTP/2', { readiness: { tcp: 1 }, warmUp: h2 }, { kind: 'tcp' }]);

  test.each(answers)('%s', (_, settings, answer) => {
    const plan = planBuild(settings, SAMPLE_FACTS);
    if (answer === undefined) expect(plan.verify.answer).toBeUndefined();
    else expect(plan.verify.answer).toMatchObject(answer);
  });
});

test('readiness in words', () => {
  const render = (settings: Settings) =>
    renderPlan(planBuild(settings, SAMPLE_FACTS))
      .split('\n')
      .filter((line) => /^readiness|waits for/.test(line));
  const lines = [
    { readiness: { path: '/up', contains: 'UP', tls: true } },
    { readiness: { tcp: 9000 } },
    { readiness: { log: 'Started .* in', timeout: 1000 } },
    { readiness: { command: ['curl', '-fs', 'localhost:8081'] }, warmUp: { requests: [{ path: '/a' }] } },
  ].flatMap(render);
  expectGolden('plan-readiness.txt', `${lines.join('\n')}\n`);
});

test('each compression has its own levels', () => {
  expect(samplePlan({ image: { compressionLevel: 9 } }).image).toMatchObject({
    compression: 'gzip',
    compressionLevel: 9,
  });
  expect(samplePlan({ image: { compression: 'zstd' } }).image).toMatchObject({
    compression: 'zstd',
    compressionLevel: 6,
  });
  expect(() => samplePlan({ image: { compressionLevel: 10 } })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: 'gzip has the levels 1 to 9, not 10' }),
  );
});

test('what cannot work is refused before anything is done', () => {
  const java11 = { ...SAMPLE_FACTS, jdk: { ...SAMPLE_FACTS.jdk, javaVersion: 11 } };
  expect(() => planBuild({}, java11)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  expect(() => samplePlan({ warmUp: { requests: [{ path: '/{{n}}/{{id}}' }] } })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: 'nothing captures {{id}} for the request GET /{{n}}/{{id}}',
    }),
  );
  expect(() => samplePlan({ app: { javaOptions: ['-XX:+UseZGC'] } })).toThrow(
    expect.objectContaining({ code: 'STATE_REFUSED' }),
  );
  expect(() => samplePlan({ app: { environment: { JAVA_TOOL_OPTIONS: '-Xmx1g -XX:+UseZGC' } } })).toThrow(
    expect.objectContaining({ code: 'STATE_REFUSED' }),
  );
});

describe('an app that asks for its checkpoint by itself', () => {
  const trigger = 'app';

  test('needs no port, and is asked nothing', () => {
    const plan = planBuild({ checkpoint: { trigger } }, SAMPLE_FACTS);
    expect(plan).toMatchObject({ app: { ports: [] }, warmUp: { scenarios: [] }, checkpoint: { trigger } });
    expect(isServer(plan)).toBe(false);
    expectGolden('plan-program.txt', renderPlan(plan));
  });

  test('is asked when it is verified where it has a port or is said to be ready', () => {
    for (const settings of [{ app: { ports: [9000] } }, { readiness: { port: 9000 } }]) {
      const plan = samplePlan({ ...settings, checkpoint: { trigger } });
      expect(plan).toMatchObject({ app: { ports: [9000] }, readiness: { port: 9000, path: '/' } });
      expect(plan.warmUp.scenarios).toEqual([]);
    }
    const requests = [{ path: '/orders' }];
    expect(samplePlan({ warmUp: { requests }, checkpoint: { trigger } }).warmUp.scenarios).toHaveLength(1);
  });
});

test('SOURCE_DATE_EPOCH, the jar’s version and its commit are told by the image', () => {
  const { image } = planBuild(
    {},
    {
      ...SAMPLE_FACTS,
      source: { ...jarSource('/x/orders.jar'), version: '1.4.2' },
      createdSeconds: 1_700_000_000,
      revision: { commit: 'abc', url: 'https://git.example/orders' },
    },
  );
  expect(image).toMatchObject({ createdSeconds: 1_700_000_000 });
  expect(image.annotations).toEqual({
    'org.opencontainers.image.title': 'orders',
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'org.opencontainers.image.version': '1.4.2',
    'org.opencontainers.image.revision': 'abc',
    'org.opencontainers.image.source': 'https://git.example/orders',
  });
});

test('Docker’s media types know no zstd, and are not for layouts', () => {
  const outputs = [{ kind: 'docker' as const, reference: 'a' }];
  const image = { format: 'docker' as const };
  expect(samplePlan({ outputs, image }).image).toMatchObject({ format: 'docker', compression: 'gzip' });
  expect(() => samplePlan({ outputs: [{ kind: 'oci', dir: 'a' }], image })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('oci:DIR') }),
  );
  expect(() => samplePlan({ outputs, image: { ...image, compression: 'zstd' } })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', hint: expect.stringContaining('--format oci') }),
  );
});

test('an archive’s image has the name of the app where none is given', () => {
  const outputs = [
    { kind: 'docker-archive', file: '/a.tar' },
    { kind: 'docker-archive', file: '/b.tar', reference: 'shop:2' },
  ] as const;
  expect(samplePlan({ outputs: [...outputs] }).outputs).toEqual([
    { kind: 'docker-archive', file: '/a.tar', reference: 'orders:latest' },
    { kind: 'docker-archive', file: '/b.tar', reference: 'shop:2' },
  ]);
});
