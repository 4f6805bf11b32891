import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../criu/checkpoint.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import type { ServerPlan } from '../plan/build-plan.ts';
import { arrangeMemory } from '../restore-plan/arrange-memory.ts';
import type { RestoreImage } from '../restore-plan/restore-image.ts';
import type { World } from '../world.ts';
import { CHECKPOINT_FOLDER } from './checkpoint-layer.ts';
import { packCheckpoint } from './pack.ts';
import { recordTouches } from './record.ts';

export interface Arranged {
  readonly restoreImage: RestoreImage;
  readonly layers: readonly Layer[];
}

/** Restores `draft` once to see which pages the first answer needs, and packs the checkpoint again with these in front. */
export async function arrangeCheckpoint(
  plan: ServerPlan,
  draft: OciImage,
  { restoreImage, layers }: Arranged,
  checkpoint: Checkpoint,
  world: World,
): Promise<Arranged> {
  const touches = await recordTouches(plan, draft, world);
  const outDir = join(world.workDir, 'arranged');
  await mkdir(outDir, { recursive: true });
  const arranged =
    touches === undefined ? restoreImage : await arrangeMemory(restoreImage, touches, `/${CHECKPOINT_FOLDER}`, outDir);
  const layer = await packCheckpoint(plan, checkpoint, arranged, world);
  return { restoreImage: arranged, layers: layers.map((old) => (old.kind === 'checkpoint' ? layer : old)) };
}
