import { posix } from 'node:path';
import type { Dump } from './read-dump.ts';

/**
 * What of the file system the dumped process has in use: files and folders that it has open, mapped or works in, and the
 * names of its unix sockets.
 */
export function listHeldPaths({ files }: Pick<Dump, 'files'>): ReadonlySet<string> {
  const held = new Set<string>();
  for (const { regular, unix } of files.values()) {
    if (regular?.path.startsWith('/')) held.add(regular.path);
    if (unix === undefined || unix.name.length === 0 || unix.name[0] === 0) continue; // without a name, or an abstract one
    const name = Buffer.from(unix.name).toString().replace(/\0+$/, '');
    held.add(posix.resolve('/', unix.folder, name));
  }
  return held;
}
