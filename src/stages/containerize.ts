import { join } from 'node:path';
import type { OciImage } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { World } from '../world.ts';
import { readAppEntries } from './app-layer.ts';
import { takeBaseLayer } from './base-layer.ts';
import { composeImageConfig } from './image-config.ts';
import { readRuntimeEntries } from './runtime-layer.ts';

/** The app as an ordinary image: base, app and runtime layers. The build container runs `plan.command` in it. */
export async function containerize(plan: BuildPlan, world: World): Promise<OciImage> {
  const blobDir = join(world.workDir, 'blobs');
  const options = { ...plan.image, signal: world.signal };
  const base = await takeBaseLayer(plan, blobDir, world);
  const app = await writeLayer(blobDir, 'app', await readAppEntries(plan), options);
  const runtime = await writeLayer(blobDir, 'runtime', await readRuntimeEntries(plan, world.nativeDir), options);
  const { format, createdSeconds } = plan.image;
  return { blobDir, layers: [base, app, runtime], config: composeImageConfig(plan), format, createdSeconds };
}
