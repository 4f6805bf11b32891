import type { ReadyFacts } from './criu/checkpoint.ts';
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
import { launchApp } from './stages/launch.ts';
import { packLayers } from './stages/pack.ts';
import { publishImage } from './stages/publish.ts';
import { runStage } from './stages/run-stage.ts';
import { type VerifyReport, verifyImage } from './stages/verify.ts';
import { type ProgramReport, verifyProgram } from './stages/verify-program.ts';
import { warmUpApp } from './stages/warm-up.ts';
import type { World } from './world.ts';

export type BuildResult = Awaited<ReturnType<typeof build>>;

/** The whole pipeline. Nothing is published unless the final image was seen to restore. */
export async function build(plan: BuildPlan, world: World) {
  const startedOn = new Date();
  const appImage = await runStage(world, 'containerize', () => containerize(plan, world), describeImage);
  const { warmth, checkpoint, ...packed } = await checkpointApp(plan, appImage, world);
  const { restoreImage, layers } =
    isServer(plan) && plan.verify.enabled
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
  const image = await runStage(
    world,
    'compose',
    async () => {
      const inputs = await readInputDigests(plan, appImage, world);
      const { architecture } = appImage.config;
      const { criuVersion } = world.toolbox;
      const facts = composeImageFacts(plan, { checkpoint, restoreImage, warmth, architecture, criuVersion, inputs });
      return composeImage(plan, appImage, layers, facts);
    },
    describeImage,
  );
  const verified = plan.verify.enabled
    ? await runStage(world, 'verify', () => verify(plan, image, world), describeVerified)
    : undefined;
  const built = await runStage(
    world,
    'publish',
    async () => {
      const attestations = keepsAttestations(plan) ? await attestImage(plan, image, startedOn, world) : undefined;
      return await publishImage(plan, image, world, attestations);
    },
    () => `${plan.outputs.length} output${plan.outputs.length === 1 ? '' : 's'}`,
  );
  const { contents: _, ...compiled } = restoreImage;
  return { plan, warmth, ready: checkpoint.ready, restoreImage: compiled, layers: image.layers, verified, built };
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
    () => packLayers(plan, checkpoint, restoreImage, world),
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
