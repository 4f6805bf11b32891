import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImagePlace, parsePlace } from '../oci/place.ts';
import { LAYOUT_FILE } from '../oci/spec.ts';
import { type ImageSource, openSource } from '../stages/open-source.ts';
import { openWorkFolder } from './open-world.ts';

/** What a command was asked to look at: an image, or files beside which there may be more. */
export type Target =
  | { readonly kind: 'image'; readonly source: ImageSource }
  | { readonly kind: 'files'; readonly path: string };

/** The image of a place or of a folder that is a layout, or else the path. What had to be unpacked is removed when disposed. */
export async function openTarget(
  text: string,
  signal: AbortSignal,
  insecureHosts: readonly string[] = [],
): Promise<Target & AsyncDisposable> {
  const place = parsePlace(text) ?? (await findLayout(text));
  if (place === undefined) return { kind: 'files', path: text, [Symbol.asyncDispose]: async () => undefined };
  const work = await openWorkFolder();
  try {
    const source = await openSource(place, { workDir: work.path, environment: process.env, signal, insecureHosts });
    return { kind: 'image', source, [Symbol.asyncDispose]: () => work[Symbol.asyncDispose]() };
  } catch (error) {
    await work[Symbol.asyncDispose]();
    throw error;
  }
}

async function findLayout(dir: string): Promise<ImagePlace | undefined> {
  const found = await stat(join(dir, LAYOUT_FILE.name)).catch(() => undefined);
  return found === undefined ? undefined : { kind: 'oci', dir };
}
