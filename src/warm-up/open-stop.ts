import { renderDuration } from '../report/render-duration.ts';
import { decideStop } from './decide-stop.ts';
import type { JitSample } from './jit-sample.ts';
import type { Sample } from './run-scenario.ts';
import { listSteps, nameEndpoint, type Scenario, type WarmUpPlan } from './scenario.ts';

/** Why a warm-up ended. `counts`: all that was asked for a number of times was answered; `limit`: at warmUp.max, unsettled. */
export interface Stopped {
  readonly reason: 'counts' | 'requests' | 'duration' | 'settled' | 'limit';
  readonly why: string;
}

export const COUNTS: Stopped = { reason: 'counts', why: 'each request was answered as often as was asked for' };

export interface Stop {
  readonly isOver: () => boolean;
  /** To be called when the JVM has told something. */
  readonly look: () => void;
  /** What it still waits for, or why it is over. */
  readonly stopped: () => Stopped | { readonly reason: undefined; readonly why: string };
}

/** Decides when the mixed `scenarios`, which begin now, are over. `samples` and `jit` grow meanwhile; `samples` are all of the warm-up. `ran`: of scripts and
 * the like, what they will ask is not known: those that were through once. */
export function openStop(
  { until, min, max }: Pick<WarmUpPlan, 'until' | 'min' | 'max'>,
  scenarios: readonly Scenario[],
  samples: readonly Sample[],
  jit: readonly JitSample[],
  ran: ReadonlySet<Scenario>,
): Stop {
  const startedMs = performance.now();
  const before = samples.length;
  let stopped: ReturnType<Stop['stopped']> = { reason: undefined, why: 'it has just begun' };
  const stop = (reason: Stopped['reason'], why: string) => {
    stopped = { reason, why };
  };
  const endpoints = [...new Set(listSteps(scenarios).map(nameEndpoint))];
  const isAtMax = () =>
    performance.now() - startedMs >= (max.durationMs ?? Infinity) ||
    samples.length - before >= (max.requests ?? Infinity);
  const decide = () => {
    if (stopped.reason !== undefined || until?.kind !== 'settled') return;
    const course = { startedMs, nowMs: performance.now(), samples: samples.slice(before), jit, endpoints };
    const decision = decideStop(course, { min, max });
    const unseen = scenarios.find((scenario) => scenario.kind !== 'http' && !ran.has(scenario));
    if (unseen !== undefined && !(decision.stop && decision.reason === 'limit')) {
      const why = `${unseen.name} has not been run yet`;
      if (isAtMax()) stop('limit', why);
      else stopped = { reason: undefined, why };
      return;
    }
    if (decision.stop) stop(decision.reason, decision.why);
    else stopped = { reason: undefined, why: decision.why };
  };
  const isOver = () => {
    if (stopped.reason !== undefined) return true;
    const elapsedMs = performance.now() - startedMs;
    const count = samples.length - before;
    if (until?.kind === 'requests' && count >= until.count) stop('requests', `${until.count} requests were answered`);
    else if (until?.kind === 'duration' && elapsedMs >= until.durationMs)
      stop('duration', `it went on for ${renderDuration(until.durationMs)}`);
    else if (isAtMax()) decide();
    return stopped.reason !== undefined;
  };
  return { isOver, look: decide, stopped: () => stopped };
}
