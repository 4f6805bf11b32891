import { setTimeout as sleep } from 'node:timers/promises';
import type { JitSample } from '../../../src/warm-up/jit-sample.ts';
import { watchJit } from '../../../src/warm-up/watch-jit.ts';

/** A JVM whose clock began long ago. */
const AHEAD_MS = 5_000_000;
const told = (): JitSample => ({
  atMs: performance.now() + AHEAD_MS,
  compilerMs: 1,
  awakeCompilers: 0,
  compilations: 1,
  discardedCode: 0,
  loadedClasses: 1,
  collections: 0,
  collectionMs: 0,
});

test('one round follows the other, with this process’s times; the last look is taken at the end', async () => {
  let running = 0;
  let rounds = 0;
  const spans: number[] = [];
  const startedMs = performance.now();
  const watch = await watchJit(
    async (forMs, signal) => {
      expect(++running).toBe(1);
      spans.push(forMs);
      const samples = [told()];
      for (; forMs > 0 && samples.length < 3 && !signal.aborted; samples.push(told())) await sleep(5);
      running--;
      return samples;
    },
    new AbortController().signal,
    () => rounds++,
  );
  while (rounds < 3) await sleep(5);
  const before = watch.samples.length;
  await watch.end();
  expect(watch.samples.length).toBeGreaterThan(before);
  expect(spans[0]).toBe(0);
  expect(spans[1]).toBeGreaterThan(0);
  expect(spans.at(-1)).toBe(0);
  const times = watch.samples.map(({ atMs }) => atMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(startedMs - 1);
  expect(times.at(-1)).toBeLessThanOrEqual(performance.now());
});

test('who does not answer is asked again, and is in nobody’s way', async () => {
  const answers: (() => Promise<readonly JitSample[]>)[] = [
    async () => [],
    () => Promise.reject(new Error('no such container')),
    async () => [told()],
  ];
  const watch = await watchJit(
    async () => (answers.length > 1 ? await answers.shift()?.() : await answers[0]?.()) ?? [],
    new AbortController().signal,
    () => {},
  );
  while (watch.samples.length === 0) await sleep(20);
  await watch.end();
  expect(answers).toHaveLength(1);
});

test('an abort ends it without another look', async () => {
  const controller = new AbortController();
  let asked = 0;
  const watch = await watchJit(
    async (forMs, signal) => {
      asked++;
      if (forMs === 0) return [told()];
      await sleep(60_000, undefined, { signal });
      return [];
    },
    controller.signal,
    () => {},
  );
  await sleep(20);
  controller.abort();
  await watch.end();
  expect(asked).toBe(2);
});
