import { join } from 'node:path';
import type { Checkpoint } from '../criu/checkpoint.ts';
import type { Layer } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { RestoreImage } from '../restore-plan/restore-image.ts';
import type { World } from '../world.ts';
import { composeCheckpointEntries } from './checkpoint-layer.ts';
import { readStateEntries } from './state-layer.ts';

/** The quickest of each compression. */
const DRAFT_LEVEL = 1;

/**
 * What the checkpoint adds to the app's image: a state layer if the app wrote files, and the checkpoint layer. `isDraft`: that
 * one is only to be tried, and packed again then.
 */
export async function packLayers(
  plan: BuildPlan,
  checkpoint: Checkpoint,
  restoreImage: RestoreImage,
  world: World,
  { isDraft = false } = {},
): Promise<Layer[]> {
  const blobDir = join(world.workDir, 'blobs');
  const layers: Layer[] = [];
  const state = checkpoint.stateTar === '' ? [] : await readStateEntries(checkpoint.stateTar, plan);
  if (state.length > 0) layers.push(await writeLayer(blobDir, 'state', state, { ...plan.image, signal: world.signal }));
  const compression = isDraft ? { ...plan.image, compressionLevel: DRAFT_LEVEL } : plan.image;
  layers.push(await packCheckpoint(plan, checkpoint, restoreImage, world, compression));
  return layers;
}

export async function packCheckpoint(
  plan: BuildPlan,
  checkpoint: Checkpoint,
  restoreImage: RestoreImage,
  world: World,
  compression = plan.image,
): Promise<Layer> {
  const entries = composeCheckpointEntries(plan, checkpoint, restoreImage, world);
  const blobDir = join(world.workDir, 'blobs');
  return await writeLayer(blobDir, 'checkpoint', entries, { ...compression, signal: world.signal });
}
