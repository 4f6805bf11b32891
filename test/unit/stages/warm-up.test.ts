import type { Settings } from '../../../src/config/settings.ts';
import { launchApp } from '../../../src/stages/launch.ts';
import { warmUpApp } from '../../../src/stages/warm-up.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { samplePlan } from '../../support/sample-plan.ts';

type Requests = NonNullable<Settings['warmUp']>['requests'];

async function warmUp(
  requests: Requests,
  app: FakeApp,
  options: { timeout?: number; abortAfterMs?: number; exitAfterMs?: number } = {},
) {
  const controller = new AbortController();
  const engine = openFakeEngine(app);
  const world = fakeWorld(engine, controller.signal);
  const plan = samplePlan({ readiness: { path: '/ready' }, warmUp: { requests, timeout: options.timeout ?? 10_000 } });
  await using running = await launchApp(plan, NO_IMAGE, world);
  engine.requests.length = 0;
  if (options.abortAfterMs !== undefined) setTimeout(() => controller.abort(), options.abortAfterMs);
  if (options.exitAfterMs !== undefined) setTimeout(() => engine.exitAll(3), options.exitAfterMs);
  const outcome = await warmUpApp(plan, running, world).then(
    (report) => ({ report, error: undefined }),
    (error: unknown) => ({ report: undefined, error }),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { ...outcome, requests: [...engine.requests], openConnections: engine.openConnections(), engine };
}

const readyOr = (answer: NonNullable<FakeApp['answer']>): FakeApp => ({
  answer: (request, body, spec) => (request.url === '/ready' ? { status: 200 } : answer(request, body, spec)),
});

test('sends each request as often as the plan says, in order, and closes its connections', async () => {
  const { report, requests, openConnections } = await warmUp(
    [
      { path: '/a', count: 30, concurrency: 4 },
      { path: '/b', method: 'POST', body: 'x', count: 3, status: 201 },
    ],
    readyOr((request) => ({ status: request.method === 'POST' ? 201 : 200 })),
  );
  expect(requests.filter((request) => request === 'GET /a')).toHaveLength(30);
  expect(requests.slice(30)).toEqual(['POST /b', 'POST /b', 'POST /b']);
  expect(openConnections).toBe(0);
  expect(report).toMatchObject({
    requestCount: 33,
    endpoints: [
      { method: 'GET', path: '/a', count: 30 },
      { method: 'POST', path: '/b', count: 3 },
    ],
  });
  expect(report?.endpoints[0]?.first.p99Ms).toBeGreaterThan(0);
});

test('headers and body arrive', async () => {
  const seen: unknown[] = [];
  await warmUp(
    [
      {
        path: '/',
        method: 'PUT',
        headers: { 'x-a': 'b', 'content-type': 'application/json' },
        body: '{"a":"é"}',
        count: 1,
      },
    ],
    readyOr((request, body) => {
      seen.push([request.headers['x-a'], request.headers['content-type'], body]);
      return { status: 200 };
    }),
  );
  expect(seen).toEqual([['b', 'application/json', '{"a":"é"}']]);
});

test('never more at once than the concurrency', async () => {
  let now = 0;
  let most = 0;
  const engine = openFakeEngine({
    answer: () => {
      most = Math.max(most, ++now);
      setTimeout(() => now--, 1);
      return { status: 200 };
    },
  });
  const plan = samplePlan({ warmUp: { requests: [{ path: '/', count: 40, concurrency: 3 }] } });
  const world = fakeWorld(engine);
  await using app = await launchApp(plan, NO_IMAGE, world);
  await warmUpApp(plan, app, world);
  expect(engine.openConnections()).toBeLessThanOrEqual(3);
  expect(most).toBeGreaterThan(0);
});

test('a wrong status ends it, with the answer and the app’s last lines', async () => {
  let count = 0;
  const app = readyOr(() => (++count === 5 ? { status: 500, body: 'NullPointerException' } : { status: 200 }));
  const { error, requests, openConnections } = await warmUp([{ path: '/a', count: 100 }], {
    ...app,
    lines: ['at Main'],
  });
  expect(error).toMatchObject({
    code: 'WARM_UP_FAILED',
    message: 'warm-up: GET /a answered 500 instead of 200',
    details: ['answer: 500', '  NullPointerException', 'at Main'],
  });
  expect(requests).toHaveLength(5);
  expect(openConnections).toBe(0);
});

test('an answer without the text that it must have ends it', async () => {
  const app = readyOr(() => ({ status: 200, body: '{"items":[]}' }));
  const { error, requests } = await warmUp([{ path: '/a', count: 100, contains: '"id":17' }], app);
  expect(error).toMatchObject({
    code: 'WARM_UP_FAILED',
    message: 'warm-up: GET /a answered without "\\"id\\":17"',
    details: ['answer: 200', '  {"items":[]}'],
  });
  expect(requests).toHaveLength(1);
});

test('an app that exits meanwhile is told as such', async () => {
  const { error } = await warmUp(
    [{ path: '/a', count: 1 }],
    { ...readyOr(() => 'hang'), lines: ['OutOfMemoryError'] },
    { exitAfterMs: 50 },
  );
  expect(error).toMatchObject({
    code: 'APP_EXITED',
    message: expect.stringContaining('code 3 during warm-up'),
    details: ['OutOfMemoryError'],
  });
});

test('its time limit ends it', async () => {
  const { error, openConnections } = await warmUp(
    [{ path: '/a', count: 1 }],
    readyOr(() => 'hang'),
    { timeout: 2000 },
  );
  expect(error).toMatchObject({
    code: 'WARM_UP_FAILED',
    message: expect.stringMatching(
      /^the warm-up was not done after 2.0 s: 0 of 1 requests were answered; GET \/a has been waiting for an answer for [\d.]+ m?s$/,
    ),
  });
  expect(openConnections).toBe(0);
});

test('an abort ends it and leaves no connection', async () => {
  const { error, openConnections, engine } = await warmUp(
    [{ path: '/a', count: 1 }],
    readyOr(() => 'hang'),
    {
      abortAfterMs: 50,
    },
  );
  expect(error).toBeDefined();
  expect(openConnections).toBe(0);
  expect(engine.left()).toEqual([]);
});

describe('scenarios', () => {
  const scenarios = [
    { name: 'a', weight: 2, steps: [{ path: '/a/{{n}}' }] },
    { name: 'b', steps: [{ path: '/b' }, { path: '/c' }] },
  ];
  const run = async (settings: Settings['warmUp'], app: FakeApp = {}) => {
    const engine = openFakeEngine(app);
    const world = fakeWorld(engine);
    const plan = samplePlan({ readiness: { tcp: 9000 }, warmUp: { scenarios, ...settings } });
    await using running = await launchApp(plan, NO_IMAGE, world);
    return { report: await warmUpApp(plan, running, world), requests: engine.requests, world };
  };

  test('end after as many answers as are wanted; counts of requests are shares then', async () => {
    const { report, requests } = await run({ requests: [{ path: '/first/{{n}}', count: 3 }], until: { requests: 20 } });
    expect(requests.slice(0, 6).filter((line) => line.startsWith('GET /first/'))).toHaveLength(3);
    expect(requests.filter((line) => line.startsWith('GET /first/')).length).toBeGreaterThan(3);
    expect(report.requestCount).toBeGreaterThanOrEqual(20);
    expect(report.requestCount).toBeLessThan(22);
    expect(report.requestCount).toBe(requests.length);
  });

  test('come after requests with counts', async () => {
    const { report, requests } = await run({ requests: [{ path: '/first/{{n}}', count: 3 }], max: { requests: 20 } });
    expect(requests.slice(0, 3)).toEqual(['GET /first/1', 'GET /first/2', 'GET /first/3']);
    const rest = requests.slice(3);
    expect(rest.length).toBeGreaterThanOrEqual(20);
    expect(rest.length).toBeLessThan(22);
    const numbers = rest
      .filter((line) => line.startsWith('GET /a/'))
      .map((line) => Number(line.slice('GET /a/'.length)));
    expect(Math.min(...numbers)).toBeGreaterThan(3);
    expect(report.endpoints.map(({ path }) => path).sort()).toEqual(['/a/{{n}}', '/b', '/c', '/first/{{n}}']);
    expect(report.endpoints.reduce((sum, { count }) => sum + count, 0)).toBe(requests.length);
  });

  test('end after a time, which is told every second', async () => {
    const { report, world } = await run({ until: { duration: 1200 }, concurrency: 2 });
    expect(report.durationMs).toBeGreaterThan(1150);
    expect(report.durationMs).toBeLessThan(5000);
    const texts = world.events.map((event) => event.type === 'stage-progress' && event.text);
    expect(texts).toContainEqual(expect.stringMatching(/^\d+ requests were answered$/));
    expect(texts).toContain('mixed: a, b');
  });

  test('that are settled end at the latest when they may, and tell why they have not', async () => {
    const { report } = await run({ max: { duration: 300 } });
    expect(report.durationMs).toBeGreaterThan(280);
    expect(report.durationMs).toBeLessThan(3000);
    expect(report.stopped).toEqual({ reason: 'limit', why: 'the JVM has not told yet what its compilers do' });
  });

  /** A JVM whose compilers rest. */
  const idle = (startedMs: number): FakeApp => ({
    ctl: async ([command, , forMs]) => {
      const facts = { compilerNs: 5e8, awakeCompilers: 0, compilations: 400, discardedCode: 0, loadedClasses: 900 };
      const lines: string[] = [];
      do {
        const atNs = (performance.now() - startedMs) * 1e6;
        lines.push(JSON.stringify({ atNs, ...facts, collections: 1, collectionNs: 1e6 }));
        if (Number(forMs) > 0) await new Promise((resolve) => setTimeout(resolve, 250));
      } while (lines.length * 250 <= Number(forMs));
      return { exitCode: 0, stdout: command === 'facts' ? lines.join('\n') : '', stderr: '' };
    },
  });

  test('and end when the app has settled', async () => {
    const { report, world } = await run({ min: { duration: 1000 }, rate: 100 }, idle(performance.now() + 1e6));
    expect(report.stopped).toEqual({ reason: 'settled', why: expect.stringMatching(/^for 3.0 s nothing was left/) });
    expect(report.durationMs).toBeGreaterThan(4000);
    const texts = world.events.map((event) => event.type === 'stage-progress' && event.text);
    expect(texts).toContainEqual(
      expect.stringMatching(/^\d+ requests were answered; it has not been going on for 3.0 s yet$/),
    );
    expect(report.curve.jit.compilations.every((count) => count === 0)).toBe(true);
  }, 30_000);

  test.each([
    [{ until: { requests: 20 } }, { reason: 'requests', why: '20 requests were answered' }],
    [{ until: { duration: 200 } }, { reason: 'duration', why: 'it went on for 200 ms' }],
    [
      { scenarios: [], requests: [{ path: '/', count: 1 }] },
      { reason: 'counts', why: expect.any(String) },
    ],
  ])('the report says why it ended: %j', async (settings, stopped) => {
    expect((await run(settings)).report.stopped).toEqual(stopped);
  });
});
