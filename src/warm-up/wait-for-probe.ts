import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, ContainerExit } from '../engine/engine.ts';
import type { Probe } from './probe.ts';
import { tryProbe } from './try-probe.ts';

export interface Patience {
  readonly timeoutMs: number;
  /** Between one attempt's end and the next. */
  readonly intervalMs: number;
  /** "uid:gid" that a command is run as. */
  readonly user: string;
}

export type ProbeOutcome =
  /** `atMs`: performance.now() when the app was there, which may be a moment ago. */
  | { readonly outcome: 'ready'; readonly atMs: number }
  | { readonly outcome: 'exited'; readonly exit: ContainerExit }
  /** `lastSeen`: "connection refused", "it answered 503". */
  | { readonly outcome: 'timed-out'; readonly lastSeen: string };

export type ProbedContainer = Pick<Container, 'endpoint' | 'exited' | 'exec' | 'lastLines'>;

const NOTHING = 'nothing was answered';
const EXIT_NOTICE_MS = 1000;
/** One answer may take this long, so that a lost packet does not use up the whole time limit. */
const ATTEMPT_LIMIT_MS = 10_000;

/** A look into the log or a process inside the container costs more than a connection. */
const LEAST_INTERVAL_MS = { http: 0, tcp: 0, log: 100, command: 100 } as const;

/** Tries, each time over a connection of its own, until the app is there, it ends or time is up. Rejects on abort. */
export async function waitForProbe(
  container: ProbedContainer,
  probe: Probe,
  patience: Patience,
  signal: AbortSignal,
  /** Is told of every attempt that failed: "connection refused", "it answered 503". */
  onFailed: (seen: string) => void = () => {},
): Promise<ProbeOutcome> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const exit = container.exited.then((exit): ProbeOutcome => ({ outcome: 'exited', exit }));
  try {
    return await Promise.race([
      exit,
      keepTrying(container, probe, patience, stop, onFailed).catch((error) => preferExit(error, exit)),
    ]);
  } finally {
    ended.abort();
  }
}

/** A container that has ended has no ports any more, which may be noticed before its end is. */
async function preferExit(error: unknown, exit: Promise<ProbeOutcome>): Promise<ProbeOutcome> {
  const ended = await Promise.race([exit, sleep(EXIT_NOTICE_MS, undefined, { ref: false })]);
  if (ended === undefined) throw error;
  return ended;
}

async function keepTrying(
  container: ProbedContainer,
  probe: Probe,
  { timeoutMs, intervalMs, user }: Patience,
  signal: AbortSignal,
  onFailed: (seen: string) => void,
): Promise<ProbeOutcome> {
  const deadline = performance.now() + timeoutMs;
  let lastSeen = NOTHING;
  for (;;) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return { outcome: 'timed-out', lastSeen };
    const limitMs = Math.ceil(Math.min(leftMs, ATTEMPT_LIMIT_MS));
    const seen = await tryProbe(container, probe, { limitMs, user }, signal);
    signal.throwIfAborted();
    if (typeof seen === 'number') return { outcome: 'ready', atMs: seen };
    // The last attempt, which the time limit cut short, tells nothing that an earlier one did not.
    const isCutShort = lastSeen !== NOTHING && performance.now() >= deadline;
    if (!isCutShort) lastSeen = seen;
    onFailed(lastSeen);
    await sleep(Math.max(intervalMs, LEAST_INTERVAL_MS[probe.kind]), undefined, { signal });
  }
}
