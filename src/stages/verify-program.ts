import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerSpec } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { OciImage } from '../oci/image.ts';
import { renderDuration } from '../report/render-duration.ts';
import type { Neighbourhood } from './launch-service.ts';
import { launchServices } from './services.ts';
import { failed, type Profile, planProfile, type VerifyPlan, type VerifyWorld } from './verify.ts';

/** Of an app that nobody asks anything: milliseconds from asking the engine for a container to its end, or to the limit. */
export interface ProgramReport {
  readonly profile: Profile;
  readonly restoredMs: readonly number[];
  readonly coldMs: number;
  /** Of all three; null: it still ran when the time limit was over. */
  readonly exitCode: number | null;
}

const RESTORE_COUNT = 2;
const LAST_LINES = 30;
/** The restorer's own, where it may not start cold. */
const NOT_RESTORED = 125;

/**
 * Starts the final image under restrictions, with nothing to read: restored twice, then cold. VERIFY_FAILED unless it is
 * restored, and ends, or runs on, as a cold start does.
 */
export async function verifyProgram(plan: VerifyPlan, image: OciImage, world: VerifyWorld): Promise<ProgramReport> {
  await using services = await launchServices(plan, 'verify', world);
  return await services.guard(world, (guarded) => verifyBeside(plan, image, services.neighbourhood, guarded));
}

async function verifyBeside(
  plan: VerifyPlan,
  image: OciImage,
  neighbourhood: Neighbourhood,
  world: VerifyWorld,
): Promise<ProgramReport> {
  const id = randomBytes(4).toString('hex');
  await using loaded = await world.engine.loadImage(image, `crac-build/${plan.name}:verify-${id}`, world.signal);
  const start = (mode: 'require' | 'off', run: string, expected?: Run) =>
    watchStart(
      plan,
      { ...neighbourhood, image: loaded.reference, name: `crac-build-${plan.name}-verify-${id}-${run}` },
      mode,
      expected,
      world,
    );

  const runs: Run[] = [];
  for (let run = 1; run <= RESTORE_COUNT; run++) runs.push(await start('require', `${run}`, runs[0]));
  const cold = await start('off', 'cold', runs[0]);
  return {
    profile: planProfile(plan),
    restoredMs: runs.map(({ elapsedMs }) => elapsedMs),
    coldMs: cold.elapsedMs,
    exitCode: cold.exitCode ?? null,
  };
}

interface Run {
  readonly exitCode: number | undefined;
  readonly elapsedMs: number;
}

async function watchStart(
  plan: VerifyPlan,
  place: Pick<ContainerSpec, 'image' | 'name'> & Neighbourhood,
  mode: 'require' | 'off',
  expected: Run | undefined,
  world: VerifyWorld,
): Promise<Run> {
  const startedMs = performance.now();
  const profile = planProfile(plan);
  await using container = await world.engine.launchContainer(
    {
      ...place,
      ...profile,
      environment: { CRAC_RESTORE: mode },
      tmpfsMayExecute: mode === 'off',
      ports: plan.app.ports,
    },
    world.signal,
  );
  const limit = new AbortController();
  const signal = AbortSignal.any([world.signal, limit.signal]);
  const exit = await Promise.race([container.exited, sleep(plan.verify.timeoutMs, undefined, { signal })]);
  limit.abort();
  const run = { exitCode: exit?.exitCode, elapsedMs: Math.round((performance.now() - startedMs) * 10) / 10 };
  const how = mode === 'off' ? 'started cold' : 'restored';
  const text = `${how}: ${describe(run)} after ${renderDuration(run.elapsedMs)}`;
  world.report({ type: 'stage-progress', stage: 'verify', text });

  if (mode === 'require' && run.exitCode === NOT_RESTORED)
    throw await failed(container, `the image was to be restored, but its process exited with code ${NOT_RESTORED}`);
  if (expected !== undefined && expected.exitCode !== run.exitCode)
    throw new CracBuildError(
      'VERIFY_FAILED',
      `verify: ${how}, the app ${describe(run)}, but restored first it ${describe(expected)}`,
      {
        hint:
          mode === 'off'
            ? 'A cold start gets no checkpoint: catch what checkpointRestore() throws and go on. No image was published.'
            : 'Let the app end alike each time that it is given nothing to read. No image was published.',
        details: await container.lastLines(LAST_LINES),
      },
    );
  return run;
}

function describe({ exitCode }: Run): string {
  return exitCode === undefined ? 'runs' : `exited with code ${exitCode}`;
}
