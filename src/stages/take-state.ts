import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Container } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import { explainNoSpace } from '../oci/space.ts';
import { composeFile, type TarEntry } from '../tar/entry.ts';
import { type ReadEntry, readTar } from '../tar/read-tar.ts';
import { openTar } from '../tar/write-tar.ts';

/** Ours, the kernel's, and what an engine writes into every container. */
const NOT_STATE =
  /^\/(?:opt\/crac-build|proc|sys|dev)(?:\/|$)|^\/(?:opt|etc\/(?:hosts|hostname|resolv\.conf|mtab)|\.dockerenv)$/;

/** From this many changed paths on, a folder is copied in one go and what has not changed is left out. */
const WHOLE_FOLDER_FROM = 20;
/** Too large for that, as a rule. */
const LARGE_FOLDERS: ReadonlySet<string> = new Set(['/', '/app', '/opt', '/usr', '/lib', '/home', '/var']);

/**
 * Writes what the app has added and changed since it was started to an uncompressed tar, with the folders that lead there as
 * they are; what it removed comes as `.wh.NAME`. Returns the tar's path, "" when nothing has changed.
 */
export async function takeState(container: Container, workDir: string, signal: AbortSignal): Promise<string> {
  const changes = await container.listChanges(signal);
  const changed = changes.changed.filter((path) => !NOT_STATE.test(path)).sort();
  const removed = changes.removed.filter((path) => !NOT_STATE.test(path)).sort();
  if (changed.length === 0 && removed.length === 0) return '';

  const contentDir = join(workDir, 'state');
  await mkdir(contentDir, { recursive: true });
  const entries = new Map<string, TarEntry>();
  const wanted = new Set(changed);
  const read = async (path: string, isWanted: (found: string) => boolean, onlyFirst: boolean): Promise<void> => {
    const tar = await container.copyOut(path, signal);
    if (tar === undefined) return; // gone since
    for await (const found of readTar(tar)) {
      const foundPath = posix.join(posix.dirname(path), found.header.path);
      // A second name of a file is copied by itself, as a file.
      if (isWanted(foundPath) && !entries.has(foundPath) && found.header.type !== 'link') {
        entries.set(foundPath, await keepEntry(found, foundPath, join(contentDir, String(entries.size)), signal));
      }
      if (onlyFirst) return;
    }
  };

  try {
    for (const path of listAncestors([...changed, ...removed])) await read(path, (found) => found === path, true);
    for (const path of changed) {
      if (entries.has(path)) continue;
      const inside = changed.filter((other) => other.startsWith(`${path}/`)).length;
      const whole = inside >= WHOLE_FOLDER_FROM && !LARGE_FOLDERS.has(path);
      await read(path, (found) => wanted.has(found), !whole);
    }
    for (const path of removed) {
      const marker = posix.join(posix.dirname(path), `.wh.${posix.basename(path)}`);
      entries.set(marker, composeFile(marker.slice(1), Buffer.alloc(0)));
    }
    const stateTar = join(workDir, 'state.tar');
    await pipeline(openTar([...entries.values()]), createWriteStream(stateTar), { signal });
    return stateTar;
  } catch (error) {
    throw explainNoSpace(error, `copying the app’s files to ${workDir}`);
  }
}

function listAncestors(paths: readonly string[]): readonly string[] {
  const ancestors = new Set<string>();
  for (const path of paths) {
    for (let at = posix.dirname(path); at !== '/'; at = posix.dirname(at)) ancestors.add(at);
  }
  return [...ancestors].sort();
}

async function keepEntry(
  { header, content }: ReadEntry,
  path: string,
  localPath: string,
  signal: AbortSignal,
): Promise<TarEntry> {
  const { mode, uid, gid, mtimeSeconds, type, target, sizeBytes } = header;
  const facts = { path: path.slice(1), mode, uid, gid, mtimeSeconds };
  if (type === 'directory') return { ...facts, type };
  if (type === 'symlink') return { ...facts, type, target: target ?? '' };
  if (type === 'file') {
    await pipeline(Readable.from(content), createWriteStream(localPath), { signal });
    return { ...facts, type, content: { localPath, sizeBytes } };
  }
  throw new CracBuildError('STATE_REFUSED', `${path} is a ${type}, which cannot be part of an image`, {
    hint: 'Let the app make it where it is not kept (a tmpfs), or remove it before the checkpoint.',
  });
}
