import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { stringify } from 'yaml';
import { loadSettings } from '../../../src/config/load-settings.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { renderError } from '../../../src/report/render-error.ts';
import { launchApp } from '../../../src/stages/launch.ts';
import { verifyImage } from '../../../src/stages/verify.ts';
import { warmUpApp } from '../../../src/stages/warm-up.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { expectGolden } from '../../support/golden.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const require = createRequire(import.meta.url);
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-scripts-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

let files = 0;
async function write(text: string, name = `script-${++files}.ts`): Promise<string> {
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

type WarmUp = NonNullable<Settings['warmUp']>;

/** Warms up a server in this process, and says what that has seen. */
async function warmUp(
  settings: WarmUp,
  app: FakeApp = {},
  /** When the script has logged its first line. */
  options: { abort?: true; exit?: true } = {},
) {
  const controller = new AbortController();
  const engine = openFakeEngine(app);
  const world = { ...fakeWorld(engine, controller.signal), workDir: dir };
  const plan = samplePlan({ readiness: { tcp: 8080 }, warmUp: { timeout: 10_000, ...settings } });
  await using running = await launchApp(plan, NO_IMAGE, world);
  const begun = setInterval(() => {
    if (!world.events.some((event) => event.type === 'stage-progress' && event.text.startsWith('mine: '))) return;
    clearInterval(begun);
    if (options.abort) controller.abort();
    if (options.exit) engine.exitAll(3);
  }, 10);
  const startedMs = performance.now();
  const outcome = await warmUpApp(plan, running, world).then(
    (report) => ({ report, error: undefined }),
    (error: Error) => ({ report: undefined, error }),
  );
  const elapsedMs = performance.now() - startedMs;
  clearInterval(begun);
  for (let tries = 0; engine.openConnections() > 0 && tries < 100; tries++) await sleep(10);
  const told = world.events.flatMap((event) => (event.type === 'stage-progress' ? [event.text] : []));
  return { ...outcome, elapsedMs, requests: [...engine.requests], left: engine.openConnections(), told };
}

const once = async (text: string, more: object = {}) => ({
  scenarios: [{ name: 'mine', script: await write(text), count: 1, ...more }],
});
const main = (body: string) => `export default async (app: any) => {\n${body}\n};\n`;

test('a script asks over the warm-up’s connections, and each request is a sample', async () => {
  const text = `
import type { WarmUp } from 'crac-build/warm-up';
enum Kind { Tea = 'tea' }
const warmUp: WarmUp = async (app) => {
  const made = await app.request('POST', '/orders', { json: { item: Kind.Tea }, headers: { 'X-A': 'b' }, expect: { status: 201, contains: 'id' } });
  const id = made.jsonPath('$.id');
  const page = await app.request('GET', \`/orders/\${id}\`, { endpoint: '/orders/{id}' });
  app.log('csrf ' + page.regex(/csrf=(\\w+)/) + ' ' + page.header('ETag') + ' ' + page.status);
  await app.request('PUT', '/form', { form: { a: 'b c' }, expect: 404 });
  await app.request('PUT', '/raw', { body: 'raw {{n}}', expect: false });
};
export default warmUp;
`;
  const seen: unknown[] = [];
  const { report, error, told, left } = await warmUp(await once(text, { count: 20 }), {
    answer: ({ method, url = '', headers }, body) => {
      if (seen.length < 4) seen.push([method, url, body, headers['content-type'], headers['x-a']]);
      if (method === 'POST') return { status: 201, body: '{"id":17}', headers: { 'content-type': 'application/json' } };
      return { status: url === '/orders/17' ? 200 : 404, body: 'csrf=abc', headers: { etag: '7' } };
    },
  });
  expect(error).toBeUndefined();
  expect(seen).toEqual([
    ['POST', '/orders', '{"item":"tea"}', 'application/json', 'b'],
    ['GET', '/orders/17', '', undefined, undefined],
    ['PUT', '/form', 'a=b+c', 'application/x-www-form-urlencoded', undefined],
    ['PUT', '/raw', 'raw {{n}}', undefined, undefined],
  ]);
  expect(report?.requestCount).toBe(80);
  expect(report?.endpoints.map(({ method, path, count }) => `${method} ${path} ${count}`)).toEqual([
    'POST /orders 20',
    'GET /orders/{id} 20',
    'PUT /form 20',
    'PUT /raw 20',
  ]);
  expect(told).toContain('mine: csrf abc 7 200');
  expect(left).toBe(0);
  expect((await readdir(dir)).filter((name) => !name.endsWith('.ts'))).toEqual([]);
}, 20_000);

test('each run has cookies of its own', async () => {
  const text = main("await app.request('GET', '/login'); await app.request('GET', '/page');");
  const cookies: unknown[] = [];
  let logins = 0;
  await warmUp(await once(text, { count: 2 }), {
    answer: ({ url, headers }) => {
      cookies.push(headers.cookie);
      return { status: 200, headers: url === '/login' ? { 'set-cookie': `id=${++logins}; Path=/` } : {} };
    },
  });
  expect(cookies).toEqual([undefined, 'id=1', undefined, 'id=2']);
});

test('runs are numbered and drawn for as those of other scenarios: the same seed, the same sequence', async () => {
  const script = await write(
    main("await app.request('GET', '/' + [app.n, app.user, app.seed, app.options.a, app.random()].join('/'));"),
  );
  const scenarios = [
    { name: 'a', script, options: { a: 'x' }, weight: 2 },
    { name: 'b', steps: [{ path: '/b' }] },
  ];
  const settings: WarmUp = { scenarios, seed: 5, until: { requests: 30 } };
  const [first, again, other] = [
    await warmUp(settings),
    await warmUp(settings),
    await warmUp({ ...settings, seed: 6 }),
  ];
  expect(first.error).toBeUndefined();
  expect(first.requests).toContainEqual(expect.stringMatching(/^GET \/\d+\/1\/5\/x\/0\.\d+$/));
  expect(first.requests.filter((line) => line === 'GET /b').length).toBeGreaterThanOrEqual(9);
  expect(again.requests.slice(0, 30)).toEqual(first.requests.slice(0, 30));
  expect(other.requests.slice(0, 30)).not.toEqual(first.requests.slice(0, 30));
}, 20_000);

test('it learns what the JVM does and where the app is, and measures what it does by other means', async () => {
  const facts = {
    atNs: 1e9,
    compilerNs: 5e8,
    awakeCompilers: 0,
    compilations: 400,
    discardedCode: 0,
    loadedClasses: 900,
    collections: 1,
    collectionNs: 1e6,
  };
  const text = `
import { connect } from 'node:net';
${main(`
  app.log(JSON.stringify(await app.jvm()));
  const { host, port } = await app.endpoint();
  await app.measure('tcp :8080', () => new Promise((done) => connect({ host, port }, done)));
  console.log('printed');
`)}`;
  const { report, told, error, left } = await warmUp(await once(text), {
    ctl: ([command]) => ({ exitCode: 0, stdout: command === 'facts' ? JSON.stringify(facts) : '', stderr: '' }),
  });
  expect(error).toBeUndefined();
  expect(told).toContain(
    'mine: {"awakeCompilers":0,"compilations":400,"discardedCode":0,"loadedClasses":900,"collections":1,"compilerMs":500,"collectionMs":1}',
  );
  expect(told.filter((line) => line.includes('printed'))).toEqual(['mine: printed']);
  expect(report?.endpoints).toMatchObject([{ method: 'tcp', path: ':8080', count: 1 }]);
  expect(left).toBe(0); // the script left its connection open
});

test('it calls gRPC services with a client of its own, and each call counts', async () => {
  const asBytes = (text: string) => Buffer.from(text);
  const method = { requestSerialize: asBytes, requestDeserialize: String, path: '/shop.Orders/Find' };
  const find = {
    ...method,
    ...{ requestStream: false, responseStream: false, responseSerialize: asBytes, responseDeserialize: String },
  };
  const server = new Server();
  server.addService(
    { find },
    {
      find: (call: { request: string }, answer: (error: null, value: string) => void) =>
        answer(null, `order ${call.request}`),
    },
  );
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const text = `
import { Client, credentials } from '${require.resolve('@grpc/grpc-js')}';
${main(`
  const { host, port } = await app.endpoint();
  const client = new Client(host + ':' + port, credentials.createInsecure());
  const find = (id: string) =>
    new Promise((done, fail) =>
      client.makeUnaryRequest('/shop.Orders/Find', Buffer.from, String, id, (error, found) => (error ? fail(error) : done(found))),
    );
  for (const id of ['1', '2', '3']) {
    const found = await app.measure('grpc shop.Orders/Find', () => find(id));
    if (found !== 'order ' + id) throw new Error('found ' + found);
  }
`)}`;
  const { report, error } = await warmUp(await once(text), {
    onServer: (http) => {
      http.removeAllListeners('connection');
      http.on('connection', (socket) => injector.injectConnection(socket));
    },
  });
  server.forceShutdown();
  expect(error).toBeUndefined();
  expect(report?.endpoints).toMatchObject([{ method: 'grpc', path: 'shop.Orders/Find', count: 3 }]);
});

test('where no JVM answers it is told nothing', async () => {
  const { told } = await warmUp(await once(main('app.log(String(await app.jvm()));')));
  expect(told).toContain('mine: undefined');
});

test('it imports files and packages, and JavaScript is as good', async () => {
  await write('export const path = "/from-another-file";', 'other.ts');
  const script = await write(
    `import { path } from './other.ts';\nimport { WebSocket } from 'undici';\nimport { basename } from 'node:path';\nexport default async (app) => app.request('GET', path + typeof WebSocket + basename(import.meta.filename) + basename(import.meta.dirname));\n`,
    'plain.mjs',
  );
  const { requests, error } = await warmUp({ scenarios: [{ script, count: 1 }] });
  expect(error).toBeUndefined();
  expect(requests).toEqual([expect.stringMatching(/^GET \/from-another-filefunctionplain\.mjscrac-scripts-/)]);
});

test('an app has not settled before each script was through once', async () => {
  const idle = { compilerNs: 5e8, awakeCompilers: 0, compilations: 400, discardedCode: 0, loadedClasses: 900 };
  const app: FakeApp = {
    ctl: async ([command, , forMs]) => {
      const lines: string[] = [];
      do {
        lines.push(JSON.stringify({ atNs: performance.now() * 1e6, ...idle, collections: 1, collectionNs: 1e6 }));
        if (Number(forMs) > 0) await sleep(250);
      } while (lines.length * 250 <= Number(forMs));
      return { exitCode: 0, stdout: command === 'facts' ? lines.join('\n') : '', stderr: '' };
    },
  };
  const script = await write(main("await app.request('GET', '/late');"));
  /** With this seed it is dealt as the 665th of 701. */
  const scenarios = [
    { weight: 700, steps: [{ path: '/often', think: 10 }] },
    { name: 'late', script },
  ];
  const until = { min: { duration: 0 }, max: { duration: 60_000 }, timeout: 90_000 };
  const { report, requests, told } = await warmUp({ scenarios, seed: 26, ...until }, app);
  expect(requests.indexOf('GET /late')).toBeGreaterThan(500);
  expect(told.filter((line) => line.endsWith('; late has not been run yet')).length).toBeGreaterThan(3);
  expect(report?.stopped.reason).toBe('settled');
}, 90_000);

describe('fails', () => {
  const lines = ['last line'];
  const json = { 'content-type': 'application/json' };
  const scripts: Readonly<Record<string, readonly [string, FakeApp?]>> = {
    'it throws': [main('  const order: string = "tea";\n  throw new RangeError("no " + order);')],
    'it throws in a function': [`function check(): never {\n  throw new Error('too few');\n}\n${main('  check();')}`],
    'what it throws is no error': [main('  throw "a text";')],
    'an answer is wrong': [
      main("  const id = 17;\n  await app.request('GET', '/a/' + id, { endpoint: '/a/{id}' });"),
      { answer: () => ({ status: 500, body: '{"error":"boom"}', headers: json }) },
    ],
    'an answer has nothing to be found': [
      main("  const answer = await app.request('GET', '/a');\n  answer.jsonPath('$.id');"),
      { answer: () => ({ status: 200, body: '[]', headers: json }) },
    ],
    'no answer comes': [main("  await app.request('GET', '/a');"), { answer: () => 'destroy' }],
    'the port is none of the app’s': [main("  await app.request('GET', '/a', { port: 9999 });")],
    'the method is none': [main("  await app.request('get', '/a');")],
    'nobody waits for what it does': [
      main("  app.request('GET', '/a', { expect: 201 });\n  await new Promise(() => {});"),
    ],
    'it throws before it is called': ["\nthrow new Error('at once');\nexport default () => {};\n"],
    'it exports nothing': ['export const x = 1;\n'],
    'it ends its thread': [main('  process.exit(4);')],
  };
  test('as the golden file tells', async () => {
    const sections: string[] = [];
    for (const [name, [text, app]] of Object.entries(scripts)) {
      const script = await write(text, 'failing.ts');
      const { error, left } = await warmUp({ scenarios: [{ script, count: 1 }] }, { lines, ...app });
      expect(left).toBe(0);
      if (error === undefined) throw new Error(`${name}: it did not fail`);
      sections.push(`── ${name}\n${renderError(error)}`);
    }
    expectGolden('script-errors.txt', `${sections.join('\n').replaceAll(dir, '/work')}`);
  }, 60_000);
});

test('what it does not wait for belongs to it, and fails it', async () => {
  const { error, requests } = await warmUp(await once(main("app.request('GET', '/a', { expect: 201 });")));
  expect(error).toMatchObject({ code: 'WARM_UP_FAILED', message: expect.stringContaining('GET /a answered 200') });
  expect(requests).toHaveLength(1);
});

test('what it catches does not fail', async () => {
  const text = main("try { await app.request('GET', '/a'); } catch (error) { app.log(error.message); }");
  const { error, told } = await warmUp(await once(text), { answer: () => ({ status: 404 }) });
  expect(error).toBeUndefined();
  expect(told).toContain('mine: GET /a answered 404 instead of 200');
});

test.each([
  ['waits for ever', 'await new Promise(() => {});', /; the script \/.*\.ts has been running for /],
  ['never lets go', 'for (;;);', /; the script \/.*\.ts has been running for /],
  [
    'gets no answer',
    "await app.request('GET', '/hangs');",
    /; the script \/.*\.ts has been running for .*; GET \/hangs has been waiting for an answer for /,
  ],
])('a script that %s ends at the time limit, named', async (_, body, message) => {
  const { error, left, elapsedMs } = await warmUp(
    { ...(await once(main(body))), timeout: 1000 },
    { answer: () => 'hang' },
  );
  expect(error).toMatchObject({ code: 'WARM_UP_FAILED', message: expect.stringMatching(message) });
  expect(error?.message).toMatch(/^the warm-up was not done after 1.0 s: 0 requests were answered;/);
  expect(left).toBe(0);
  expect(elapsedMs).toBeLessThan(8000);
});

test('an abort ends it, and it is told', async () => {
  const text = main(
    "app.signal.addEventListener('abort', () => app.log('told')); app.log('begun'); await new Promise(() => {});",
  );
  const { error, told } = await warmUp(await once(text), {}, { abort: true });
  expect(error).toBeDefined();
  expect(told).toContain('mine: told');
});

test('an app that exits meanwhile is told as such', async () => {
  const { error } = await warmUp(
    await once(main("app.log('begun'); await new Promise(() => {});")),
    {},
    { exit: true },
  );
  expect(error).toMatchObject({ code: 'APP_EXITED', message: expect.stringMatching(/during warm-up \(the script /) });
});

describe('a command', () => {
  const fails: FakeApp = {
    ctl: ([command]) =>
      command === '-c' ? { exitCode: 3, stdout: 'one\n', stderr: 'two\n' } : { exitCode: 0, stdout: '', stderr: '' },
    lines: ['last line'],
  };
  const counting = (words: string[][]): FakeApp => ({
    ctl: (given) => {
      if (given[0] === '-c') words.push([...given]);
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  });
  const command = ['sh', '-c', 'echo {{n}}'];

  test('is run once in the container, before all that is mixed, or as often as is said', async () => {
    const words: string[][] = [];
    const { error, report } = await warmUp({ scenarios: [{ command }] }, counting(words));
    expect([error, words, report?.requestCount]).toEqual([undefined, [['-c', 'echo {{n}}']], 0]);
    await warmUp({ scenarios: [{ command, count: 3 }] }, counting(words));
    expect(words).toHaveLength(4);
    await warmUp(
      { scenarios: [{ command, weight: 1 }, { steps: [{ path: '/' }] }], until: { requests: 5 } },
      counting(words),
    );
    expect(words.length).toBeGreaterThanOrEqual(8);
  });

  test('that fails fails the warm-up, with its output', async () => {
    const { error } = await warmUp({ scenarios: [{ name: 'load', command }] }, fails);
    if (error === undefined) throw new Error('it did not fail');
    expectGolden('command-errors.txt', renderError(error));
  });

  test('that hangs ends at the time limit, named', async () => {
    const hangs: FakeApp = {
      ctl: ([word], signal) =>
        word === '-c'
          ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          : { exitCode: 0, stdout: '', stderr: '' },
    };
    const { error } = await warmUp({ scenarios: [{ command }], timeout: 300 }, hangs);
    expect(error?.message).toMatch(/; the command `sh -c echo \{\{n\}\}` has been running for /);
  });

  test('alone cannot be waited for by requests', () => {
    const settings = { warmUp: { scenarios: [{ command, weight: 1 }], until: { requests: 5 } } };
    expect(() => samplePlan(settings)).toThrow('warmUp.until waits for requests, and nothing that is mixed sends any');
  });
});

describe('a class of the app', () => {
  const answering = (exitCode: number, stdout: string, calls: string[] = []): FakeApp => ({
    ctl: ([command, name = '']) => {
      if (command !== 'call') return { exitCode: 0, stdout: '', stderr: '' };
      calls.push(name);
      return { exitCode, stdout, stderr: '' };
    },
    lines: ['last line'],
  });
  const javaClass = 'com.example.Warm';

  test('is called once, or as often as is said', async () => {
    const calls: string[] = [];
    const scenarios = [{ javaClass }, { javaClass: 'other.Warm', count: 2 }];
    const { error } = await warmUp({ scenarios }, answering(0, '{"called":"x","ms":1}\n', calls));
    expect([error, calls]).toEqual([undefined, [javaClass, 'other.Warm', 'other.Warm']]);
  });

  test('that throws fails the warm-up, with its stack', async () => {
    const answers = {
      'it throws':
        '{"error":"the class com.example.Warm threw java.lang.Exception: no tea","details":["  at com.example.Warm.main(Warm.java:7)"]}\n',
      'it is not there': '{"error":"there is no class com.example.Warm in the app","details":[]}\n',
      'the answer is not understood': 'what?\n',
    };
    const sections: string[] = [];
    for (const [name, answer] of Object.entries(answers)) {
      const { error } = await warmUp({ scenarios: [{ javaClass }] }, answering(1, answer));
      if (error === undefined) throw new Error('it did not fail');
      sections.push(`── ${name}\n${renderError(error)}`);
    }
    expectGolden('call-errors.txt', sections.join('\n'));
  });
});

test('scripts are run when the image is verified, too; commands are not', async () => {
  const script = await write(main("await app.request('GET', '/a'); await app.request('GET', '/b');"));
  const commands: unknown[] = [];
  const engine = openFakeEngine({
    ctl: (words) => {
      commands.push(words);
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  });
  const scenarios = [{ script }, { script, count: 2 }, { command: ['sh', '-c', 'x'] }, { javaClass: 'a.B' }];
  const plan = samplePlan({ readiness: { tcp: 8080 }, warmUp: { scenarios } });
  const report = await verifyImage(plan, NO_IMAGE, { ...fakeWorld(engine), workDir: dir });
  expect(report.checkedRequests).toBe(2);
  expect(report.firstRequests?.restored.endpoints.map(({ path }) => path)).toEqual(['/a', '/b']);
  expect(commands).toEqual([]);
  const broken = samplePlan({
    readiness: { tcp: 8080 },
    warmUp: { scenarios: [{ script: await write(main("throw new Error('no');")) }] },
  });
  await expect(verifyImage(broken, NO_IMAGE, { ...fakeWorld(openFakeEngine()), workDir: dir })).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: expect.stringMatching(
      /^verify: restored, scenario 1 is not as in the warm-up: the script failed at .*\.ts:2: no$/,
    ),
  });
}, 60_000);

test('in a config file a script is a file beside it, or the name of a ready one', async () => {
  const script = await write(main(''), 'own.ts');
  const load = async (given: string) => {
    await write(
      stringify({ warmUp: { scenarios: [{ script: given, options: { a: [1] }, port: 9 }] } }),
      'crac-build.yaml',
    );
    const { warmUp } = await loadSettings({ configFile: 'crac-build.yaml', flags: {}, cwd: dir });
    return warmUp?.scenarios?.[0]?.script;
  };
  expect(await load('own.ts')).toBe(script);
  expect(await load('openapi')).toMatch(/\/warmup-scripts\/openapi\.ts$/);
  await expect(load('missing.ts')).rejects.toThrow(
    /^crac-build\.yaml:3: warmUp\.scenarios\[0\]\.script: there is no \//,
  );
  await expect(load('openapy')).rejects.toMatchObject({
    message: expect.stringMatching(/script: there is no ready script "openapy"$/),
    hint: 'Did you mean "openapi"?',
  });
  await expect(load('k6')).rejects.toMatchObject({
    hint: expect.stringMatching(/^There are collection, login, openapi, websocket; /),
  });
});
