import { FACT_KEYS } from '../oci/fact-keys.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { VERSION } from '../version.ts';
import { composeImageConfig } from './image-config.ts';

/** The app's image with the checkpoint's layers on top. The entrypoint is the restorer. `facts`: those of the final image. */
export function composeImage(
  plan: BuildPlan,
  image: OciImage,
  layers: readonly Layer[],
  facts: Readonly<Record<string, string>> = {},
): OciImage {
  const checkpoint = layers.find((layer) => layer.kind === 'checkpoint');
  const annotations = {
    ...plan.image.annotations,
    [FACT_KEYS.version]: VERSION,
    [FACT_KEYS.checkpointDiffId]: checkpoint?.diffId ?? 'none',
    ...facts,
  };
  const config = composeImageConfig(plan, annotations);
  const { format, createdSeconds } = plan.image;
  return { blobDir: image.blobDir, layers: [...image.layers, ...layers], config, format, annotations, createdSeconds };
}
