import { CracBuildError } from '../errors.ts';
import type { LayerCompression } from '../oci/image.ts';
import type { Engine } from './engine.ts';

export function requireCompression(
  { description, layerCompressions }: Pick<Engine, 'description' | 'layerCompressions'>,
  compression: LayerCompression,
  hint = 'Use image.compression gzip (--compression gzip), a newer Docker, or --engine oci with an oci:DIR output.',
): void {
  if (layerCompressions.includes(compression)) return;
  throw new CracBuildError(
    'ENGINE_UNAVAILABLE',
    `${description} cannot read layers compressed with ${compression}: Docker 23 is the first that can`,
    { hint },
  );
}
