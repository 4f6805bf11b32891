import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { compareEnds, type Endpoint } from '../warm-up/latency.ts';
import { openPools } from '../warm-up/open-pools.ts';
import { sendRequests, UnexpectedAnswer } from '../warm-up/send-requests.ts';
import type { World } from '../world.ts';
import { appExited, type RunningApp } from './launch.ts';

export interface WarmthReport {
  readonly requestCount: number;
  readonly durationMs: number;
  readonly endpoints: readonly Endpoint[];
}

const LAST_LINES = 30;
/** An app that ends breaks its connections a moment before the engine tells that it has ended. */
const EXIT_GRACE_MS = 500;

/** Sends the plan's requests, one kind after the other, over connections that are closed again when it returns. */
export async function warmUpApp(plan: BuildPlan, app: RunningApp, world: World): Promise<WarmthReport> {
  const { requests, timeoutMs } = plan.warmUp;
  const startedMs = performance.now();
  const requestCount = requests.reduce((sum, { count }) => sum + count, 0);
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([world.signal, limit]);
  const endpoints: Endpoint[] = [];
  let done = 0;
  await using pools = await openPools(app.container, requests);
  for (const request of requests) {
    const text = `${request.method} ${request.path}`;
    const onDone = () => {
      done++;
      if (done % 100 === 0) report(world, `${text}: ${done} of ${requestCount} requests`);
    };
    report(world, `${text} ×${request.count}`);
    try {
      const latenciesMs = await sendRequests(pools.get(request.port), request, onDone, signal);
      endpoints.push({
        method: request.method,
        path: request.path,
        count: request.count,
        ...compareEnds(latenciesMs),
      });
    } catch (error) {
      if (world.signal.aborted) throw error;
      if (limit.aborted) throw tooSlow(timeoutMs, `${done} of ${requestCount} requests were answered`);
      throw await explain(error, text, app.container);
    }
  }
  return { requestCount, durationMs: Math.round(performance.now() - startedMs), endpoints };
}

function report(world: World, text: string): void {
  world.report({ type: 'stage-progress', stage: 'warm-up', text });
}

function tooSlow(timeoutMs: number, state: string): CracBuildError {
  return new CracBuildError('WARM_UP_FAILED', `the warm-up was not done after ${renderDuration(timeoutMs)}: ${state}`, {
    hint: 'Give it more time with warmUp.timeout, or lower the counts in warmUp.requests.',
  });
}

async function explain(error: unknown, text: string, container: Container): Promise<CracBuildError> {
  const exit = await Promise.race([container.exited, sleep(EXIT_GRACE_MS)]);
  if (exit !== undefined) return await appExited(container, exit.exitCode, `during warm-up (${text})`);
  const lines = await container.lastLines(LAST_LINES);
  if (error instanceof UnexpectedAnswer) {
    return new CracBuildError('WARM_UP_FAILED', `warm-up: ${error.message}`, {
      hint: 'Correct the request, or its `status` and `contains` in warmUp.requests if that answer is the right one.',
      cause: error,
      details: [...(error.body === '' ? [] : [`answer: ${error.body.trimEnd()}`]), ...lines],
    });
  }
  return new CracBuildError('WARM_UP_FAILED', `warm-up: ${text} got no answer: ${(error as Error).message}`, {
    hint: 'Look at the app’s last lines above; warmUp.requests tells what is sent.',
    cause: error,
    details: lines,
  });
}
