import type { Dispatcher, Pool } from 'undici';
import type { WarmUpRequest } from '../plan/build-plan.ts';

/** An answer with another status than the expected. */
export class UnexpectedStatus extends Error {
  override readonly name = 'UnexpectedStatus';
  readonly status: number;
  /** The answer's first characters. */
  readonly body: string;

  constructor(request: WarmUpRequest, status: number, body: string) {
    super(`${request.method} ${request.path} answered ${status} instead of ${request.status}`);
    this.status = status;
    this.body = body.slice(0, 500);
  }
}

/** Sends `request.count` requests, `request.concurrency` at a time, the first failure ends all. Milliseconds of each, in sending order. */
export async function sendRequests(
  pool: Pool,
  request: WarmUpRequest,
  onDone: () => void,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  let sent = 0;
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const lane = async () => {
    while (sent < request.count) {
      stop.throwIfAborted();
      const index = sent++;
      latenciesMs[index] = await sendRequest(pool, request, stop);
      onDone();
    }
  };
  const lanes = Array.from({ length: request.concurrency }, () =>
    lane().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  /** The failure that stopped the others, not the aborts that it caused. */
  if (failed.signal.aborted) throw failed.signal.reason;
  return latenciesMs;
}

/** Milliseconds until the whole answer was read. */
export async function sendRequest(
  dispatcher: Dispatcher,
  request: WarmUpRequest,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = performance.now();
  const response = await dispatcher.request({
    method: request.method as Dispatcher.HttpMethod,
    path: request.path,
    headers: { ...request.headers },
    body: request.body ?? null,
    signal,
  });
  const body = await response.body.text();
  const elapsedMs = performance.now() - startedMs;
  if (response.statusCode !== request.status) throw new UnexpectedStatus(request, response.statusCode, body);
  return elapsedMs;
}
