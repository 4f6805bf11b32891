import type { ReadyFacts } from './criu/checkpoint.ts';
import { isCracBuildError } from './errors.ts';
import type { OciImage } from './oci/image.ts';
import { type BuildPlan, isServer } from './plan/build-plan.ts';
import { renderBytes } from './report/render-bytes.ts';
import { renderDuration } from './report/render-duration.ts';
import { type Arranged, arrangeCheckpoint } from './stages/arrange.ts';
import { attestImage, keepsAttestations } from './stages/attest.ts';
import { takeCheckpoint } from './stages/checkpoint.ts';
import { compileCheckpoint } from './stages/compile.ts';
import { composeImage } from './stages/compose.ts';
import { containerize } from './stages/containerize.ts';
import { composeImageFacts } from './stages/image-facts.ts';
import { readInputDigests } from './stages/input-digests.ts';
import { keepCacheSmall } from './stages/keep-in-cache.ts';
import { launchApp } from './stages/launch.ts';
import { packLayers } from './stages/pack.ts';
import { publishImage } from './stages/publish.ts';
import {
  forgetCheckpoint,
  keepCheckpoint,
  type MadeCheckpoint,
  nameCheckpoint,
  reuseCheckpoint,
} from './stages/reuse-checkpoint.ts';
import { runStage } from './stages/run-stage.ts';
import { NO_STATE } from './stages/take-state.ts';
import { type VerifyReport, verifyImage } from './stages/verify.ts';
import { type ProgramReport, verifyProgram } from './stages/verify-program.ts';
import { warmUpApp } from './stages/warm-up.ts';
import type { World } from './world.ts';

export type BuildResult = Awaited<ReturnType<typeof build>>;

/** The whole pipeline. Nothing is published unless the final image was seen to restore. */
export async function build(plan: BuildPlan, world: World) {
  const startedOn = new Date();
  const appImage = await runStage(world, 'containerize', () => containerize(plan, world), describeImage);
  const key = await nameCheckpoint(plan, appImage, world);
  const { made, image, verified, cached } =
    (await finishReused(plan, appImage, key, world)) ?? (await finishNew(plan, appImage, key, world));
  const built = await runStage(
    world,
    'publish',
    async () => {
      const attestations = keepsAttestations(plan) ? await attestImage(plan, image, startedOn, world) : undefined;
      return await publishImage(plan, image, world, attestations);
    },
    () => `${plan.outputs.length} output${plan.outputs.length === 1 ? '' : 's'}`,
  );
  await keepCacheSmall(plan, world);
  const { warmth, ready, state, restoreImage } = made;
  return { plan, cached, warmth, ready, state, restoreImage, layers: image.layers, verified, built };
}

/** With the checkpoint of an earlier build; undefined where there is none, or the image with it does not restore. */
async function finishReused(plan: BuildPlan, appImage: OciImage, key: string | undefined, world: World) {
  const made = await reuseCheckpoint(key, appImage, world);
  if (key === undefined || made === undefined) return undefined;
  try {
    return { made, ...(await finish(plan, appImage, made, world)), cached: true };
  } catch (error) {
    if (!isCracBuildError(error, 'VERIFY_FAILED')) throw error;
    await forgetCheckpoint(key, world);
    const message = `the checkpoint of the cache is given up and a new one taken: ${error.message}`;
    world.report({ type: 'warning', message });
    return undefined;
  }
}

async function finishNew(plan: BuildPlan, appImage: OciImage, key: string | undefined, world: World) {
  const made = await makeCheckpoint(plan, appImage, world);
  const finished = await finish(plan, appImage, made, world);
  if (key !== undefined && finished.verified !== undefined) await keepCheckpoint(plan, key, made, world);
  return { made, ...finished, cached: false };
}

async function finish(plan: BuildPlan, appImage: OciImage, made: MadeCheckpoint, world: World) {
  const image = await runStage(
    world,
    'compose',
    async () => {
      const inputs = await readInputDigests(plan, appImage, world);
      const { architecture } = appImage.config;
      const { criuVersion } = world.toolbox;
      const facts = composeImageFacts(plan, { made, architecture, criuVersion, inputs });
      return composeImage(plan, appImage, made.layers, facts);
    },
    describeImage,
  );
  const verified = plan.verify.enabled
    ? await runStage(world, 'verify', () => verify(plan, image, world), describeVerified)
    : undefined;
  return { image, verified };
}

async function makeCheckpoint(plan: BuildPlan, appImage: OciImage, world: World): Promise<MadeCheckpoint> {
  const { warmth, checkpoint, ...packed } = await checkpointApp(plan, appImage, world);
  const { restoreImage, layers } =
    isServer(plan) && isArranged(plan)
      ? await runStage(
          world,
          'arrange',
          async () => {
            const draft = composeImage(plan, appImage, packed.layers);
            return await arrangeCheckpoint(plan, draft, packed, checkpoint, world);
          },
          describeArranged,
        )
      : packed;
  const { contents: _contents, planFile: _plan, memFile: _mem, ...compiled } = restoreImage;
  const { ready, kernel, state = NO_STATE } = checkpoint;
  return { warmth, ready, ...(kernel !== undefined && { kernel }), state, restoreImage: compiled, layers };
}

/** Whoever does not want the image tried does not want it tried for this either. */
function isArranged(plan: BuildPlan): boolean {
  return isServer(plan) && plan.verify.enabled;
}

/** From the app's start to the layers made of it. It is alive, stopped, until then: its files are read from its container. */
async function checkpointApp(plan: BuildPlan, image: OciImage, world: World) {
  const warmsItself = plan.checkpoint.trigger === 'app';
  await using app = await runStage(
    world,
    'launch',
    () => launchApp(plan, image, world),
    () => (warmsItself ? 'started' : 'ready'),
  );
  const warmth = warmsItself
    ? undefined
    : await runStage(
        world,
        'warm-up',
        () => warmUpApp(plan, app, world),
        ({ requestCount }) => `${requestCount} requests`,
      );
  const checkpoint = await runStage(
    world,
    'checkpoint',
    () => takeCheckpoint(plan, app, world),
    ({ ready }) => `${ready.gc}, ${renderBytes(sumFreed(ready.steps))} given back by the JVM`,
  );
  const restoreImage = await runStage(
    world,
    'compile',
    () => compileCheckpoint(plan, checkpoint, world),
    ({ memBytes, threadCount }) => `${renderBytes(memBytes)} of memory, ${threadCount} threads`,
  );
  const layers = await runStage(
    world,
    'pack',
    () => packLayers(plan, checkpoint, restoreImage, world, { isDraft: isArranged(plan) }),
    (made) => made.map(({ kind, sizeBytes }) => `${kind} ${renderBytes(sizeBytes)}`).join(', '),
  );
  return { warmth, checkpoint, restoreImage, layers };
}

async function verify(plan: BuildPlan, image: OciImage, world: World): Promise<VerifyReport | ProgramReport> {
  return isServer(plan) ? await verifyImage(plan, image, world) : await verifyProgram(plan, image, world);
}

function sumFreed(steps: ReadyFacts['steps']): number {
  return Math.max(
    0,
    steps.reduce((sum, { freedBytes }) => sum + freedBytes, 0),
  );
}

function describeVerified({ restoredMs, coldMs }: VerifyReport | ProgramReport): string {
  return `restored in ${renderDuration(Math.min(...restoredMs))}, cold in ${renderDuration(coldMs)}, containers included`;
}

function describeArranged({ restoreImage: { readAheadBytes, populatedBytes } }: Arranged): string {
  return readAheadBytes === 0
    ? 'what the first answer touches could not be seen'
    : `${renderBytes(readAheadBytes)} read ahead and ${renderBytes(populatedBytes)} populated for the first answer`;
}

function describeImage(image: OciImage): string {
  return `${image.layers.length} layers, ${renderBytes(image.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`;
}
