import type { JitSample } from './jit-sample.ts';
import { compareEnds, type Endpoint, type Latency, summariseLatency } from './latency.ts';
import type { Stopped } from './open-stop.ts';
import type { Sample } from './run-scenario.ts';
import { drawCurve, type WarmthCurve } from './warmth-curve.ts';

/** How warm the app became, and how. */
export interface WarmthReport {
  readonly requestCount: number;
  readonly durationMs: number;
  readonly stopped: Stopped;
  readonly endpoints: readonly Endpoint[];
  /** Of the last requests, whatever they asked: as many as are looked at after a restore. Undefined: none were sent. */
  readonly atEnd?: FirstRequests;
  readonly curve: WarmthCurve;
}

/** Requests that follow each other. */
export interface FirstRequests extends Latency {
  readonly endpoints: readonly (Latency & { readonly method: string; readonly path: string })[];
}

/** After a start so many are looked at. */
export const FIRST_REQUESTS = 200;

/** `samples` in the order of their answers; times of performance.now(). */
export function summariseWarmth(
  samples: readonly Sample[],
  jit: readonly JitSample[],
  { startedMs, endMs, stopped }: { readonly startedMs: number; readonly endMs: number; readonly stopped: Stopped },
): WarmthReport {
  const atEnd = summariseRequests(samples.slice(-FIRST_REQUESTS));
  return {
    requestCount: samples.length,
    durationMs: Math.round(endMs - startedMs),
    stopped,
    endpoints: [...groupByEndpoint(samples)].map(([endpoint, own]) => {
      const inOrder = own.toSorted((a, b) => a.startedMs - b.startedMs).map(({ latencyMs }) => latencyMs);
      return { ...splitEndpoint(endpoint), count: own.length, ...compareEnds(inOrder) };
    }),
    ...(atEnd === undefined ? {} : { atEnd }),
    curve: drawCurve(samples, jit, startedMs, endMs),
  };
}

/** Undefined: there are none. */
export function summariseRequests(samples: readonly Sample[]): FirstRequests | undefined {
  if (samples.length === 0) return undefined;
  return {
    ...summariseLatency(samples.map(({ latencyMs }) => latencyMs)),
    endpoints: [...groupByEndpoint(samples)].map(([endpoint, own]) => ({
      ...splitEndpoint(endpoint),
      ...summariseLatency(own.map(({ latencyMs }) => latencyMs)),
    })),
  };
}

function groupByEndpoint(samples: readonly Sample[]): ReadonlyMap<string, Sample[]> {
  const byEndpoint = new Map<string, Sample[]>();
  for (const sample of samples) {
    const known = byEndpoint.get(sample.endpoint);
    if (known === undefined) byEndpoint.set(sample.endpoint, [sample]);
    else known.push(sample);
  }
  return byEndpoint;
}

function splitEndpoint(endpoint: string): { readonly method: string; readonly path: string } {
  const [method = '', path = ''] = endpoint.split(/ (.*)/s);
  return { method, path };
}
