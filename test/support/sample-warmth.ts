import type { JitSample } from '../../src/warm-up/jit-sample.ts';
import type { Stopped } from '../../src/warm-up/open-stop.ts';
import type { Sample } from '../../src/warm-up/run-scenario.ts';
import { summariseRequests, summariseWarmth, type WarmthReport } from '../../src/warm-up/warmth.ts';

/** 1000 requests in 4 s: each second half as long as the one before, and half as much compiled. */
export function sampleWarmth(
  stopped: Stopped = { reason: 'counts', why: 'each request was answered as often as was asked for' },
): WarmthReport {
  const samples = Array.from({ length: 1000 }, (_, index) => sampleRequest(index, 8 * 2 ** -Math.floor(index / 250)));
  const jit = Array.from({ length: 5 }, (_, second): JitSample => {
    const done = 1 - 2 ** -second;
    return {
      atMs: second * 1000,
      compilerMs: 1000 * done,
      awakeCompilers: 0,
      compilations: 800 * done,
      discardedCode: second,
      loadedClasses: null,
      collections: 0,
      collectionMs: 0,
    };
  });
  return summariseWarmth(samples, jit, { startedMs: 0, endMs: 4000, stopped });
}

export function sampleFirstRequests(latencyMs: number) {
  const requests = summariseRequests(Array.from({ length: 200 }, (_, index) => sampleRequest(index, latencyMs)));
  if (requests === undefined) throw new Error('no requests');
  return requests;
}

function sampleRequest(index: number, latencyMs: number): Sample {
  const endpoint = index % 4 === 0 ? 'POST /orders/{{id}}' : 'GET /orders?q=<&"';
  return { endpoint, startedMs: index * 4, latencyMs: index % 4 === 0 ? 2 * latencyMs : latencyMs };
}
