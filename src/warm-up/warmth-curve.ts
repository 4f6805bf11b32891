import type { JitSample } from './jit-sample.ts';
import { quantile } from './latency.ts';
import type { Sample } from './run-scenario.ts';
import { endOf } from './windows.ts';

/** A warm-up over time, in columns: the n-th value of each list belongs to [n, n + 1) times `widthMs` from its start. */
export interface WarmthCurve {
  readonly widthMs: number;
  readonly endpoints: readonly EndpointCurve[];
  /** Null: not told. */
  readonly jit: {
    /** CPU time of the compilers, of one CPU: 0.5 is half of one. */
    readonly compilerShare: readonly (number | null)[];
    readonly compilations: readonly (number | null)[];
    readonly discardedCode: readonly (number | null)[];
    readonly loadedClasses: readonly (number | null)[];
    readonly collectionMs: readonly (number | null)[];
  };
}

export interface EndpointCurve {
  readonly method: string;
  readonly path: string;
  readonly answers: readonly number[];
  /** Null: no answer came. */
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

const MOST_POINTS = 60;
const WIDTHS_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000];

/** Of all between the two times of performance.now(). */
export function drawCurve(
  samples: readonly Sample[],
  jit: readonly JitSample[],
  startedMs: number,
  endMs: number,
): WarmthCurve {
  const durationMs = Math.max(1, endMs - startedMs);
  const widthMs = WIDTHS_MS.find((width) => durationMs / width <= MOST_POINTS) ?? Math.ceil(durationMs / MOST_POINTS);
  const count = Math.max(1, Math.ceil(durationMs / widthMs));
  const byEndpoint = new Map<string, number[][]>();
  for (const sample of samples) {
    const index = Math.min(count - 1, Math.max(0, Math.floor((endOf(sample) - startedMs) / widthMs)));
    const points = byEndpoint.get(sample.endpoint) ?? Array.from({ length: count }, () => []);
    byEndpoint.set(sample.endpoint, points);
    points[index]?.push(sample.latencyMs);
  }
  const edges = Array.from({ length: count + 1 }, (_, index) => Math.min(endMs, startedMs + index * widthMs));
  const grown = (key: GrowingKey) => differences(edges.map((edgeMs) => interpolate(jit, key, edgeMs)));
  return {
    widthMs,
    endpoints: [...byEndpoint].map(([endpoint, points]) => drawEndpoint(endpoint, points)),
    jit: {
      compilerShare: grown('compilerMs').map((ms, index) => share(ms, edges, index)),
      compilations: grown('compilations'),
      discardedCode: grown('discardedCode'),
      loadedClasses: grown('loadedClasses'),
      collectionMs: grown('collectionMs'),
    },
  };
}

function drawEndpoint(endpoint: string, points: readonly number[][]): EndpointCurve {
  const [method = '', path = ''] = endpoint.split(/ (.*)/s);
  const sorted = points.map((latenciesMs) => latenciesMs.sort((a, b) => a - b));
  const at = (rank: number) => sorted.map((one) => (one.length === 0 ? null : quantile(one, rank)));
  return { method, path, answers: sorted.map(({ length }) => length), p50Ms: at(0.5), p99Ms: at(0.99) };
}

type GrowingKey = 'compilerMs' | 'compilations' | 'discardedCode' | 'loadedClasses' | 'collectionMs';

/** The JVM tells each quarter of a second; in between it is taken to have grown evenly. Null outside of what it told. */
function interpolate(jit: readonly JitSample[], key: GrowingKey, atMs: number): number | null {
  const next = jit.findIndex((sample) => sample.atMs >= atMs);
  const to = jit[next];
  const from = jit[next - 1];
  const toValue = to?.[key] ?? null;
  if (to === undefined || toValue === null) return null;
  if (to.atMs === atMs) return toValue;
  const fromValue = from?.[key] ?? null;
  if (from === undefined || fromValue === null) return null;
  return fromValue + Math.max(0, toValue - fromValue) * ((atMs - from.atMs) / (to.atMs - from.atMs));
}

function differences(values: readonly (number | null)[]): readonly (number | null)[] {
  return values.slice(1).map((value, index) => {
    const before = values[index] ?? null;
    return value === null || before === null ? null : round(Math.max(0, value - before));
  });
}

function share(ms: number | null, edges: readonly number[], index: number): number | null {
  const widthMs = (edges[index + 1] ?? 0) - (edges[index] ?? 0);
  return ms === null || widthMs <= 0 ? null : round(ms / widthMs);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
