import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAccounts, composeAccounts } from '../base/accounts.ts';
import { readTree } from '../base/read-tree.ts';
import { inspectJar } from '../jar/inspect-jar.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { composeDirectory, composeFile, type TarEntry } from '../tar/entry.ts';

/**
 * The jar (root's, readable by all) with the libraries beside it that its manifest names, in a folder that belongs to the
 * app's user, who also gets a name and that folder as home.
 */
export async function readAppEntries({ app, base }: BuildPlan): Promise<readonly TarEntry[]> {
  const jarPath = requireJar(app);
  const { sizeBytes, classPath } = await inspectJar(jarPath);
  const folder = dirname(app.imagePath).slice(1);
  const entries = new Map<string, TarEntry>();
  const add = (entry: TarEntry): void => void (entries.has(entry.path) || entries.set(entry.path, entry));
  for (const entry of base.kind === 'jdk' ? composeAccounts(app.user) : addAccounts(base, app.user)) add(entry);
  add(composeDirectory('etc'));
  add(composeDirectory(folder, 0o755, app.user));
  const workingDir = app.workingDir.replace(/^\/+|\/+$/g, '');
  if (workingDir.startsWith(`${folder}/`)) add(composeDirectory(workingDir, 0o755, app.user));
  add(composeFile(app.imagePath.slice(1), { localPath: jarPath, sizeBytes }));
  for (const path of classPath) {
    for (const entry of await readBeside(dirname(jarPath), path.replace(/\/+$/, ''), folder)) add(entry);
  }
  for (const { path } of [...entries.values()]) {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) add(composeDirectory(parent));
  }
  return keepFolders([...entries.values()], base);
}

export function requireJar({ jar }: BuildPlan['app']): string {
  if (jar === undefined) throw new TypeError('an app that is an image has no jar');
  return jar;
}

/** Entries of folders that the base has, as it has them: a layer's entry replaces owner and mode of what lies below. */
export function keepFolders(entries: readonly TarEntry[], base: BuildPlan['base']): readonly TarEntry[] {
  if (base.kind !== 'image') return entries;
  return entries.map((entry) => {
    const { mode, uid, gid } = base.folders.find(({ path }) => path === entry.path) ?? entry;
    return entry.type === 'directory' && entry.uid === 0 ? { ...entry, mode, uid, gid } : entry;
  });
}

/** What is not there is no error for `java -jar` either. */
async function readBeside(jarFolder: string, path: string, imageFolder: string): Promise<readonly TarEntry[]> {
  const local = join(jarFolder, path);
  const found = await stat(local).catch(() => undefined);
  if (found?.isFile()) return [composeFile(`${imageFolder}/${path}`, { localPath: local, sizeBytes: found.size })];
  return found?.isDirectory() && path !== '' ? await readTree(local, `${imageFolder}/${path}`) : [];
}
