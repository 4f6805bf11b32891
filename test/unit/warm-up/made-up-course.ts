import type { Course } from '../../../src/warm-up/decide-stop.ts';
import type { JitSample } from '../../../src/warm-up/jit-sample.ts';
import { openRandom } from '../../../src/warm-up/random.ts';
import type { Sample } from '../../../src/warm-up/run-scenario.ts';

/** From `atMs` on the app does something new: it is slow and compiles, and both fade with `fadesMs`. */
export interface Phase {
  readonly endpoint: string;
  readonly atMs: number;
  readonly fadesMs: number;
  readonly coldMs: number;
  readonly warmMs: number;
  /** Compilations a second at its begin. */
  readonly compilations: number;
}

export interface MadeUp {
  readonly seed: number;
  readonly durationMs: number;
  readonly perSecond: number;
  /** Each answer takes up to this share more or less, and now and then much more. */
  readonly noise: number;
  readonly phases: readonly Phase[];
}

const JIT_MS = 250;

/** An app that warms up, with noise that depends on the seed alone. */
export function makeUpCourse({ seed, durationMs, perSecond, noise, phases }: MadeUp): Omit<Course, 'nowMs'> {
  const random = openRandom(seed);
  const going = (atMs: number) => phases.filter((phase) => phase.atMs <= atMs);
  const fade = (phase: Phase, atMs: number) => Math.exp(-(atMs - phase.atMs) / phase.fadesMs);
  const samples: Sample[] = [];
  for (let startedMs = 0; startedMs < durationMs; startedMs += 1000 / perSecond) {
    const known = going(startedMs);
    const phase = known[Math.floor(random() * known.length)];
    if (phase === undefined) continue;
    const level = phase.warmMs + (phase.coldMs - phase.warmMs) * fade(phase, startedMs);
    const outlier = random() < 0.01 ? 5 : 1;
    const latencyMs = level * (1 + noise * (2 * random() - 1)) * outlier;
    samples.push({ endpoint: phase.endpoint, startedMs, latencyMs });
  }
  const jit: JitSample[] = [];
  let compilations = 500;
  let compilerMs = 300;
  let loadedClasses = 1000;
  for (let atMs = 0; atMs <= durationMs; atMs += JIT_MS) {
    const rate = going(atMs).reduce((sum, phase) => sum + phase.compilations * fade(phase, atMs), 0);
    const now = Math.round(rate * (JIT_MS / 1000) * (0.7 + 0.6 * random()));
    compilations += now;
    compilerMs += Math.min(JIT_MS, now * 1.5);
    loadedClasses += Math.floor(now / 10);
    jit.push({
      atMs,
      compilerMs,
      awakeCompilers: now * 1.5 > JIT_MS / 2 ? 1 : 0,
      compilations,
      discardedCode: 0,
      loadedClasses,
      collections: 0,
      collectionMs: 0,
    });
  }
  samples.sort((a, b) => a.startedMs + a.latencyMs - (b.startedMs + b.latencyMs));
  return { startedMs: 0, samples, jit, endpoints: phases.map(({ endpoint }) => endpoint) };
}

/** What was known at `nowMs`. */
export function cutCourse(course: Omit<Course, 'nowMs'>, nowMs: number): Course {
  return {
    ...course,
    nowMs,
    samples: course.samples.filter(({ startedMs, latencyMs }) => startedMs + latencyMs <= nowMs),
    jit: course.jit.filter(({ atMs }) => atMs <= nowMs),
  };
}
