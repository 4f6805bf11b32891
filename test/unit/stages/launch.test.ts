import type { Settings } from '../../../src/config/settings.ts';
import { launchApp, planBuildContainer } from '../../../src/stages/launch.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const plan = samplePlan({ readiness: { path: '/ready', timeout: 2000 } });

test('returns once the readiness path answers as expected, and leaves nothing when disposed', async () => {
  let asked = 0;
  const engine = openFakeEngine({ listensAfterMs: 100, answer: () => ({ status: ++asked < 4 ? 503 : 200 }) });
  const app = await launchApp(plan, NO_IMAGE, fakeWorld(engine));
  expect(asked).toBe(4);
  expect(engine.requests.every((request) => request === 'GET /ready')).toBe(true);
  expect(engine.left()).toHaveLength(2);
  await app[Symbol.asyncDispose]();
  expect(engine.left()).toEqual([]);
});

test('its readiness connections are closed', async () => {
  const engine = openFakeEngine();
  await using _app = await launchApp(plan, NO_IMAGE, fakeWorld(engine));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(engine.openConnections()).toBe(0);
});

test('an app that exits is told with its code and last lines', async () => {
  const engine = openFakeEngine({
    listensAfterMs: 10_000,
    exits: { code: 1, afterMs: 50 },
    lines: ['Error: Unable to access jarfile'],
  });
  await expect(launchApp(plan, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'APP_EXITED',
    message: 'the app exited with code 1 before it was ready',
    details: ['Error: Unable to access jarfile'],
  });
  expect(engine.left()).toEqual([]);
});

test.each([
  ['refuses connections', { listensAfterMs: 60_000 }, 'connection refused'],
  ['answers otherwise', { answer: () => ({ status: 404 }) }, 'it answered 404'],
  ['never answers', { answer: () => 'hang' as const }, 'it accepted the connection and did not answer in time'],
])('an app that %s is not ready', async (_, app, lastSeen) => {
  const engine = openFakeEngine({ ...app, lines: ['waiting for the database'] });
  const quick = samplePlan({ readiness: { timeout: 300 } });
  await expect(launchApp(quick, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'APP_NOT_READY',
    message: expect.stringContaining(lastSeen),
    details: ['waiting for the database'],
  });
  expect(engine.left()).toEqual([]);
});

test.each([
  ['waits for', { state: 'waiting', checkpointing: true, last: null }],
  [
    'was refused',
    {
      state: 'running',
      checkpointing: false,
      last: { outcome: 'not taken', error: 'nobody came to take the checkpoint within 60 s (…)', details: [] },
    },
  ],
])('an app that %s a checkpoint of its own is told how the build waits for that', async (_, status) => {
  const ctl = () => ({ exitCode: 0, stdout: JSON.stringify(status), stderr: '' });
  const engine = openFakeEngine({ listensAfterMs: 60_000, ctl });
  const quick = samplePlan({ readiness: { timeout: 100 } });
  await expect(launchApp(quick, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'APP_NOT_READY',
    message: 'the app was not ready, but asked for its checkpoint by itself',
    hint: expect.stringContaining('--trigger app'),
  });
});

test('an app that asks for its checkpoint by itself is asked nothing', async () => {
  const engine = openFakeEngine();
  const own = samplePlan({ readiness: { path: '/ready' }, checkpoint: { trigger: 'app' } });
  await using _app = await launchApp(own, NO_IMAGE, fakeWorld(engine));
  expect(engine.requests).toEqual([]);
});

test('who waits longer than most is told for what, once for each change', async () => {
  let asked = 0;
  const startedMs = performance.now();
  const answer = () => {
    asked += 1;
    const elapsedMs = performance.now() - startedMs;
    return { status: elapsedMs < 3300 ? 404 : elapsedMs < 3600 ? 503 : 200 };
  };
  const world = fakeWorld(openFakeEngine({ answer }));
  await using _app = await launchApp(samplePlan({ readiness: { timeout: 6000 } }), NO_IMAGE, world);
  expect(asked).toBeGreaterThan(10);
  expect(world.events.map((event) => event.type === 'stage-progress' && event.text)).toEqual([
    'waiting for GET :8080/',
    'still waiting for GET :8080/: it answered 404',
    'still waiting for GET :8080/: it answered 503',
  ]);
}, 10_000);

test('an abort while it waits leaves nothing', async () => {
  const controller = new AbortController();
  const engine = openFakeEngine({ answer: () => 'hang' });
  const launching = launchApp(plan, NO_IMAGE, fakeWorld(engine, controller.signal));
  setTimeout(() => controller.abort(), 50);
  await expect(launching).rejects.toThrow();
  expect(engine.left()).toEqual([]);
});

test('the image is given back where no container starts', async () => {
  const engine = openFakeEngine();
  const broken = { ...engine, launchContainer: () => Promise.reject(new Error('no')) };
  await expect(launchApp(plan, NO_IMAGE, fakeWorld(broken))).rejects.toThrow('no');
  expect(engine.left()).toEqual([]);
});

test('the build container gets what a dump needs, and all ports that are used', () => {
  const spec = planBuildContainer(
    samplePlan({
      app: { ports: [1, 2], user: { uid: 7, gid: 8 } },
      readiness: { port: 3 },
      warmUp: { requests: [{ path: '/', port: 4 }] },
    }),
    'image',
    'id',
  );
  expect(spec).toMatchObject({
    user: '7:8',
    ports: [1, 2, 3, 4],
    capabilities: ['CHECKPOINT_RESTORE', 'SYS_PTRACE', 'SETUID', 'SETGID'],
    seccomp: 'unconfined',
    noNewPrivileges: false,
  });
});

test.each<[string, NonNullable<Settings['readiness']>, FakeApp]>([
  ['accepts a connection', { tcp: 9000 }, { listensAfterMs: 100 }],
  ['prints a line', { log: 'Started .* in' }, { lines: ['Started Orders in 2 s'] }],
  ['lets a command succeed', { command: ['check', '--ready'] }, {}],
])('returns once the app %s, and asks it nothing', async (_, readiness, app) => {
  const ctl = (words: readonly string[]) => ({ exitCode: words[0] === '--ready' ? 0 : 1, stdout: '', stderr: '' });
  const engine = openFakeEngine({ ...app, ctl });
  const world = fakeWorld(engine);
  await using _app = await launchApp(samplePlan({ readiness, app: { ports: [9000] } }), NO_IMAGE, world);
  expect(engine.requests).toEqual([]);
  expect(world.events).toHaveLength(1);
});
