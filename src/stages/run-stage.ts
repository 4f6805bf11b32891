import { CracBuildError } from '../errors.ts';
import type { Stage } from '../report/event.ts';
import type { World } from '../world.ts';

/** Runs one stage between its started and finished events; an abort, whatever it broke, becomes INTERRUPTED. */
export async function runStage<T>(
  world: Pick<World, 'report' | 'signal'>,
  stage: Stage,
  work: () => Promise<T>,
  summarise: (value: T) => string,
): Promise<T> {
  const startedMs = performance.now();
  const elapsedMs = () => Math.round((performance.now() - startedMs) * 10) / 10;
  world.report({ type: 'stage-started', stage, atMs: Math.round(startedMs) });
  try {
    if (world.signal.aborted) throw interrupted(stage);
    const value = await work();
    world.report({ type: 'stage-finished', stage, durationMs: elapsedMs(), summary: summarise(value) });
    return value;
  } catch (error) {
    const told = world.signal.aborted ? interrupted(stage, error) : error;
    world.report({
      type: 'stage-failed',
      stage,
      durationMs: elapsedMs(),
      message: told instanceof Error ? told.message : String(told),
    });
    throw told;
  }
}

function interrupted(stage: Stage, cause?: unknown): CracBuildError {
  return new CracBuildError('INTERRUPTED', `interrupted during ${stage}`, { cause });
}
