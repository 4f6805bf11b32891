/** What users do in a real app: sequences, captured values, cookies; and what goes wrong with them. */
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { buildImage, JDKS, runCli } from './support/build-example.ts';

const run = promisify(execFile);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-shop-'));
  const [source, classes] = [join(import.meta.dirname, 'support/Shop.java'), join(dir, 'classes')];
  await run(join(JDKS[17], 'bin/javac'), ['--release', '17', '-d', classes, source]);
  const jar = ['--create', '--file', join(dir, 'shop.jar'), '--main-class', 'Shop', '-C', classes, '.'];
  await run(join(JDKS[17], 'bin/jar'), jar);
  const schema = { type: 'object', required: ['id', 'order'], properties: { id: { type: 'integer' } } };
  await writeFile(join(dir, 'order.schema.json'), JSON.stringify(schema));
  await writeFile(
    join(dir, 'throws.ts'),
    "export default async () => {\n  const tea: string = 'tea';\n  throw new Error('no ' + tea);\n};\n",
  );
}, 60_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

const ORDER = {
  name: 'order',
  weight: 3,
  steps: [
    {
      method: 'POST',
      path: '/orders',
      json: { item: '{{n}}' },
      expect: { status: 201, json: 'order.schema.json', contains: '"item":{{n}}' },
      capture: { id: { json: '$.id' }, place: { header: 'Location' } },
    },
    { path: '/orders/{{id}}', expect: { contains: '/orders/{{id}}' } },
    { path: '{{place}}', think: '1ms' },
  ],
};
const COUNT = { name: 'count', steps: ['GET /orders'] };

async function writeConfig(settings: object): Promise<string> {
  const config = join(dir, 'crac-build.yaml');
  const app = { jar: 'shop.jar', javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'], ports: [8080] };
  const always = {
    app,
    base: `jdk:${JDKS[17]}`,
    checkpoint: { settle: '0ms' },
    outputs: [`oci:${join(dir, 'image')}`],
  };
  await writeFile(config, stringify({ ...always, ...settings }));
  return config;
}

test.each<[string, string, object, object]>([
  ['oci', 'a line of its log', { log: 'Started in [\\d.]+ s' }, { concurrency: 3 }],
  ['docker', 'a port', { tcp: 8080 }, { rate: 200 }],
])(
  'in the engine %s an app that is ready by %s is used as scenarios say, cold and restored, too',
  async (engine, _, readiness, pace) => {
    const warmUp = { scenarios: [ORDER, COUNT], until: { requests: 300 }, ...pace };
    const config = await writeConfig({ readiness, warmUp });
    const { warmth, verified } = await buildImage(['--config', config, '--engine', engine]);
    expect(warmth?.requestCount).toBeGreaterThanOrEqual(300);
    const counts = new Map(warmth?.endpoints.map(({ method, path, count }) => [`${method} ${path}`, count]));
    expect([...counts.keys()].sort()).toEqual([
      ...['GET /orders', 'GET /orders/{{id}}', 'GET {{place}}', 'POST /orders'],
    ]);
    expect((counts.get('POST /orders') ?? 0) / (counts.get('GET /orders') ?? 0)).toBeCloseTo(3, 0);
    expect(verified).toMatchObject({ checkedRequests: 4, restoredMs: [expect.any(Number), expect.any(Number)] });
  },
  180_000,
);

const BUY = `
import type { WarmUp } from 'crac-build/warm-up';
const warmUp: WarmUp = async (app) => {
  const made = await app.request('POST', '/orders', { json: { item: app.n }, expect: 201 });
  await app.request('GET', \`/orders/\${made.jsonPath('$.id')}\`, { endpoint: '/orders/{id}' });
  if (app.n === 10) app.log(\`classes: \${(await app.jvm())?.loadedClasses}\`);
};
export default warmUp;
`;

test.each(['oci', 'docker'])(
  'in the engine %s a script, a command of the container and a class of the app warm it up; the script is run on the restored one, too',
  async (engine) => {
    await writeFile(join(dir, 'buy.ts'), BUY);
    const scenarios = [
      { name: 'buy', script: 'buy.ts' },
      { name: 'status', command: ['/opt/crac/ctl', 'status'], count: 2 },
      { name: 'inside', javaClass: 'Shop$Warm' },
    ];
    const config = await writeConfig({ readiness: { tcp: 8080 }, warmUp: { scenarios, until: { requests: 60 } } });
    const { stdout, stderr, exitCode } = await runCli(['build', '--config', config, '--engine', engine, '--json']);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { warmth, verified } = JSON.parse(stdout);
    const names = warmth.endpoints.map(({ method, path }: { method: string; path: string }) => `${method} ${path}`);
    expect(names).toEqual(['POST /orders', 'GET /orders/{id}']);
    expect(verified.checkedRequests).toBe(2);
    expect(verified.firstRequests.restored.count).toBeGreaterThan(10);
    expect(stderr).toMatch(/buy: classes: [1-9]\d\d/);
  },
  120_000,
);

test('an app is warmed up until it has settled, and not beyond', async () => {
  const warmUp = { scenarios: [ORDER, COUNT], until: { requests: 10 } };
  const config = await writeConfig({ readiness: { tcp: 8080 }, warmUp });
  // On the command line, which wins over the file. A busy machine may need long.
  const flags = ['--warm-up-until', 'settled', '--warm-up-min', '4s', '--warm-up-max', '100s'];
  const { stdout, stderr } = await runCli(['build', '--config', config, '--engine', 'oci', '--json', ...flags]);
  const { warmth, plan, verified } = JSON.parse(stdout);
  expect(plan.warmUp).toMatchObject({
    until: { kind: 'settled' },
    min: { durationMs: 4000 },
    max: { durationMs: 100_000 },
  });
  expect(warmth.stopped).toMatchObject({
    reason: 'settled',
    why: expect.stringMatching(/nothing was left to be compiled/),
  });
  expect(warmth.durationMs).toBeGreaterThanOrEqual(4000);
  expect(warmth.durationMs).toBeLessThan(100_000);
  // It was busy before it settled, and said so.
  expect(stderr).toMatch(/requests were answered; (methods were|\d+ methods a second|the compilers used|\d+ classes)/);
  const compiled = warmth.curve.jit.compilations as number[];
  expect(compiled.at(-1)).toBeLessThan(Math.max(...compiled) / 5);
  const { restored, cold } = verified.firstRequests;
  expect(restored.p50Ms).toBeLessThan(cold.p50Ms);
}, 180_000);

test.each<[string, object, string, RegExp]>([
  [
    'an endpoint hangs',
    { warmUp: { scenarios: [COUNT, { steps: ['GET /hangs'] }], timeout: '2s' } },
    'WARM_UP_FAILED',
    /^the warm-up was not done after 2.0 s: .*; GET \/hangs has been waiting for an answer for /,
  ],
  [
    'a capture finds nothing',
    {
      warmUp: {
        scenarios: [
          { steps: [{ path: '/orders', capture: { id: { json: '$.orders[0].id' } } }, 'GET /orders/{{id}}'] },
        ],
      },
    },
    'WARM_UP_FAILED',
    /^warm-up: GET \/orders answered without what \{\{id\}\} is captured from: JSON path \$\.orders\[0\]\.id\n.*answer: 200\n.*"count":0/s,
  ],
  [
    'an order is another’s',
    { warmUp: { scenarios: [ORDER, { steps: ['GET /orders/1'] }], concurrency: 2, until: { requests: 100 } } },
    'WARM_UP_FAILED',
    /^warm-up: GET \/orders\/1 answered 403 instead of 200\nanswer: 403\n/,
  ],
  [
    'a script throws',
    { warmUp: { scenarios: [{ script: 'throws.ts' }] } },
    'WARM_UP_FAILED',
    /^warm-up: the script failed at \/.*\/throws\.ts:3: no tea\n {2}at .*throws\.ts:3:9\)\n/,
  ],
  [
    'a class is not there',
    { warmUp: { scenarios: [{ javaClass: 'com.example.Gone' }] } },
    'WARM_UP_FAILED',
    /^warm-up: there is no class com\.example\.Gone in the app\n/,
  ],
  [
    'a command fails',
    { warmUp: { scenarios: [{ command: ['/opt/crac/ctl', 'nonsense'] }] } },
    'WARM_UP_FAILED',
    /^warm-up: the command `\/opt\/crac\/ctl nonsense` ended with exit code 2\n/,
  ],
  [
    'the command never succeeds',
    { readiness: { command: ['/opt/crac/ctl', 'nonsense'], timeout: '1s' } },
    'APP_NOT_READY',
    /`\/opt\/crac\/ctl nonsense` in the container was to end with exit code 0; at last: it ended with exit code 2/,
  ],
])(
  'a build in which %s fails, with what was answered, and makes no image',
  async (_, settings, code, message) => {
    const output = join(dir, 'none');
    const readiness = { path: '/orders' };
    const config = await writeConfig({ readiness, engine: 'oci', outputs: [`oci:${output}`], ...settings });
    const { exitCode, stdout } = await runCli(['build', '--config', config, '--json']);
    const { error } = JSON.parse(stdout);
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 1, code });
    expect([error.message, ...error.details].join('\n')).toMatch(message);
    expect(error.details.join('\n')).toContain('shop: opening');
    await expect(access(output)).rejects.toThrow();
  },
  90_000,
);
