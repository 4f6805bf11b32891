import { type Dispatcher, errors, type Pool } from 'undici';
import type { WarmUpRequest } from '../plan/build-plan.ts';

/** An answer with another status than the expected, or without the expected text. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  /** The answer's first characters. */
  readonly body: string;

  constructor({ method, path, status, contains }: WarmUpRequest, answered: number, body: string) {
    const difference = answered === status ? `without ${JSON.stringify(contains)}` : `${answered} instead of ${status}`;
    super(`${method} ${path} answered ${difference}`);
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
  const response = await requestOverLiveConnection(dispatcher, request, signal);
  const body = await response.body.text();
  const elapsedMs = performance.now() - startedMs;
  const isExpected = response.statusCode === request.status && body.includes(request.contains ?? '');
  if (!isExpected) throw new UnexpectedAnswer(request, response.statusCode, body);
  return elapsedMs;
}

/** May be sent twice, https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];

/**
 * A server may close a kept connection at the moment a request goes out over it: then the request is sent again over
 * another, as every browser does (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1). Each try uses up one connection
 * that was kept; the failure of a new one counts.
 */
async function requestOverLiveConnection(dispatcher: Dispatcher, request: WarmUpRequest, signal: AbortSignal) {
  for (;;) {
    try {
      return await dispatcher.request({
        method: request.method as Dispatcher.HttpMethod,
        path: request.path,
        headers: { ...request.headers },
        body: request.body ?? null,
        signal,
      });
    } catch (error) {
      if (!IDEMPOTENT.includes(request.method) || !wasKeptConnection(error)) throw error;
    }
  }
}

/** It had answered before. */
function wasKeptConnection(error: unknown): boolean {
  return error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;
}
