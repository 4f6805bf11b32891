import { type Course, type Decision, decideStop } from '../../../src/warm-up/decide-stop.ts';
import type { JitSample } from '../../../src/warm-up/jit-sample.ts';
import { cutCourse, type MadeUp, makeUpCourse, type Phase } from './made-up-course.ts';

const orders: Phase = {
  endpoint: 'GET /orders',
  atMs: 0,
  fadesMs: 1500,
  coldMs: 12,
  warmMs: 1,
  compilations: 400,
};
const late: Phase = { ...orders, endpoint: 'GET /report', atMs: 9000, coldMs: 30, warmMs: 3 };
const idle: Phase = { ...orders, coldMs: 1, compilations: 0 };
const APP: MadeUp = { seed: 1, durationMs: 30_000, perSecond: 300, noise: 0.3, phases: [orders] };
const NO_LIMITS = { min: {}, max: {} };
const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

/** When it stops first, looked at as often as the JVM tells something. */
function findStop(course: Omit<Course, 'nowMs'>, limits: Parameters<typeof decideStop>[1] = NO_LIMITS) {
  for (const { atMs } of course.jit) {
    const decision = decideStop(cutCourse(course, atMs), limits);
    if (decision.stop) return { ...decision, atMs };
  }
  return undefined;
}

const decideAt = (course: Omit<Course, 'nowMs'>, nowMs: number): Decision =>
  decideStop(cutCourse(course, nowMs), NO_LIMITS);

describe('an app that warms up', () => {
  test.each(SEEDS)('stops when it is warm and not before, however noisy its answers are (seed %d)', (seed) => {
    const stop = findStop(makeUpCourse({ ...APP, seed }));
    expect(stop).toMatchObject({ reason: 'settled' });
    // 400 compilations a second fade to 10 in 5.5 s; three windows after that are flat
    expect(stop?.atMs).toBeGreaterThan(6000);
    expect(stop?.atMs).toBeLessThan(15_000);
  });

  test.each(SEEDS)('that asks for something new late does not stop before that is warm, too (seed %d)', (seed) => {
    const course = makeUpCourse({ ...APP, seed, phases: [orders, late] });
    const stop = findStop(course);
    expect(stop).toMatchObject({ reason: 'settled' });
    expect(stop?.atMs).toBeGreaterThan(late.atMs + 5000);
  });

  test.each(SEEDS)('nor where what is new hides behind an endpoint that is known (seed %d)', (seed) => {
    const hidden: Phase = { ...late, endpoint: orders.endpoint, atMs: 5000 };
    const stop = findStop(makeUpCourse({ ...APP, seed, phases: [orders, hidden] }));
    expect(stop?.atMs).toBeGreaterThan(hidden.atMs + 5000);
  });

  test('says what it waits for', () => {
    const course = makeUpCourse({ ...APP, phases: [orders, late] });
    const whys = course.jit.map(({ atMs }) => decideAt(course, atMs).why.replaceAll(/\d+/g, 'N'));
    expect([...new Set(whys)]).toEqual(
      expect.arrayContaining([
        'GET /orders has not been answered yet',
        'GET /report has not been answered yet',
        'N methods a second were being compiled, N at most before',
        'GET /report has only just been asked for the first time',
        'for N.N s nothing was left to be compiled or loaded, and the answers came no faster',
      ]),
    );
  });
});

describe('an app with nothing to compile', () => {
  test.each(SEEDS)('stops at min, in time and in requests (seed %d)', (seed) => {
    const course = makeUpCourse({ ...APP, seed, phases: [idle] });
    expect(findStop(course)).toMatchObject({ reason: 'settled', atMs: 4250 });
    expect(findStop(course, { min: { durationMs: 7000 }, max: {} })?.atMs).toBe(7000);
    const stop = findStop(course, { min: { requests: 3000 }, max: {} });
    expect(cutCourse(course, stop?.atMs ?? 0).samples.length).toBeGreaterThanOrEqual(3000);
    expect(stop?.atMs).toBeLessThanOrEqual(10_250);
  });

  test('is not judged by latency where few answers come', () => {
    expect(findStop(makeUpCourse({ ...APP, perSecond: 2, noise: 0.9, phases: [idle] }))?.atMs).toBe(4250);
  });
});

describe('limits', () => {
  test.each([
    [{ durationMs: 2000 }, 2000],
    [{ requests: 600 }, 2000],
  ])('max ends it, settled or not, and tells what was going on: %j', (max, atMs) => {
    const stop = findStop(makeUpCourse(APP), { min: { durationMs: 60_000 }, max });
    expect(stop).toMatchObject({ reason: 'limit', why: 'it has not been going on for 3.0 s yet' });
    expect(Math.abs((stop?.atMs ?? 0) - atMs)).toBeLessThanOrEqual(250);
  });

  test('what has settled when max comes has settled', () => {
    const course = makeUpCourse({ ...APP, phases: [idle] });
    const stop = findStop(course, { min: { durationMs: 6000 }, max: { durationMs: 6000 } });
    expect(stop).toMatchObject({ reason: 'settled', atMs: 6000 });
  });
});

/** An idle app, in which one thing is otherwise. */
describe('one thing that is not flat is enough', () => {
  const course = makeUpCourse({ ...APP, phases: [idle], durationMs: 10_000 });
  const change = (map: (sample: JitSample) => Partial<JitSample>) =>
    decideAt({ ...course, jit: course.jit.map((sample) => ({ ...sample, ...map(sample) })) }, 10_000);
  const since = (atMs: number, then: Partial<JitSample>) => (sample: JitSample) => (sample.atMs > atMs ? then : {});
  const slower = (factor: number) => ({
    ...course,
    samples: course.samples.map((sample) =>
      sample.startedMs > 8500 ? { ...sample, latencyMs: sample.latencyMs * factor } : sample,
    ),
  });

  test('nothing is', () => expect(decideAt(course, 10_000).stop).toBe(true));

  test.each<[string, Decision]>([
    ['methods were waiting to be compiled', change(since(8000, { awakeCompilers: 1 }))],
    ['the compilers used 40 % of a CPU', change(since(8500, { compilerMs: 700 }))],
    ['5 classes were being loaded', change(since(8500, { loadedClasses: 1005 }))],
    [
      'compiled code was thrown away, because it relied on what was not so any more',
      change(since(8500, { discardedCode: 1 })),
    ],
    ['30 methods a second were being compiled, 30 at most before', change(since(8500, { compilations: 530 }))],
    [
      'the JVM has not told yet what its compilers do',
      decideStop({ ...cutCourse(course, 10_000), jit: [] }, NO_LIMITS),
    ],
  ])('%s', (why, decision) => expect(decision).toEqual({ stop: false, why }));

  test.each([2, 0.5])('answers that take %d times as long', (factor) => {
    expect(decideAt(slower(factor), 10_000)).toEqual({
      stop: false,
      why: expect.stringMatching(/^the median of the answers was still (rising|falling), by \d+ % in 3.0 s$/),
    });
  });

  test('what is less than the noise of a network is not looked at', () => {
    const quick = (factor: number) => ({
      ...course,
      samples: slower(factor).samples.map((sample) => ({ ...sample, latencyMs: sample.latencyMs / 20 })),
    });
    expect(decideAt(quick(2), 10_000).stop).toBe(true);
  });

  test('a JVM without counters is judged by its compilers, its code and its answers', () => {
    const nothing = { compilations: null, loadedClasses: null, collections: null, collectionMs: null };
    expect(change(() => nothing).stop).toBe(true);
    expect(change((sample) => ({ ...nothing, ...since(8500, { compilerMs: 700 })(sample) })).stop).toBe(false);
  });

  test('code that is unloaded is no change', () => {
    expect(change((sample) => ({ discardedCode: sample.atMs > 8500 ? 0 : 40 })).stop).toBe(true);
  });
});
