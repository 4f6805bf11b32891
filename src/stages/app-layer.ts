import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { composeAccounts } from '../base/accounts.ts';
import { readTree } from '../base/read-tree.ts';
import { inspectJar } from '../jar/inspect-jar.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { composeDirectory, composeFile, type TarEntry } from '../tar/entry.ts';

/**
 * The jar (root's, readable by all) with the libraries beside it that its manifest names, in a folder that belongs to the
 * app's user, who also gets a name and that folder as home.
 */
export async function readAppEntries({ app }: BuildPlan): Promise<readonly TarEntry[]> {
  const { sizeBytes, classPath } = await inspectJar(app.jar);
  const folder = dirname(app.imagePath).slice(1);
  const entries = new Map<string, TarEntry>();
  const add = (entry: TarEntry): void => void (entries.has(entry.path) || entries.set(entry.path, entry));
  for (const entry of composeAccounts(app.user)) add(entry);
  add(composeDirectory('etc'));
  add(composeDirectory(folder, 0o755, app.user));
  const workingDir = app.workingDir.replace(/^\/+|\/+$/g, '');
  if (workingDir.startsWith(`${folder}/`)) add(composeDirectory(workingDir, 0o755, app.user));
  add(composeFile(app.imagePath.slice(1), { localPath: app.jar, sizeBytes }));
  for (const path of classPath) {
    for (const entry of await readBeside(dirname(app.jar), path.replace(/\/+$/, ''), folder)) add(entry);
  }
  for (const { path } of [...entries.values()]) {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) add(composeDirectory(parent));
  }
  return [...entries.values()];
}

/** What is not there is no error for `java -jar` either. */
async function readBeside(jarFolder: string, path: string, imageFolder: string): Promise<readonly TarEntry[]> {
  const local = join(jarFolder, path);
  const found = await stat(local).catch(() => undefined);
  if (found?.isFile()) return [composeFile(`${imageFolder}/${path}`, { localPath: local, sizeBytes: found.size })];
  return found?.isDirectory() && path !== '' ? await readTree(local, `${imageFolder}/${path}`) : [];
}
