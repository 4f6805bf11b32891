import { join } from 'node:path';
import type { ImageConfig, Layer, OciImage } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { World } from '../world.ts';
import { readAppLayers } from './app-layer.ts';
import { takeBaseLayers } from './base-layer.ts';
import { composeImageConfig } from './image-config.ts';
import { readRuntimeEntries } from './runtime-layer.ts';

/** The app as an ordinary image: the base, the app's layers, the runtime. The build container runs `plan.command` in it. */
export async function containerize(plan: BuildPlan, world: World): Promise<OciImage> {
  const blobDir = join(world.workDir, 'blobs');
  const options = { ...plan.image, signal: world.signal };
  const base = await takeBaseLayers(plan, blobDir, world);
  const app: Layer[] = [];
  for (const { kind, entries } of await readAppLayers(plan, join(world.workDir, 'app')))
    app.push(await writeLayer(blobDir, kind, entries, options));
  const runtime = await writeLayer(blobDir, 'runtime', await readRuntimeEntries(plan, world.nativeDir), options);
  const { format, createdSeconds } = plan.image;
  const config = forBuild(composeImageConfig(plan));
  return { blobDir, layers: [...base, ...app, runtime], config, format, createdSeconds };
}

/** What the app writes into a volume would be lost, and whoever looks after its health is in the way of a checkpoint. */
function forBuild(config: ImageConfig): ImageConfig {
  const { inherited, ...rest } = config;
  return inherited === undefined ? rest : { ...rest, inherited: { ...inherited, volumes: [], healthcheck: undefined } };
}
