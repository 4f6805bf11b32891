import { splitBuild } from '../../../bench/build-parts.ts';
import type { TimedEvent } from '../../../bench/watch-build.ts';
import type { Stage } from '../../../src/report/event.ts';

const progress = (cameMs: number, stage: Stage, text: string): TimedEvent => ({
  type: 'stage-progress',
  stage,
  text,
  cameMs,
});
const finished = (cameMs: number, stage: Stage, durationMs: number): TimedEvent => ({
  ...{ type: 'stage-finished', stage, durationMs, summary: '', cameMs },
});

const EVENTS: readonly TimedEvent[] = [
  finished(600, 'plan', 100),
  finished(1600, 'containerize', 1000),
  progress(1800, 'launch', 'waiting for GET :8080/'),
  finished(2000, 'launch', 400),
  finished(3000, 'warm-up', 1000),
  progress(3100, 'checkpoint', 'CRIU 4.2.1'),
  progress(3200, 'checkpoint', 'preparing the app'),
  progress(8200, 'checkpoint', 'dumping'),
  finished(8500, 'checkpoint', 5500),
  finished(9500, 'compile', 1000),
  progress(10_300, 'verify', 'restore 1: first answer after 50.0 ms'),
  progress(10_800, 'verify', 'cold: first answer after 200 ms'),
  finished(11_000, 'verify', 1500),
];

test('what is not the app’s, the JVM’s or verify’s is crac-build’s own', () => {
  expect(splitBuild({ totalMs: 11_200, events: EVENTS })).toEqual({
    appMs: 200 + 1000,
    quiesceMs: 5000,
    verifyMs: 750,
    overheadMs: 11_200 - 1200 - 5000 - 750,
    overheadByStageMs: {
      ...{ plan: 100, containerize: 1000, launch: 200, 'warm-up': 0, checkpoint: 500, compile: 1000, verify: 750 },
      process: 11_200 - 10_500,
    },
  });
});

test('the first answer may be told in any unit', () => {
  const told = (text: string) => {
    const events = EVENTS.map((event) =>
      event.type === 'stage-progress' && event.text.startsWith('restore') ? { ...event, text } : event,
    );
    return splitBuild({ totalMs: 11_200, events }).verifyMs;
  };
  expect(told('restore 1: first answer after 1.2 s')).toBe(1900);
  expect(told('restore 1: first answer after 850 µs')).toBeCloseTo(700.85);
});

test('a build that did not take a checkpoint cannot be split', () => {
  const events = EVENTS.filter((event) => !('stage' in event && event.stage === 'checkpoint'));
  expect(() => splitBuild({ totalMs: 11_200, events })).toThrow('the build did not tell of /^dumping$/');
});
