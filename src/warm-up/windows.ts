import { compareSamples, type JitChange, type JitSample } from './jit-sample.ts';
import { quantile } from './latency.ts';
import type { Sample } from './run-scenario.ts';

/** A piece of the warm-up, looked at as a whole. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Undefined: the JVM said nothing in it. `rested`: all compilers slept at least once, so nothing waited to be compiled. */
  readonly jit: (JitChange & { readonly rested: boolean }) | undefined;
  /** Answers that came in it, by endpoint. */
  readonly latencies: ReadonlyMap<string, Summary>;
}

interface Summary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
}

export function endOf({ startedMs, latencyMs }: Sample): number {
  return startedMs + latencyMs;
}

/** The last `count` windows before `endMs`, the oldest first. `samples` in the order of their answers. */
export function cutWindows(
  samples: readonly Sample[],
  jit: readonly JitSample[],
  { endMs, widthMs, count }: { readonly endMs: number; readonly widthMs: number; readonly count: number },
): readonly Window[] {
  return Array.from({ length: count }, (_, index) => {
    const toMs = endMs - (count - 1 - index) * widthMs;
    const fromMs = toMs - widthMs;
    return { fromMs, toMs, jit: lookAtJit(jit, fromMs, toMs), latencies: summariseBetween(samples, fromMs, toMs) };
  });
}

/** From the last word before the window to the last one in it. */
function lookAtJit(jit: readonly JitSample[], fromMs: number, toMs: number): Window['jit'] {
  const inside = jit.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
  const before = jit.findLast(({ atMs }) => atMs <= fromMs);
  const first = before ?? inside[0];
  const last = inside.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  return { ...compareSamples(first, last), rested: inside.some(({ awakeCompilers }) => awakeCompilers === 0) };
}

function summariseBetween(samples: readonly Sample[], fromMs: number, toMs: number): Window['latencies'] {
  const byEndpoint = new Map<string, number[]>();
  /** From the end: what is looked at lies there. */
  for (let index = samples.length - 1; index >= 0; index--) {
    const sample = samples[index] as Sample;
    if (endOf(sample) <= fromMs) break;
    if (endOf(sample) > toMs) continue;
    const known = byEndpoint.get(sample.endpoint);
    if (known === undefined) byEndpoint.set(sample.endpoint, [sample.latencyMs]);
    else known.push(sample.latencyMs);
  }
  return new Map(
    [...byEndpoint].map(([endpoint, latenciesMs]) => {
      const sorted = latenciesMs.sort((a, b) => a - b);
      return [endpoint, { count: sorted.length, p50Ms: quantile(sorted, 0.5), p90Ms: quantile(sorted, 0.9) }];
    }),
  );
}
