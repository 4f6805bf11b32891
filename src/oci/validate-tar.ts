import type { Readable } from 'node:stream';
import { readTar, type TarHeader } from '../tar/read-tar.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * What is wrong with a layer, as sentences. Any must have whiteouts that mean something; those of crac-build (`isOurs`) are sorted, have
 * each path once, and links only to what came before. Reads the tar to its end.
 */
export async function validateTar(tar: Readable, isOurs: boolean): Promise<readonly string[]> {
  const problems: string[] = [];
  const seen = new Set<string>();
  const removed: string[] = [];
  let last = '';
  for await (const { header } of readTar(tar)) {
    const { path, type, target = '' } = header;
    problems.push(...validateWhiteout(header, removed));
    if (isOurs) {
      if (seen.has(path)) problems.push(`${path} is there twice`);
      if (type === 'link' && !seen.has(target)) problems.push(`${path} links to what comes later`);
      if (type !== 'link') {
        if (Buffer.compare(Buffer.from(path), Buffer.from(last)) < 0) problems.push(`${path} comes too late`);
        last = path;
      }
    }
    seen.add(path);
  }
  for (const path of removed) if (seen.has(path)) problems.push(`${path} is removed and there in one layer`);
  return problems;
}

/** `removed`: gets the path that a whiteout hides. */
function validateWhiteout({ path, type, sizeBytes }: TarHeader, removed: string[]): readonly string[] {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  if (!name.startsWith(WHITEOUT) || name === OPAQUE) return [];
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') return [`the whiteout ${path} hides nothing`];
  // aufs keeps its own things under such names, which hide nothing either.
  if (hidden.startsWith(WHITEOUT)) return [];
  removed.push(path.slice(0, slash) + hidden);
  return type === 'file' && sizeBytes === 0 ? [] : [`the whiteout ${path} is no empty file`];
}
