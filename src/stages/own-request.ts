/** The app asks for its checkpoint: Core.checkpointRestore(). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadyFacts } from '../criu/checkpoint.ts';
import { addLastLines, askForCheckpoint, askStatus, type ControlStatus } from '../criu/control.ts';
import type { AppUser } from '../criu/run-criu.ts';
import type { Container } from '../engine/engine.ts';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import type { World } from '../world.ts';
import { appExited } from './launch.ts';

const LAST_LINES = 30;
const POLL_INTERVAL_MS = 100;
/** A conversation with an app that ends breaks before the engine tells that it has ended: it cleans up first. */
const EXIT_GRACE_MS = 3000;
const STATUS_LIMIT_MS = 5000;

/** Resolves when the app has asked and waits to be dumped. CHECKPOINT_REFUSED or WARM_UP_FAILED otherwise. */
export async function awaitOwnRequest(
  plan: BuildPlan,
  container: Container,
  world: Pick<World, 'signal'>,
): Promise<ReadyFacts> {
  const { user } = plan.app;
  const limit = AbortSignal.timeout(plan.warmUp.timeoutMs);
  const signal = AbortSignal.any([world.signal, limit]);
  try {
    const status = await waitForJvm(container, user, signal);
    if (status.last !== null && !status.checkpointing) throw await refusedEarly(container, status.last);
    return await askForCheckpoint(container, user, { ...plan.checkpoint, join: true }, signal);
  } catch (error) {
    if (world.signal.aborted || !limit.aborted) throw error;
    const status = await askStatus(container, user, AbortSignal.timeout(STATUS_LIMIT_MS)).catch(() => undefined);
    throw await tooLate(plan, container, status, error);
  }
}

/** What fails because the app has ended is told as APP_EXITED; its own refusal says more than its end. */
export async function explainEnd<T>(container: Container, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isCracBuildError(error, 'CHECKPOINT_REFUSED')) throw error;
    const exit = await Promise.race([container.exited, sleep(EXIT_GRACE_MS)]);
    if (exit === undefined) throw error;
    throw await appExited(container, exit.exitCode, 'before its checkpoint, for which it was to ask by itself');
  }
}

async function waitForJvm(container: Container, user: AppUser, signal: AbortSignal): Promise<ControlStatus> {
  for (;;) {
    const status = await askStatus(container, user, signal);
    if (status !== undefined) return status;
    const exit = await Promise.race([container.exited, sleep(POLL_INTERVAL_MS, undefined, { signal })]);
    if (exit !== undefined) throw new Error('the app has ended');
  }
}

/** It asked before anybody came, and was refused: a client that comes now would not be told. */
async function refusedEarly(container: Container, last: NonNullable<ControlStatus['last']>): Promise<CracBuildError> {
  return new CracBuildError('CHECKPOINT_REFUSED', `the app asked for a checkpoint and got none: ${last.error}`, {
    hint: 'The lines above say what was in the way.',
    details: await addLastLines(last.details ?? [], container),
  });
}

async function tooLate(
  plan: BuildPlan,
  container: Container,
  status: ControlStatus | undefined,
  cause: unknown,
): Promise<CracBuildError> {
  const limit = renderDuration(plan.warmUp.timeoutMs);
  const sentence = status?.checkpointing
    ? `the app asked for its checkpoint, but was not prepared for it within ${limit}`
    : `the app did not ask for its checkpoint within ${limit}`;
  const hint = status?.checkpointing
    ? 'Look for a beforeCheckpoint that takes long, or raise warmUp.timeout.'
    : 'Call Core.checkpointRestore() in the app, raise warmUp.timeout, or leave out checkpoint.trigger: the build asks then.';
  return new CracBuildError('WARM_UP_FAILED', sentence, {
    hint,
    cause,
    details: await container.lastLines(LAST_LINES),
  });
}
