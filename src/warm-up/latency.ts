/** Of some requests, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How long an endpoint's first and last requests took: a tenth of them at each end, at least 10 where there are so many. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly count: number;
  readonly first: Latency;
  readonly last: Latency;
}

/** `latenciesMs` in the order in which the requests were sent; not empty. */
export function compareEnds(latenciesMs: readonly number[]): { readonly first: Latency; readonly last: Latency } {
  const width = Math.max(10, Math.ceil(latenciesMs.length / 10));
  return { first: summariseLatency(latenciesMs.slice(0, width)), last: summariseLatency(latenciesMs.slice(-width)) };
}

export function summariseLatency(latenciesMs: readonly number[]): Latency {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    p50Ms: quantile(sorted, 0.5),
    p90Ms: quantile(sorted, 0.9),
    p99Ms: quantile(sorted, 0.99),
    maxMs: quantile(sorted, 1),
  };
}

/** Nearest rank: a value that was really measured. */
export function quantile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return Math.round(value * 1000) / 1000;
}
