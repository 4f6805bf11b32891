import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { composeDirectory, composeFile, composeSymlink, type TarEntry } from '../tar/entry.ts';

/**
 * A folder of the build machine as root's entries below `target`: executable files 0755, others 0644. `include` is asked
 * with paths relative to the folder; a refused folder is not entered.
 */
export async function readTree(
  folder: string,
  target: string,
  include: (path: string) => boolean = () => true,
): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [composeDirectory(target)];
  await readInto(entries, folder, target, '', include);
  return entries;
}

async function readInto(
  entries: TarEntry[],
  folder: string,
  target: string,
  below: string,
  include: (path: string) => boolean,
): Promise<void> {
  for (const name of await readdir(join(folder, below))) {
    const path = below === '' ? name : `${below}/${name}`;
    if (!include(path)) continue;
    const local = join(folder, path);
    const found = await lstat(local);
    if (found.isDirectory()) {
      entries.push(composeDirectory(`${target}/${path}`));
      await readInto(entries, folder, target, path, include);
    } else if (found.isSymbolicLink()) {
      entries.push(composeSymlink(`${target}/${path}`, await readlink(local)));
    } else if (found.isFile()) {
      const mode = found.mode & 0o100 ? 0o755 : 0o644;
      entries.push(composeFile(`${target}/${path}`, { localPath: local, sizeBytes: found.size }, mode));
    }
  }
}
