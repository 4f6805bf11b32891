import type { Engine } from '../engine/engine.ts';
import { requireCompression } from '../engine/require-compression.ts';
import type { Compression } from '../oci/image.ts';
import { requireZstd } from '../oci/zstd.ts';
import type { BuildPlan } from '../plan/build-plan.ts';

const OF_BASE =
  'The base has such layers, which stay as they are: take one with gzip, a newer Docker, or --engine oci with an oci:DIR output.';

/** Whether layers can be written, and read by the engine, before any is made. */
export async function checkCompression(
  { compression }: Compression,
  engine: Pick<Engine, 'name' | 'description' | 'layerCompressions'>,
  base?: BuildPlan['base'],
): Promise<void> {
  requireCompression(engine, compression);
  if (base?.kind === 'image') for (const layer of base.layers) requireCompression(engine, layer.compression, OF_BASE);
  if (compression === 'zstd') await requireZstd(engine.name === 'oci');
}
