import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Changes {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/**
 * What an overlay's upper folder adds, changes and removes. overlayfs marks a removed name with a character device 0/0. A
 * folder that was removed and made again carries an attribute that Node cannot read: what it hides is found by comparing
 * the names below with those of the whole (`merged`). Folders count as changed only when owner, mode or time differ, as
 * with Docker.
 */
export async function listUpperChanges(
  upper: string,
  merged: string,
  lowestFirst: readonly string[],
): Promise<Changes> {
  const lower = [...lowestFirst].reverse();
  const changed: string[] = [];
  const removed: string[] = [];

  async function walk(folder: string): Promise<void> {
    const names = await readdir(join(upper, folder));
    for (const name of names) {
      const path = `${folder}/${name}`;
      const stat = await lstat(join(upper, path));
      if (isWhiteout(stat)) {
        removed.push(path);
      } else if (stat.isDirectory()) {
        const below = await statBelow(lower, path);
        if (below === undefined || differs(stat, below)) changed.push(path);
        await walk(path);
      } else {
        changed.push(path);
      }
    }
    const visible = new Set([...names, ...(await readdir(join(merged, folder)).catch(() => []))]);
    for (const name of await listNamesBelow(lower, folder)) if (!visible.has(name)) removed.push(`${folder}/${name}`);
  }

  await walk('');
  return { changed: changed.sort(), removed: removed.sort() };
}

function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

function differs(a: Stats, b: Stats): boolean {
  return !b.isDirectory() || a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.mtimeMs !== b.mtimeMs;
}

/** The highest layer that says anything about `path`. */
async function statBelow(lower: readonly string[], path: string): Promise<Stats | undefined> {
  for (const layer of lower) {
    const stat = await lstat(join(layer, path)).catch(() => undefined);
    if (stat !== undefined) return isWhiteout(stat) ? undefined : stat;
  }
  return undefined;
}

async function listNamesBelow(lower: readonly string[], folder: string): Promise<readonly string[]> {
  const names = new Map<string, boolean>();
  for (const layer of lower) {
    const stat = await lstat(join(layer, folder)).catch(() => undefined);
    if (stat === undefined) continue;
    if (!stat.isDirectory()) break;
    for (const name of await readdir(join(layer, folder))) {
      if (!names.has(name)) names.set(name, isWhiteout(await lstat(join(layer, folder, name))));
    }
  }
  return [...names].filter(([, gone]) => !gone).map(([name]) => name);
}
