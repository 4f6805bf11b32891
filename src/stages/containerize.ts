import { join } from 'node:path';
import type { ImageConfig, OciImage } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { World } from '../world.ts';
import { readAppEntries } from './app-layer.ts';
import { takeBaseLayers } from './base-layer.ts';
import { isImageApp } from './image-app.ts';
import { composeImageConfig } from './image-config.ts';
import { readRuntimeEntries } from './runtime-layer.ts';

/** The app as an ordinary image: base, app and runtime layers. The build container runs `plan.command` in it. */
export async function containerize(plan: BuildPlan, world: World): Promise<OciImage> {
  const blobDir = join(world.workDir, 'blobs');
  const options = { ...plan.image, signal: world.signal };
  const base = await takeBaseLayers(plan, blobDir, world);
  const app = isImageApp(plan) ? [] : [await writeLayer(blobDir, 'app', await readAppEntries(plan), options)];
  const runtime = await writeLayer(blobDir, 'runtime', await readRuntimeEntries(plan, world.nativeDir), options);
  return { blobDir, layers: [...base, ...app, runtime], config: forBuild(composeImageConfig(plan)) };
}

/** What the app writes into a volume would be lost, and whoever looks after its health is in the way of a checkpoint. */
function forBuild(config: ImageConfig): ImageConfig {
  const { inherited, ...rest } = config;
  return inherited === undefined ? rest : { ...rest, inherited: { ...inherited, volumes: [], healthcheck: undefined } };
}
