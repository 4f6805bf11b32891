import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { addAccounts, composeAccounts } from '../base/accounts.ts';
import { readTree } from '../base/read-tree.ts';
import { CracBuildError } from '../errors.ts';
import type { AppLayer, AppPart, AppSource } from '../jar/app-source.ts';
import { readZip } from '../jar/read-zip.ts';
import { writeThinJar } from '../jar/thin-jar.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { composeDirectory, composeFile, type TarEntry } from '../tar/entry.ts';

export interface AppLayerEntries {
  readonly kind: AppLayer['kind'];
  readonly entries: readonly TarEntry[];
}

/**
 * The app's layers (root's, readable by all), in a folder that belongs to the app's user; the last also gives that user a
 * name, with that folder as home. What has to be unpacked first goes to `workDir`, and must stay until the layers are written.
 */
export async function readAppLayers({ app, base }: BuildPlan, workDir: string): Promise<readonly AppLayerEntries[]> {
  const { layers = [] } = app.source ?? {};
  const folder = app.folder.slice(1);
  const read: AppLayerEntries[] = [];
  for (const [index, { kind, parts }] of layers.entries()) {
    const entries = new Map<string, TarEntry>();
    const add = (entry: TarEntry): void => void (entries.has(entry.path) || entries.set(entry.path, entry));
    add(composeDirectory(folder, 0o755, app.user));
    if (index === layers.length - 1) for (const entry of composeHome(app, base)) add(entry);
    for (const part of parts) for (const entry of await readPart(part, folder, workDir)) add(entry);
    for (const { path } of [...entries.values()]) {
      for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) add(composeDirectory(parent));
    }
    read.push({ kind, entries: keepFolders([...entries.values()], base) });
  }
  return read;
}

export function requireSource({ source }: BuildPlan['app']): AppSource {
  if (source === undefined) throw new TypeError('an app that is an image has no files of its own');
  return source;
}

/** Entries of folders that the base has, as it has them: a layer's entry replaces owner and mode of what lies below. */
export function keepFolders(entries: readonly TarEntry[], base: BuildPlan['base']): readonly TarEntry[] {
  if (base.kind !== 'image') return entries;
  return entries.map((entry) => {
    const { mode, uid, gid } = base.folders.find(({ path }) => path === entry.path) ?? entry;
    return entry.type === 'directory' && entry.uid === 0 ? { ...entry, mode, uid, gid } : entry;
  });
}

function composeHome({ user, folder, workingDir }: BuildPlan['app'], base: BuildPlan['base']): readonly TarEntry[] {
  const path = workingDir.replace(/^\/+|\/+$/g, '');
  return [
    ...(base.kind === 'jdk' ? composeAccounts(user) : addAccounts(base, user)),
    composeDirectory('etc'),
    ...(path.startsWith(`${folder.slice(1)}/`) ? [composeDirectory(path, 0o755, user)] : []),
  ];
}

async function readPart(part: AppPart, folder: string, workDir: string): Promise<readonly TarEntry[]> {
  const target = part.to === '' ? folder : `${folder}/${part.to}`;
  switch (part.kind) {
    case 'file': {
      const found = await stat(part.from).catch((cause: unknown) => refuseGone(part.from, cause));
      return [composeFile(target, { localPath: part.from, sizeBytes: found.size })];
    }
    case 'folder': {
      const { without = [] } = part;
      return await readTree(part.from, target, (path) => !without.includes(path)).catch((cause: unknown) =>
        refuseGone(part.from, cause),
      );
    }
    case 'entries':
      return await readNested(part.from, part.entries, target, workDir);
    case 'thin-jar': {
      const localPath = join(workDir, 'thin.jar');
      await mkdir(workDir, { recursive: true });
      await writeThinJar(part.from, part.classPath, localPath);
      return [composeFile(target, { localPath, sizeBytes: (await stat(localPath)).size })];
    }
  }
}

/** They are stored in the jar as they are, and read from there; a compressed one is unpacked first. */
async function readNested(
  jar: string,
  names: readonly string[],
  target: string,
  workDir: string,
): Promise<readonly TarEntry[]> {
  const wanted = new Set(names);
  const entries: TarEntry[] = [];
  for await (const entry of readZip(jar)) {
    if (!wanted.has(entry.name)) continue;
    const path = `${target}/${basename(entry.name)}`;
    const offset = await entry.findContent();
    if (offset !== undefined) {
      entries.push(composeFile(path, { localPath: jar, sizeBytes: entry.sizeBytes, offset }));
      continue;
    }
    const localPath = join(workDir, 'nested', basename(entry.name));
    await mkdir(dirname(localPath), { recursive: true });
    await pipeline(await entry.open(), createWriteStream(localPath));
    entries.push(composeFile(path, { localPath, sizeBytes: entry.sizeBytes }));
  }
  return entries;
}

function refuseGone(path: string, cause: unknown): never {
  throw new CracBuildError('INPUT_NOT_FOUND', `${path} cannot be read any more`, {
    hint: 'Build the app again, and then the image; not both at once.',
    cause,
  });
}
