import type { BuildResult } from '../build.ts';
import { renderDuration } from '../report/render-duration.ts';
import type { Endpoint, Latency } from '../warm-up/latency.ts';
import type { Stopped } from '../warm-up/open-stop.ts';
import type { WarmthCurve } from '../warm-up/warmth-curve.ts';
import { renderSparkline } from './sparkline.ts';

type Warmth = NonNullable<BuildResult['warmth']>;

const PERCENTILES = [
  ['p50', 'p50Ms'],
  ['p90', 'p90Ms'],
  ['p99', 'p99Ms'],
  ['max', 'maxMs'],
] as const;

/** How warm the app became, for people: the first and the last requests, and what lies between as a line of blocks. */
export function renderWarmth(warmth: Warmth | undefined): readonly string[] {
  if (warmth === undefined) return ['warm-up: the app asked for its checkpoint by itself'];
  const { endpoints, curve } = warmth;
  return [
    `warm-up: ${warmth.requestCount} requests in ${renderDuration(warmth.durationMs)}`,
    ...renderStopped(warmth.stopped, warmth.durationMs),
    ...endpoints.flatMap((endpoint) => renderEndpoint(endpoint, curve)),
    ...renderJit(curve),
  ];
}

export function renderStopped({ reason, why }: Stopped, durationMs: number): readonly string[] {
  switch (reason) {
    case 'counts':
      return [];
    case 'settled':
      return [`  settled: ${why}`];
    case 'limit':
      return [`  NOT SETTLED after ${renderDuration(durationMs)} (warmUp.max): ${why}`];
    default:
      return [`  stopped: ${why}`];
  }
}

function renderEndpoint({ method, path, count, first, last }: Endpoint, curve: WarmthCurve): readonly string[] {
  const line = curve.endpoints.find((one) => one.method === method && one.path === path);
  return [
    `  ${method} ${path} ×${count}`,
    `    first ${renderLatency(first)}`,
    `    last  ${renderLatency(last)}`,
    ...(line === undefined ? [] : [`    p50   ${renderSparkline(line.p50Ms, 'logarithmic')}`.trimEnd()]),
  ];
}

function renderJit({ jit, widthMs, endpoints }: WarmthCurve): readonly string[] {
  const share = jit.compilerShare;
  if (endpoints.length === 0 || share.every((one) => one === null)) return [];
  const most = Math.max(...share.map((one) => one ?? 0));
  return [
    '  JIT',
    `    CPU   ${renderSparkline(share, 'linear')} up to ${Math.round(most * 100)} % of one; a block is ${renderDuration(widthMs)}`,
  ];
}

/** What the first users get, beside what they would get cold. */
export function renderFirstRequests({ warmth, verified }: Pick<BuildResult, 'warmth' | 'verified'>): readonly string[] {
  if (verified === undefined || !('firstRequests' in verified) || verified.firstRequests === undefined) return [];
  const { restored, cold } = verified.firstRequests;
  return [
    `  the first ${restored.count} requests`,
    `    cold            ${renderLatency(cold)}`,
    ...(warmth?.atEnd === undefined ? [] : [`    end of warm-up  ${renderLatency(warmth.atEnd)}`]),
    `    restored        ${renderLatency(restored)}`,
  ];
}

function renderLatency(latency: Latency): string {
  return PERCENTILES.map(([name, key]) => `${name} ${renderDuration(latency[key]).padEnd(8)}`)
    .join('  ')
    .trimEnd();
}
