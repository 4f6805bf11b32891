import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AppSource } from '../jar/app-source.ts';
import { hashFile } from '../oci/blob-store.ts';

/**
 * "sha256:…" of the jar, or of all jars of a class path, by name; of two of one name the second has that which it has in the
 * image. A folder is told by the layers that are made of it, and an image by its own.
 */
export async function readAppInputs(source: AppSource | undefined): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {};
  for (const { name, path } of listInputs(source)) {
    if ((await stat(path)).isFile()) digests[name] = await hashFile(path);
  }
  return digests;
}

function listInputs(source: AppSource | undefined): readonly { readonly name: string; readonly path: string }[] {
  if (source === undefined) return [];
  if (source.start.kind === 'jar') return [{ name: basename(source.path), path: source.path }];
  const parts = source.layers.flatMap((layer) => layer.parts);
  return parts.flatMap(({ kind, from, to }) => (kind === 'file' ? [{ name: basename(to), path: from }] : []));
}
