import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, ContainerExit } from '../engine/engine.ts';

export interface Expectation {
  readonly port: number;
  readonly path: string;
  readonly status: number;
  readonly timeoutMs: number;
  /** Between one attempt's end and the next. */
  readonly intervalMs: number;
}

export type FirstResponse =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'exited'; readonly exit: ContainerExit }
  /** `lastSeen`: "connection refused", "it answered 503". */
  | { readonly outcome: 'timed-out'; readonly lastSeen: string };

const NOTHING = 'nothing was answered';
const EXIT_NOTICE_MS = 1000;
/** One answer may take this long, so that a lost packet does not use up the whole time limit. */
const ATTEMPT_LIMIT_MS = 10_000;

/** Asks, each time over a connection of its own, until the expected status comes, the app ends or time is up. Rejects on abort. */
export async function waitForResponse(
  container: Pick<Container, 'endpoint' | 'exited'>,
  expected: Expectation,
  signal: AbortSignal,
  /** Is told of every attempt that failed: "connection refused", "it answered 503". */
  onFailed: (seen: string) => void = () => {},
): Promise<FirstResponse> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const exit = container.exited.then((exit): FirstResponse => ({ outcome: 'exited', exit }));
  try {
    return await Promise.race([
      exit,
      ask(container, expected, stop, onFailed).catch((error) => preferExit(error, exit)),
    ]);
  } finally {
    ended.abort();
  }
}

/** A container that has ended has no ports any more, which may be noticed before its end is. */
async function preferExit(error: unknown, exit: Promise<FirstResponse>): Promise<FirstResponse> {
  const ended = await Promise.race([exit, sleep(EXIT_NOTICE_MS, undefined, { ref: false })]);
  if (ended === undefined) throw error;
  return ended;
}

async function ask(
  container: Pick<Container, 'endpoint'>,
  expected: Expectation,
  signal: AbortSignal,
  onFailed: (seen: string) => void,
): Promise<FirstResponse> {
  const deadline = performance.now() + expected.timeoutMs;
  const { host, port } = await container.endpoint(expected.port);
  let lastSeen = NOTHING;
  for (;;) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return { outcome: 'timed-out', lastSeen };
    const limitMs = Math.ceil(Math.min(leftMs, ATTEMPT_LIMIT_MS));
    const seen = await getStatus({ host, port, path: expected.path }, limitMs, signal);
    signal.throwIfAborted();
    if (seen === expected.status) return { outcome: 'ready' };
    // The last attempt, which the time limit cut short, tells nothing that an earlier one did not.
    const isCutShort = lastSeen !== NOTHING && performance.now() >= deadline;
    if (!isCutShort) lastSeen = typeof seen === 'number' ? `it answered ${seen}` : seen;
    onFailed(lastSeen);
    await sleep(expected.intervalMs, undefined, { signal });
  }
}

/** The status, or why there is none. */
function getStatus(
  target: { readonly host: string; readonly port: number; readonly path: string },
  limitMs: number,
  signal: AbortSignal,
): Promise<number | string> {
  return new Promise((resolve) => {
    const limit = AbortSignal.timeout(limitMs);
    const request = get({ ...target, agent: false, signal: AbortSignal.any([signal, limit]) }, (response) => {
      response.on('error', (error) => resolve(describe(error, limit)));
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    request.on('error', (error) => resolve(describe(error, limit)));
  });
}

function describe(error: NodeJS.ErrnoException, limit: AbortSignal): string {
  if (limit.aborted) return 'it accepted the connection and did not answer in time';
  if (error.code === 'ECONNREFUSED') return 'connection refused';
  /** Also what a forwarded port does (Docker's proxy, native/tools/forward.c) when it finds nobody behind it. */
  if (error.code === 'ECONNRESET') return 'the connection was closed without an answer, as where nothing listens';
  return error.message;
}
