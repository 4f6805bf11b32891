import type { JitSample } from '../../../src/warm-up/jit-sample.ts';
import { summariseWarmth } from '../../../src/warm-up/warmth.ts';
import { drawCurve } from '../../../src/warm-up/warmth-curve.ts';

const sample = (endpoint: string, startedMs: number, latencyMs: number) => ({ endpoint, startedMs, latencyMs });
const jit = (atMs: number, counts: Partial<JitSample>): JitSample => ({
  atMs,
  compilerMs: 0,
  awakeCompilers: 0,
  compilations: 0,
  discardedCode: 0,
  loadedClasses: 0,
  collections: 0,
  collectionMs: 0,
  ...counts,
});

test('answers are put where they came, by endpoint; what the JVM told is spread over the time between', () => {
  const curve = drawCurve(
    [sample('GET /a', 1005, 2), sample('GET /a', 1006, 8), sample('POST /b', 1030, 10), sample('GET /a', 1050, 15)],
    [
      jit(1010, { compilations: 100, compilerMs: 50 }),
      jit(1050, { compilations: 140, compilerMs: 90, discardedCode: 4 }),
    ],
    1000,
    1060,
  );
  expect(curve).toEqual({
    widthMs: 10,
    endpoints: [
      {
        method: 'GET',
        path: '/a',
        answers: [1, 1, 0, 0, 0, 1],
        p50Ms: [2, 8, null, null, null, 15],
        p99Ms: [2, 8, null, null, null, 15],
      },
      {
        method: 'POST',
        path: '/b',
        answers: [0, 0, 0, 0, 1, 0],
        p50Ms: [null, null, null, null, 10, null],
        p99Ms: [null, null, null, null, 10, null],
      },
    ],
    jit: {
      compilerShare: [null, 1, 1, 1, 1, null],
      compilations: [null, 10, 10, 10, 10, null],
      discardedCode: [null, 1, 1, 1, 1, null],
      loadedClasses: [null, 0, 0, 0, 0, null],
      collectionMs: [null, 0, 0, 0, 0, null],
    },
  });
});

test.each([
  [0, 1, 10],
  [600, 60, 10],
  [601, 31, 20],
  [61_000, 31, 2000],
  [7_200_000, 60, 120_000],
])('%d ms become %d points of %d ms', (durationMs, points, widthMs) => {
  const curve = drawCurve([sample('GET /', 0, 0)], [], 0, durationMs);
  expect(curve.widthMs).toBe(widthMs);
  expect(curve.endpoints[0]?.answers).toHaveLength(points);
  expect(curve.jit.compilations).toEqual(Array(points).fill(null));
});

test('what a JVM does not tell stays untold, and what is unloaded was not loaded less', () => {
  const { jit: told } = drawCurve(
    [],
    [jit(0, { compilations: null, discardedCode: 9 }), jit(100, { compilations: null, discardedCode: 3 })],
    0,
    100,
  );
  expect(told.compilations).toEqual(Array(10).fill(null));
  expect(told.discardedCode).toEqual(Array(10).fill(0));
});

test('the end of a warm-up is its last 200 requests, whatever they asked', () => {
  const samples = Array.from({ length: 500 }, (_, index) =>
    sample(index % 4 === 0 ? 'GET /slow' : 'GET /a', index, 500 - index),
  );
  const stopped = { reason: 'counts', why: 'all' } as const;
  const report = summariseWarmth(samples, [], { startedMs: 0, endMs: 1000, stopped });
  expect(report).toMatchObject({ requestCount: 500, durationMs: 1000, stopped });
  expect(report.atEnd).toMatchObject({ count: 200, p50Ms: 100, p99Ms: 198, maxMs: 200 });
  expect(report.atEnd?.endpoints).toMatchObject([
    { method: 'GET', path: '/slow', count: 50, maxMs: 200 },
    { method: 'GET', path: '/a', count: 150, maxMs: 199 },
  ]);
  expect(summariseWarmth([], [], { startedMs: 0, endMs: 1, stopped }).atEnd).toBeUndefined();
});
