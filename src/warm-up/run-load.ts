import { setMaxListeners } from 'node:events';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { openDeck } from './deck.ts';
import { openRandom } from './random.ts';
import { openUser, runScenario, type Traffic } from './run-scenario.ts';
import type { Pace, Scenario } from './scenario.ts';

export interface LoadOptions {
  readonly seed: number;
  /** Runs before these: their numbers go on from there. */
  readonly firstN: number;
  readonly traffic: Traffic;
  readonly signal: AbortSignal;
}

/** More unfinished runs than this, and the app is not keeping up; an engine's port forwarding ends near here, too. */
const MAX_UNFINISHED = 1000;

/** The app takes longer than it is given: runs pile up. */
export class CannotKeepUp extends Error {
  override readonly name = 'CannotKeepUp';
}

/** A user's runs are decided by the seed, whatever the others do: user u of c has the numbers u, u + c, u + 2c, … */
export async function runFixed(
  scenario: Scenario,
  { count, concurrency }: { readonly count: number; readonly concurrency: number },
  { seed, firstN, traffic, signal }: LoadOptions,
): Promise<void> {
  await runTogether(concurrency, signal, async (number, stop) => {
    const user = openUser(number, seed);
    for (let n = number; n <= count; n += concurrency) await runScenario(scenario, user, firstN + n, traffic, stop);
  });
}

/** Runs scenarios by their weight until `isOver`; what has begun is finished. */
export async function runMixed(
  scenarios: readonly Scenario[],
  pace: Pace,
  options: LoadOptions,
  isOver: () => boolean,
): Promise<void> {
  if (pace.kind === 'users') await runUsers(scenarios, pace.concurrency, options, isOver);
  else await runAtRate(scenarios, pace.perSecond, options, isOver);
}

async function runUsers(
  scenarios: readonly Scenario[],
  concurrency: number,
  { seed, firstN, traffic, signal }: LoadOptions,
  isOver: () => boolean,
): Promise<void> {
  await runTogether(concurrency, signal, async (number, stop) => {
    const user = openUser(number, seed);
    const deal = openDeck(scenarios, openRandom(seed, number, DECK));
    for (let n = number; !isOver(); n += concurrency) await runScenario(deal(), user, firstN + n, traffic, stop);
  });
}

/** Runs begin at fixed times, whether or not earlier ones are through: each is a user of its own. */
async function runAtRate(
  scenarios: readonly Scenario[],
  perSecond: number,
  { seed, firstN, traffic, signal }: LoadOptions,
  isOver: () => boolean,
): Promise<void> {
  const deal = openDeck(scenarios, openRandom(seed, DECK));
  const startedMs = performance.now();
  const unfinished = new Set<Promise<unknown>>();
  await runTogether(1, signal, async (_, stop, fail) => {
    for (let n = 1; !isOver(); n++) {
      const dueMs = startedMs + ((n - 1) * 1000) / perSecond;
      const earlyMs = dueMs - performance.now();
      if (earlyMs > 0) await sleep(earlyMs, undefined, { signal: stop });
      else await setImmediate(); // answers are counted also while many runs are due at once
      stop.throwIfAborted();
      if (isOver()) break;
      const run: Promise<unknown> = runScenario(deal(), openUser(n, seed), firstN + n, traffic, stop)
        .catch(fail)
        .finally(() => unfinished.delete(run));
      unfinished.add(run);
      if (unfinished.size > MAX_UNFINISHED)
        throw new CannotKeepUp(`${unfinished.size} runs had begun at ${perSecond} a second and were not finished`);
    }
    await Promise.all(unfinished);
  });
}

/** Keeps the order of scenarios apart from what users draw. */
const DECK = 0xdec4;

/** Lanes 1 to `count`; the first failure ends all, and is what is thrown. */
async function runTogether(
  count: number,
  signal: AbortSignal,
  lane: (number: number, stop: AbortSignal, fail: (error: unknown) => void) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  /** As many requests as are under way listen to it, which Node.js would take for a leak. */
  setMaxListeners(Infinity, stop);
  const fail = (error: unknown): void => failed.abort(error);
  await Promise.all(Array.from({ length: count }, (_, index) => lane(index + 1, stop, fail).catch(fail)));
  /** Not the aborts that it caused. */
  if (failed.signal.aborted) throw failed.signal.reason;
}
