import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { digestOf, hashFile } from '../oci/blob-store.ts';

/** Of names and content of all files in it: "sha256:…" of the sorted lines "path digest". */
export async function hashFolder(dir: string): Promise<string> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  const lines: string[] = [];
  for (const path of paths) lines.push(`${relative(dir, path)} ${await hashFile(path)}`);
  return digestOf(lines.join('\n'));
}

/** Of a jar's bytes, or of a folder of classes. */
export async function hashFileOrFolder(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? await hashFolder(path) : await hashFile(path);
}
