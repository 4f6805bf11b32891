import { distinctScenarios } from '../../../src/stages/first-requests.ts';
import { planProfile, verifyImage } from '../../../src/stages/verify.ts';
import { type FakeEngine, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const plan = samplePlan({
  warmUp: {
    requests: [{ path: '/a', count: 50 }, { path: '/b', method: 'POST', body: '1', status: 201 }, { path: '/a' }],
  },
  verify: { timeout: 2000 },
});
const answer = (request: { url?: string | undefined }) => ({ status: request.url === '/b' ? 201 : 200 });

test('restores twice, then starts cold, each under the same restrictions, and checks each kind of request', async () => {
  const engine = openFakeEngine({ answer });
  const report = await verifyImage(plan, NO_IMAGE, fakeWorld(engine));
  expect(engine.specs.map(({ environment }) => environment)).toEqual([
    { CRAC_RESTORE: 'require' },
    { CRAC_RESTORE: 'require' },
    { CRAC_RESTORE: 'off' },
  ]);
  for (const spec of engine.specs) {
    expect(spec).toMatchObject({
      user: '65432:65432',
      capabilities: [],
      seccomp: 'default',
      noNewPrivileges: true,
      readOnlyRoot: true,
      tmpfs: ['/tmp'],
    });
    expect(spec.entrypoint).toBeUndefined();
    expect(spec.command).toBeUndefined();
  }
  for (const requests of byStart(engine)) expect(requests.slice(0, 3)).toEqual(['GET /', 'GET /a', 'POST /b']);
  expect(report).toMatchObject({ restoredMs: [expect.any(Number), expect.any(Number)], checkedRequests: 2 });
  expect(report.coldMs).toBeGreaterThan(0);
  expect(engine.left()).toEqual([]);
});

/** What each container was asked, in the order of their starts. */
function byStart(engine: FakeEngine): readonly (readonly string[])[] {
  return engine.specs.map(({ name }) => engine.requestsOf(name));
}

test('the first users are imitated once restored and once cold, with what the warm-up repeated', async () => {
  const engine = openFakeEngine({ answer });
  const mixed = samplePlan({
    warmUp: {
      requests: [
        { path: '/b', count: 1, status: 201 },
        { path: '/a', count: 50 },
      ],
      scenarios: [{ weight: 3, steps: [{ path: '/c' }, { path: '/d' }] }],
      seed: 5,
    },
  });
  const { firstRequests } = await verifyImage(mixed, NO_IMAGE, fakeWorld(engine));
  const [restored = [], again, cold = []] = byStart(engine);
  expect(again).toHaveLength(5);
  for (const requests of [restored, cold]) {
    expect(requests.slice(0, 5)).toEqual(['GET /', 'GET /b', 'GET /a', 'GET /c', 'GET /d']);
    expect(requests.length - 1).toBeGreaterThanOrEqual(200);
    expect(requests.length - 1).toBeLessThan(202);
    expect(requests.filter((line) => line === 'GET /b')).toHaveLength(1);
  }
  expect(restored).toEqual(cold);
  for (const first of [firstRequests?.restored, firstRequests?.cold]) {
    expect(first).toMatchObject({ count: 200, maxMs: expect.any(Number) });
    expect(first?.endpoints.map(({ path }) => path)).toEqual(['/b', '/a', '/c', '/d']);
    expect(first?.endpoints.reduce((sum, { count }) => sum + count, 0)).toBe(200);
    expect(first?.p99Ms).toBeGreaterThan(0);
  }
});

test('an answer that is wrong only later is not overlooked', async () => {
  let count = 0;
  const engine = openFakeEngine({ answer: () => ({ status: ++count === 100 ? 500 : 200 }) });
  const one = samplePlan({ warmUp: { requests: [{ path: '/a', count: 50 }] } });
  await expect(verifyImage(one, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: 'verify: restored, GET /a is not as in the warm-up: GET /a answered 500 instead of 200',
  });
});

test('an image that does not restore fails, although it would start cold', async () => {
  const engine = openFakeEngine((spec) =>
    spec.environment['CRAC_RESTORE'] === 'require'
      ? {
          listensAfterMs: 60_000,
          exits: { code: 125, afterMs: 20 },
          lines: ['crac: cannot restore: the plan is cut off'],
        }
      : { answer },
  );
  await expect(verifyImage(plan, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: 'verify: the image was to be restored, but its process exited with code 125',
    details: ['crac: cannot restore: the plan is cut off'],
  });
  expect(engine.left()).toEqual([]);
});

test('an image that restores but cannot start cold fails', async () => {
  const engine = openFakeEngine((spec) =>
    spec.environment['CRAC_RESTORE'] === 'off' ? { listensAfterMs: 60_000 } : { answer },
  );
  const quick = { ...plan, verify: { ...plan.verify, timeoutMs: 200 } };
  await expect(verifyImage(quick, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: expect.stringContaining('started cold, the image did not answer GET :8080/ with 200 within 200 ms'),
  });
  expect(engine.left()).toEqual([]);
});

test('a second restore that fails is not covered by a first that works', async () => {
  let starts = 0;
  const engine = openFakeEngine(() =>
    ++starts === 2 ? { exits: { code: 139, afterMs: 0 }, listensAfterMs: 60_000 } : { answer },
  );
  await expect(verifyImage(plan, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({ code: 'VERIFY_FAILED' });
  expect(starts).toBe(2);
});

test('a wrong answer after a restore fails', async () => {
  const engine = openFakeEngine({
    answer: (request) => ({ status: request.url === '/a' ? 500 : 201 + -1 * Number(request.url === '/') }),
  });
  await expect(verifyImage(plan, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: 'verify: restored, GET /a is not as in the warm-up: GET /a answered 500 instead of 200',
  });
  expect(engine.left()).toEqual([]);
});

test('a right status without the text that the answer must have fails, in the second restore too', async () => {
  let starts = 0;
  const engine = openFakeEngine(() => {
    const start = ++starts;
    return { answer: () => ({ status: 200, body: start === 2 ? 'nobody' : 'made during warm-up' }) };
  });
  const requests = [{ path: '/a', contains: 'made during' }];
  await expect(verifyImage(samplePlan({ warmUp: { requests } }), NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: 'verify: restored, GET /a is not as in the warm-up: GET /a answered without "made during"',
  });
  expect(starts).toBe(2);
});

test('an answer that never comes fails within the time limit', async () => {
  const engine = openFakeEngine({ answer: (request) => (request.url === '/a' ? 'hang' : { status: 200 }) });
  const quick = { ...plan, verify: { ...plan.verify, timeoutMs: 200 } };
  await expect(verifyImage(quick, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: expect.stringContaining('not answered within 200 ms'),
  });
});

test('an abort leaves nothing', async () => {
  const controller = new AbortController();
  const engine = openFakeEngine({ answer: () => 'hang' });
  const verifying = verifyImage(plan, NO_IMAGE, fakeWorld(engine, controller.signal));
  setTimeout(() => controller.abort(), 50);
  await expect(verifying).rejects.toThrow();
  expect(engine.left()).toEqual([]);
});

test('the user is never the app’s own', () => {
  expect(planProfile(samplePlan({ app: { user: { uid: 65_432, gid: 1 } } })).user).toBe('65433:65433');
});

test('requests that differ in a header or body are different', () => {
  const { scenarios } = samplePlan({
    warmUp: {
      requests: [{ path: '/' }, { path: '/', count: 5 }, { path: '/', headers: { a: 'b' } }, { path: '/', body: 'x' }],
    },
  }).warmUp;
  expect(distinctScenarios(scenarios)).toHaveLength(3);
});

test('each scenario is gone through once, with captured values, numbers of its own and no pause', async () => {
  const engine = openFakeEngine({
    answer: ({ url }) => ({ status: 200, body: url?.startsWith('/orders') === true ? '{"id":17}' : '' }),
  });
  const report = await verifyImage(
    samplePlan({
      readiness: { log: 'never printed again' },
      warmUp: {
        requests: [{ path: '/n/{{n}}', count: 500 }],
        scenarios: [
          {
            steps: [
              { path: '/orders?n={{n}}', capture: { id: { json: '$.id' } }, think: 60_000 },
              { path: '/items/{{id}}' },
            ],
          },
          { steps: [{ path: '/' }] },
        ],
      },
      verify: { timeout: 2000 },
    }),
    NO_IMAGE,
    fakeWorld(engine),
  );
  const once = ['GET /n/1000000', 'GET /orders?n=1000001', 'GET /items/17', 'GET /'];
  for (const requests of byStart(engine)) expect(requests.slice(0, 5)).toEqual(['GET /', ...once]);
  expect(report.checkedRequests).toBe(4);
});

test('an image without anything to be asked over HTTP is waited for at its port', async () => {
  const engine = openFakeEngine({ listensAfterMs: 150 });
  const quiet = samplePlan({ readiness: { tcp: 9000 }, verify: { timeout: 2000 } });
  const report = await verifyImage(quiet, NO_IMAGE, fakeWorld(engine));
  expect(engine.requests).toEqual([]);
  expect(engine.specs.map(({ ports }) => ports)).toEqual([[9000], [9000], [9000]]);
  expect(report.checkedRequests).toBe(0);
  for (const elapsedMs of [...report.restoredMs, report.coldMs]) expect(elapsedMs).toBeGreaterThan(140);
});
