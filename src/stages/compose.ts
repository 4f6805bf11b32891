import type { Layer, OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { VERSION } from '../version.ts';
import type { World } from '../world.ts';
import { composeImageConfig } from './image-config.ts';

/** The final image: the app's image with the checkpoint's layers on top. The entrypoint is the restorer. */
export async function composeImage(
  plan: BuildPlan,
  image: OciImage,
  layers: readonly Layer[],
  _world: World,
): Promise<OciImage> {
  const checkpoint = layers.find((layer) => layer.kind === 'checkpoint');
  const config = composeImageConfig(plan, {
    'dev.crac-build.version': VERSION,
    'dev.crac-build.checkpoint.diff-id': checkpoint?.diffId ?? 'none',
  });
  return { blobDir: image.blobDir, layers: [...image.layers, ...layers], config };
}
