import { setTimeout as sleep } from 'node:timers/promises';
import type { CracBuildError } from '../../errors.ts';

export interface Patience {
  /** In a row, the first included. */
  readonly attempts: number;
  /** Doubled from one to the next. */
  readonly firstDelayMs: number;
}

export const DEFAULT_PATIENCE: Patience = { attempts: 5, firstDelayMs: 500 };

const MAX_DELAY_MS = 10_000;
/** A registry that wants more of it (Docker Hub's limits: hours) is not waited for. */
const MAX_ASKED_DELAY_MS = 60_000;

/** May go well the next time. `failure` is what is thrown when there is none. */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
  readonly failure: CracBuildError;
  readonly retryAfterMs: number | undefined;

  constructor(failure: CracBuildError, retryAfterMs?: number) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-15: those that say "not now". */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** How long to wait after `failures` in a row; undefined: not any more. `chance` is from 0 to 1: who failed together comes apart. */
export function planDelay(
  failures: number,
  retryAfterMs: number | undefined,
  { attempts, firstDelayMs }: Patience,
  chance: number,
): number | undefined {
  if (failures >= attempts) return undefined;
  if (retryAfterMs !== undefined) return retryAfterMs > MAX_ASKED_DELAY_MS ? undefined : retryAfterMs;
  return Math.min(MAX_DELAY_MS, firstDelayMs * 2 ** (failures - 1)) * (0.5 + chance / 2);
}

/** Waits after the `failures`-th failure in a row, or throws it for good. */
export async function waitAfterFailure(
  error: unknown,
  failures: number,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  if (!(error instanceof TransientFailure)) throw error;
  signal.throwIfAborted();
  const delayMs = planDelay(failures, error.retryAfterMs, patience, Math.random());
  if (delayMs === undefined) throw error.failure;
  await sleep(delayMs, undefined, { signal });
}

export async function withRetries<T>(
  { patience, signal }: { readonly patience: Patience; readonly signal: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      await waitAfterFailure(error, failures, patience, signal);
    }
  }
}
