import { readdir, stat } from 'node:fs/promises';

export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** The path, where there is something. */
export async function existing(path: string): Promise<readonly string[]> {
  return (await exists(path)) ? [path] : [];
}

/** Names, sorted; of no folder none. */
export async function listJars(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.jar')).sort();
}
