import { cp } from 'node:fs/promises';
import type { OciImage } from '../../../src/oci/image.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import type { TarEntry } from '../../../src/tar/entry.ts';
import { readImage } from './read-image.ts';

/** The image of `layout` with one more layer on top, in a copy of the layout at `copy`. */
export async function patchImage(layout: string, copy: string, entries: readonly TarEntry[]): Promise<OciImage> {
  await cp(layout, copy, { recursive: true });
  const image = await readImage(copy);
  const layer = await writeLayer(image.blobDir, 'state', entries);
  return { ...image, layers: [...image.layers, layer] };
}
