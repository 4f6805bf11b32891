/**
 * When a warm-up that mixes scenarios has done its work: nothing is left to be compiled, loaded or unlearned, and the
 * answers come no faster than before, through several windows of time. docs/warm-up.md says the same for users.
 */
import { renderDuration } from '../report/render-duration.ts';
import type { JitSample } from './jit-sample.ts';
import type { Sample } from './run-scenario.ts';
import type { Extent } from './scenario.ts';
import { cutWindows, type Window } from './windows.ts';

/** All that has been seen of the mixed scenarios. Times are of performance.now(). */
export interface Course {
  readonly startedMs: number;
  readonly nowMs: number;
  /** In the order of their answers. */
  readonly samples: readonly Sample[];
  /** Also from before `startedMs`. */
  readonly jit: readonly JitSample[];
  /** All that the scenarios can ask. */
  readonly endpoints: readonly string[];
}

export type Decision =
  /** `why`: what is not yet as it should be. */
  | { readonly stop: false; readonly why: string }
  /** `limit`: `max` is reached, `why` tells what was still going on. */
  | { readonly stop: true; readonly reason: 'settled' | 'limit'; readonly why: string };

const WINDOW_MS = 1000;
/** So many have to be flat, one after the other. */
const FLAT_WINDOWS = 3;
/** Of answers all of these are looked at together, and compared with as many before: a machine has its moods. */
const SPAN_MS = FLAT_WINDOWS * WINDOW_MS;
/** A compilation now and then goes on for ever. */
const FEW_COMPILATIONS = 10;
const SHARE_OF_PEAK = 0.02;
/** Of one CPU. */
const COMPILER_SHARE = 0.1;
const FEW_CLASSES = 2;
/** They may differ by this much, in either direction. */
const LATENCY_RATIOS = [
  { key: 'p50Ms', name: 'median', ratio: 1.25 },
  { key: 'p90Ms', name: '90th percentile', ratio: 1.5 },
] as const;
/** Less than that is the network and the machine. */
const LATENCY_NOISE_MS = 0.2;
/** An endpoint with fewer answers in a window is not compared. */
const ENOUGH_ANSWERS = 10;

export function decideStop(course: Course, limits: { readonly min: Extent; readonly max: Extent }): Decision {
  const { min, max } = limits;
  const elapsedMs = course.nowMs - course.startedMs;
  const count = course.samples.length;
  const unsettled = findUnsettled(course);
  if (elapsedMs >= (max.durationMs ?? Infinity) || count >= (max.requests ?? Infinity)) {
    return unsettled === undefined
      ? { stop: true, reason: 'settled', why: SETTLED }
      : { stop: true, reason: 'limit', why: unsettled };
  }
  if (elapsedMs < (min.durationMs ?? 0))
    return { stop: false, why: `not before ${renderDuration(min.durationMs ?? 0)} (warmUp.min)` };
  if (count < (min.requests ?? 0)) return { stop: false, why: `not before ${min.requests} requests (warmUp.min)` };
  return unsettled === undefined ? { stop: true, reason: 'settled', why: SETTLED } : { stop: false, why: unsettled };
}

const SPAN = renderDuration(SPAN_MS);
const SETTLED = `for ${SPAN} nothing was left to be compiled or loaded, and the answers came no faster`;

/** Undefined: it has settled. */
function findUnsettled({ startedMs, samples, jit, endpoints }: Course): string | undefined {
  const endMs = jit.at(-1)?.atMs;
  if (endMs === undefined) return 'the JVM has not told yet what its compilers do';
  const firstAnswers = findFirstAnswers(samples);
  const unseen = endpoints.find((endpoint) => !firstAnswers.has(endpoint));
  if (unseen !== undefined) return `${unseen} has not been answered yet`;
  const earliestMs = endMs - SPAN_MS - WINDOW_MS;
  if (earliestMs < startedMs) return `it has not been going on for ${SPAN} yet`;
  /** A new one has begun to be compiled at best. */
  const fresh = [...firstAnswers].find(([, atMs]) => atMs > earliestMs)?.[0];
  if (fresh !== undefined) return `${fresh} has only just been asked for the first time`;
  const peak = findPeak(jit);
  for (const window of cutWindows(samples, jit, { endMs, widthMs: WINDOW_MS, count: FLAT_WINDOWS })) {
    const busy = describeJit(window, peak);
    if (busy !== undefined) return busy;
  }
  const [before, after] = cutWindows(samples, jit, { endMs, widthMs: SPAN_MS, count: 2 });
  return before === undefined || after === undefined ? undefined : describeLatency(before, after);
}

function findFirstAnswers(samples: readonly Sample[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { endpoint, startedMs, latencyMs } of samples)
    if (!first.has(endpoint)) first.set(endpoint, startedMs + latencyMs);
  return first;
}

/** Compilations a second when there were most. */
function findPeak(jit: readonly JitSample[]): number {
  let peak = 0;
  let from = 0;
  for (const [to, last] of jit.entries()) {
    while ((jit[from + 1]?.atMs ?? Infinity) <= last.atMs - WINDOW_MS) from++;
    const first = jit[from];
    if (first === undefined || to === from) continue;
    const seconds = Math.max(WINDOW_MS, last.atMs - first.atMs) / 1000;
    peak = Math.max(peak, ((last.compilations ?? 0) - (first.compilations ?? 0)) / seconds);
  }
  return peak;
}

function describeJit({ jit, fromMs, toMs }: Window, peak: number): string | undefined {
  const widthMs = toMs - fromMs;
  if (jit === undefined) return 'the JVM did not tell what its compilers do';
  if (!jit.rested) return 'methods were waiting to be compiled';
  const most = Math.max(FEW_COMPILATIONS, peak * SHARE_OF_PEAK);
  const compilations = (jit.compilations ?? 0) / (widthMs / 1000);
  if (compilations > most)
    return `${Math.round(compilations)} methods a second were being compiled, ${Math.round(peak)} at most before`;
  if (jit.compilerMs > widthMs * COMPILER_SHARE)
    return `the compilers used ${Math.round((jit.compilerMs / widthMs) * 100)} % of a CPU`;
  if ((jit.loadedClasses ?? 0) > FEW_CLASSES) return `${jit.loadedClasses} classes were being loaded`;
  if ((jit.discardedCode ?? 0) > 0)
    return 'compiled code was thrown away, because it relied on what was not so any more';
  return undefined;
}

/** All endpoints together: each change counts as often as it was seen. */
function describeLatency(before: Window, after: Window): string | undefined {
  for (const { key, name, ratio: most } of LATENCY_RATIOS) {
    let weight = 0;
    let logRatio = 0;
    let differenceMs = 0;
    for (const [endpoint, now] of after.latencies) {
      const then = before.latencies.get(endpoint);
      const count = Math.min(now.count, then?.count ?? 0);
      if (then === undefined || count < ENOUGH_ANSWERS) continue;
      weight += count;
      logRatio += count * Math.log(Math.max(now[key], 0.001) / Math.max(then[key], 0.001));
      differenceMs += count * (now[key] - then[key]);
    }
    if (weight === 0) continue;
    const ratio = Math.exp(logRatio / weight);
    const isFlat = Math.max(ratio, 1 / ratio) <= most || Math.abs(differenceMs / weight) <= LATENCY_NOISE_MS;
    if (!isFlat) {
      const percent = Math.round(Math.abs(ratio - 1) * 100);
      return `the ${name} of the answers was still ${ratio < 1 ? 'falling' : 'rising'}, by ${percent} % in ${SPAN}`;
    }
  }
  return undefined;
}
