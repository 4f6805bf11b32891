/** A damaged dump as it is kept in test/fuzz/corpus/dump: small enough to be committed. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DumpFiles } from './mutate-dump.ts';

export type Mode = 'map' | 'read';
export interface KeptCase {
  /** Which of the seeds it was made from. */
  readonly seed: number;
  readonly mode: Mode;
  /** The images that differ from the seed's (gzip, base64), null for one that is gone. */
  readonly images: Readonly<Record<string, string | null>>;
}

export function keepCase(seed: number, mode: Mode, before: DumpFiles, after: DumpFiles): KeptCase {
  const names = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  const images = names.map((name) => [name, zip(after.get(name))]);
  return { seed, mode, images: Object.fromEntries(images) };
}

export function applyCase(before: DumpFiles, { images }: KeptCase): DumpFiles {
  const files = new Map(before);
  for (const [name, content] of Object.entries(images))
    if (content === null) files.delete(name);
    else files.set(name, gunzipSync(Buffer.from(content, 'base64')));
  return files;
}

function zip(image: Buffer | undefined): string | null {
  return image === undefined ? null : gzipSync(image).toString('base64');
}
