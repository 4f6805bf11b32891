import type { Engine } from '../engine/engine.ts';
import { requireCompression } from '../engine/require-compression.ts';
import type { Compression } from '../oci/image.ts';
import { requireZstd } from '../oci/zstd.ts';
import type { BuildPlan } from '../plan/build-plan.ts';

/** Whether layers can be written, and read by the engine, before any is made. */
export async function checkCompression(
  { compression }: Compression,
  engine: Pick<Engine, 'name' | 'description' | 'layerCompressions'>,
  base?: BuildPlan['base'],
): Promise<void> {
  requireCompression(engine, compression);
  if (base?.kind === 'image') for (const layer of base.layers) requireCompression(engine, layer.compression);
  if (compression === 'zstd') await requireZstd(engine.name === 'oci');
}
