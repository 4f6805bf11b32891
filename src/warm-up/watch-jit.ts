import { setTimeout as sleep } from 'node:timers/promises';
import type { JitSample } from './jit-sample.ts';

/** Asks the JVM for `forMs`, and gives what it told in the end; times are of the JVM's own clock. */
export type AskJit = (forMs: number, signal: AbortSignal) => Promise<readonly JitSample[]>;

export interface JitWatch {
  /** Grows while it is watched. */
  readonly samples: readonly JitSample[];
  /** Looks once more, and ends. */
  end(): Promise<void>;
}

/** One round trip brings several samples: it may take as long as a warm-up's first requests. */
const ROUND_MS = 750;
const RETRY_MS = 500;

/**
 * Looks once, and then watches the JVM until `end` or the signal; rounds follow each other and never overlap. Who does not
 * answer is asked again: whether the app is still there is for others to see.
 */
export async function watchJit(ask: AskJit, signal: AbortSignal, onSamples: () => void): Promise<JitWatch> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const samples: JitSample[] = [];
  let offsetMs = Infinity;
  const look = async (forMs: number, limit: AbortSignal) => {
    const told = await ask(forMs, limit);
    const last = told.at(-1);
    if (last === undefined) return false;
    /** The quickest round trip tells best how the clocks differ. */
    offsetMs = Math.min(offsetMs, performance.now() - last.atMs);
    const news = told.map((sample) => ({ ...sample, atMs: sample.atMs + offsetMs }));
    samples.push(...news.filter(({ atMs }) => atMs > (samples.at(-1)?.atMs ?? -Infinity)));
    onSamples();
    return true;
  };
  await look(0, stop).catch(() => {});
  const watching = (async () => {
    while (!stop.aborted) {
      const begunMs = performance.now();
      const answered = await look(ROUND_MS, stop).catch(() => false);
      const leftMs = begunMs + (answered ? ROUND_MS : RETRY_MS) - performance.now();
      if (leftMs > 0) await sleep(leftMs, undefined, { signal: stop }).catch(() => {});
    }
  })();
  return {
    samples,
    async end() {
      ended.abort();
      await watching;
      if (!signal.aborted) await look(0, signal).catch(() => {});
    },
  };
}
