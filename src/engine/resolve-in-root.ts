import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_LINKS = 40;

/**
 * Where `path` of a container lies on this machine, links followed as inside the container: never out of `root`.
 * The last component is followed only with `followLast`. Components that do not exist are kept as they are.
 */
export async function resolveInRoot(
  root: string,
  path: string,
  options: { readonly followLast?: boolean } = {},
): Promise<string> {
  const pending = split(path);
  const resolved: string[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '..') {
      resolved.pop();
      continue;
    }
    resolved.push(part);
    if (pending.length === 0 && options.followLast !== true) break;
    const here = join(root, ...resolved);
    const isLink = await lstat(here).then(
      (stat) => stat.isSymbolicLink(),
      () => false,
    );
    if (!isLink) continue;
    if (++links > MAX_LINKS) throw new RangeError(`too many links in ${path}`);
    const target = await readlink(here);
    if (target.startsWith('/')) resolved.length = 0;
    else resolved.pop();
    pending.unshift(...split(target));
  }
  return join(root, ...resolved);
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
