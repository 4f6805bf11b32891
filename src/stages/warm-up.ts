import { setTimeout as sleep } from 'node:timers/promises';
import { askJitFacts } from '../criu/jit-facts.ts';
import type { Container } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { NoAnswer } from '../warm-up/no-answer.ts';
import { COUNTS, openStop, type Stopped } from '../warm-up/open-stop.ts';
import { CommandFailed } from '../warm-up/run-command.ts';
import { CallFailed } from '../warm-up/run-java-class.ts';
import { CannotKeepUp, type LoadOptions, runFixed, runMixed } from '../warm-up/run-load.ts';
import type { Pending, Sample, Traffic } from '../warm-up/run-scenario.ts';
import type { Scenario, WarmUpPlan } from '../warm-up/scenario.ts';
import { ScriptFailed } from '../warm-up/script-failed.ts';
import { UnexpectedAnswer } from '../warm-up/unexpected-answer.ts';
import { summariseWarmth, type WarmthReport } from '../warm-up/warmth.ts';
import { type JitWatch, watchJit } from '../warm-up/watch-jit.ts';
import type { World } from '../world.ts';
import { appExited, type RunningApp } from './launch.ts';
import { openTraffic } from './open-traffic.ts';

const LAST_LINES = 30;
/** An app that ends breaks its connections a moment before the engine tells that it has ended. */
const EXIT_GRACE_MS = 500;
const PROGRESS_INTERVAL_MS = 1000;

/**
 * Sends what the plan says over connections that are closed again when it returns: fixed scenarios one after the other, then
 * all that is mixed.
 */
export async function warmUpApp(plan: BuildPlan, app: RunningApp, world: World): Promise<WarmthReport> {
  return await app.services.guard(world, (guarded) => sendAll(plan, app, guarded));
}

async function sendAll(plan: BuildPlan, app: RunningApp, world: World): Promise<WarmthReport> {
  const { warmUp } = plan;
  const samples: Sample[] = [];
  const { uid, gid } = plan.app.user;
  await using traffic = await openTraffic(
    plan,
    app.container,
    warmUp.scenarios,
    {
      stage: 'warm-up',
      user: `${uid}:${gid}`,
      connections: countConnections(warmUp),
      onSample: (sample) => samples.push(sample),
    },
    world,
  );
  const limit = AbortSignal.timeout(warmUp.timeoutMs);
  const ended = new AbortController();
  /** A script or command may have no connection that breaks. */
  app.container.exited.then(
    () => ended.abort(new Error('the app has ended')),
    () => {}, // that the engine does not tell is for others to say
  );
  const signal = AbortSignal.any([world.signal, limit, ended.signal]);
  const total = countRequests(warmUp);
  const watching: Watching = { why: undefined, look: () => {} };
  const state = () => renderState(samples.length, total);
  using _ = tellProgress(world, () => (watching.why === undefined ? state() : `${state()}; ${watching.why()}`));
  const ask = (forMs: number, stop: AbortSignal) => askJitFacts(app.container, plan.app.user, forMs, stop);
  const jit = await watchJit(ask, signal, () => watching.look());
  const startedMs = performance.now();
  let stopped: Stopped;
  let endMs: number;
  try {
    stopped = await runScenarios(warmUp, { traffic, signal }, { samples, jit, watching }, world);
    endMs = performance.now();
  } catch (error) {
    if (world.signal.aborted) throw error;
    if (limit.aborted) throw await tooSlow(warmUp.timeoutMs, traffic, state(), app.container);
    throw await explain(error, traffic, app.container);
  } finally {
    await jit.end();
  }
  return summariseWarmth(samples, jit.samples, { startedMs, endMs, stopped });
}

/** What the mixed scenarios wait for. */
interface Watching {
  why: (() => string) | undefined;
  look: () => void;
}

/** As many as there are users at once; at a fixed rate, and for scripts, which may ask several things at once, as many as are needed. */
function countConnections({ scenarios, pace }: WarmUpPlan): number | undefined {
  if (pace.kind === 'rate' || scenarios.some(({ kind }) => kind === 'script')) return undefined;
  return Math.max(...scenarios.map(({ load }) => (load.kind === 'fixed' ? load.concurrency : pace.concurrency)), 1);
}

function renderState(answered: number, total: number | undefined): string {
  if (total !== undefined) return `${answered} of ${total} requests were answered`;
  return answered === 1 ? '1 request was answered' : `${answered} requests were answered`;
}

/** Undefined where that shows only when it is over. */
function countRequests({ scenarios }: WarmUpPlan): number | undefined {
  return scenarios.reduce<number | undefined>((sum, scenario) => {
    if (sum === undefined || scenario.load.kind === 'mixed' || scenario.kind === 'script') return undefined;
    return scenario.kind === 'http' ? sum + scenario.load.count * scenario.steps.length : sum;
  }, 0);
}

async function runScenarios(
  warmUp: WarmUpPlan,
  { traffic, signal }: Pick<LoadOptions, 'traffic' | 'signal'>,
  seen: { readonly samples: readonly Sample[]; readonly jit: JitWatch; readonly watching: Watching },
  world: World,
): Promise<Stopped> {
  const { scenarios, pace, seed } = warmUp;
  let firstN = 0;
  for (const scenario of scenarios) {
    if (scenario.load.kind !== 'fixed') continue;
    report(world, `${scenario.name} ×${scenario.load.count}`);
    await runFixed(scenario, scenario.load, { seed, firstN, traffic, signal });
    firstN += scenario.load.count;
  }
  const mixed = scenarios.filter(({ load }) => load.kind === 'mixed');
  if (mixed.length === 0) return COUNTS;
  report(world, `mixed: ${mixed.map(({ name }) => name).join(', ')}`);
  const ran = new Set<Scenario>();
  const runOther: Traffic['runOther'] = async (scenario, ...rest) => {
    await traffic.runOther(scenario, ...rest);
    ran.add(scenario);
  };
  const stop = openStop(warmUp, mixed, seen.samples, seen.jit.samples, ran);
  seen.watching.look = stop.look;
  if (warmUp.until?.kind === 'settled') seen.watching.why = () => stop.stopped().why;
  await runMixed(mixed, pace, { seed, firstN, traffic: { ...traffic, runOther }, signal }, stop.isOver);
  const stopped = stop.stopped();
  if (stopped.reason === undefined) throw new Error('the scenarios ended by themselves');
  return stopped;
}

/** Tells every second how far it is. */
function tellProgress(world: World, state: () => string): Disposable {
  const timer = setInterval(() => report(world, state()), PROGRESS_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function report(world: World, text: string): void {
  world.report({ type: 'stage-progress', stage: 'warm-up', text });
}

async function tooSlow(
  timeoutMs: number,
  { pending }: Traffic,
  state: string,
  container: Container,
): Promise<CracBuildError> {
  return new CracBuildError(
    'WARM_UP_FAILED',
    `the warm-up was not done after ${renderDuration(timeoutMs)}: ${state}${renderPending([...pending])}`,
    {
      hint: 'Give it more time with warmUp.timeout, or ask for less in warmUp.',
      details: await container.lastLines(LAST_LINES),
    },
  );
}

/** What has been going on for longest: a script or command, and a request. */
function renderPending(pending: readonly Pending[]): string {
  const now = performance.now();
  const oldest = pending.toSorted((a, b) => a.startedMs - b.startedMs);
  const found = [oldest.find(({ isRun }) => isRun), oldest.find(({ isRun }) => !isRun)];
  return found
    .flatMap((one) => {
      if (one === undefined) return [];
      const what = one.isRun ? 'has been running' : 'has been waiting for an answer';
      return [`; ${one.endpoint} ${what} for ${renderDuration(now - one.startedMs)}`];
    })
    .join('');
}

async function explain(error: unknown, { pending }: Traffic, container: Container): Promise<CracBuildError> {
  const exit = await Promise.race([container.exited, sleep(EXIT_GRACE_MS)]);
  if (exit !== undefined) {
    const where = error instanceof NoAnswer ? error.endpoint : [...pending][0]?.endpoint;
    return await appExited(container, exit.exitCode, `during warm-up${where === undefined ? '' : ` (${where})`}`);
  }
  const lines = await container.lastLines(LAST_LINES);
  if (error instanceof UnexpectedAnswer) {
    return new CracBuildError('WARM_UP_FAILED', `warm-up: ${error.message}`, {
      hint: 'Correct the request or what is expected of its answer (warmUp in crac-build.yaml, docs/warm-up.md) if that answer is the right one.',
      cause: error,
      details: [...error.lines, ...lines],
    });
  }
  if (error instanceof ScriptFailed || error instanceof CommandFailed || error instanceof CallFailed) {
    return new CracBuildError('WARM_UP_FAILED', `warm-up: ${error.message}`, {
      hint: WORK_HINTS[error.name],
      cause: error,
      details: [...error.lines, ...lines],
    });
  }
  if (error instanceof CannotKeepUp) {
    return new CracBuildError('WARM_UP_FAILED', `warm-up: the app does not keep up: ${error.message}`, {
      hint: 'Lower warmUp.rate, or give warmUp.concurrency instead: then the next begins when one is through.',
      cause: error,
      details: lines,
    });
  }
  if (error instanceof NoAnswer) {
    return new CracBuildError('WARM_UP_FAILED', `warm-up: ${error.message}`, {
      hint: isAboutCertificate(error.cause)
        ? 'Give the certificate of its authority, or its own, with warmUp.tls.ca, and the name in it with serverName, or take any with insecure: true.'
        : 'Look at the app’s last lines above; warmUp in crac-build.yaml tells what is sent.',
      cause: error,
      details: lines,
    });
  }
  throw error;
}

const WORK_HINTS = {
  ScriptFailed: 'Correct the script, or let it catch what may fail (docs/warm-up.md#scripts).',
  CommandFailed:
    'Commands run inside the container, as the app’s user, with the programs that are there (docs/warm-up.md#commands).',
  CallFailed:
    'The class must be in the app’s jar or on its class path, and catch what may fail (docs/warm-up.md#classes-of-the-app).',
};

/** https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes */
function isAboutCertificate(cause: unknown): boolean {
  return /CERT|LEAF_SIGNATURE/.test(`${(cause as NodeJS.ErrnoException).code}`);
}
