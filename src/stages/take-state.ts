import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { composeRootFolders } from '../base/root-folders.ts';
import type { StateFile, StateReport } from '../criu/state-report.ts';
import type { Container } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import { explainNoSpace } from '../oci/space.ts';
import { renderBytes } from '../report/render-bytes.ts';
import { composeFile, type TarEntry } from '../tar/entry.ts';
import { type ReadEntry, readTar } from '../tar/read-tar.ts';
import { openTar } from '../tar/write-tar.ts';
import { openStateRules, type StateRules } from './state-rules.ts';

/** Ours, the kernel's, and what an engine writes into every container. */
const NOT_STATE =
  /^\/(?:opt\/crac-build|proc|sys|dev)(?:\/|$)|^\/(?:opt|etc\/(?:hosts|hostname|resolv\.conf|mtab)|\.dockerenv)$/;

/** From this many changed paths on, a folder is copied in one go and what has not changed is left out. */
const WHOLE_FOLDER_FROM = 20;
/** Too large for that, as a rule. */
const LARGE_FOLDERS: ReadonlySet<string> = new Set(['/', '/app', '/opt', '/usr', '/lib', '/home', '/var']);

export interface TakenState {
  /** "" when nothing has changed. */
  readonly stateTar: string;
  readonly state: StateReport;
}

/**
 * Writes what the app has added and changed since it was started to an uncompressed tar, with the folders that lead there as
 * they are; what it removed comes as `.wh.NAME`. What `rules` leave out is told and not copied. STATE_REFUSED where the rest has
 * more than `maxBytes`: of what is too much nothing is written to disk.
 */
export async function takeState(
  container: Container,
  { workDir, rules, maxBytes }: { readonly workDir: string; readonly rules: StateRules; readonly maxBytes: number },
  signal: AbortSignal,
): Promise<TakenState> {
  const changes = await container.listChanges(signal);
  const changed = changes.changed.filter((path) => !NOT_STATE.test(path)).sort();
  const removed = changes.removed.filter((path) => !NOT_STATE.test(path)).sort();
  if (changed.length === 0 && removed.length === 0) return { stateTar: '', state: NO_STATE };

  const judge = openStateRules(rules);
  const files: StateFile[] = [];
  const leftOut: StateReport['leftOut'][number][] = [];
  const seen = new Set<string>();
  let sizeBytes = 0;
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
      if (isWanted(foundPath) && !seen.has(foundPath) && found.header.type !== 'link') {
        seen.add(foundPath);
        const { type, sizeBytes: fileBytes } = found.header;
        const file = { path: foundPath, sizeBytes: fileBytes };
        const why = judge(foundPath, type === 'directory');
        if (why !== undefined && type !== 'directory') leftOut.push({ ...file, why });
        if (why === undefined && type === 'file') {
          files.push(file);
          sizeBytes += fileBytes;
        }
        if (why === undefined && sizeBytes <= maxBytes)
          entries.set(foundPath, await keepEntry(found, foundPath, join(contentDir, String(entries.size)), signal));
      }
      if (onlyFirst) return;
    }
  };

  try {
    for (const path of listAncestors([...changed, ...removed])) await read(path, (found) => found === path, true);
    for (const path of changed) {
      if (seen.has(path)) continue;
      const inside = changed.filter((other) => other.startsWith(`${path}/`)).length;
      const whole = inside >= WHOLE_FOLDER_FROM && !LARGE_FOLDERS.has(path);
      await read(path, (found) => wanted.has(found), !whole);
    }
    if (sizeBytes > maxBytes) throw tooMuchState(files, sizeBytes, maxBytes);
    for (const path of removed) {
      const marker = posix.join(posix.dirname(path), `.wh.${posix.basename(path)}`);
      entries.set(marker, composeFile(marker.slice(1), Buffer.alloc(0)));
    }
    dropEmptyFolders(entries, rules);
    const state = { files: bySize(files), sizeBytes, removed, leftOut: bySize(leftOut) };
    if (entries.size === 0) return { stateTar: '', state };
    const stateTar = join(workDir, 'state.tar');
    await pipeline(openTar([...entries.values()]), createWriteStream(stateTar), { signal });
    return { stateTar, state };
  } catch (error) {
    throw explainNoSpace(error, `copying the app’s files to ${workDir}`);
  }
}

/** Of the image: they changed only because of what was left out of them. Those that the app has made are state. */
function dropEmptyFolders(entries: Map<string, TarEntry>, { temporaryFolders, cacheFolders, home }: StateRules): void {
  const folders = [...temporaryFolders, ...cacheFolders, home].map((folder) => `${folder}/any`);
  const ofImage = new Set([...composeRootFolders('').map(({ path }) => `/${path}`), ...listAncestors([`${home}/any`])]);
  for (const folder of listAncestors(folders).toReversed()) {
    if (!ofImage.has(folder)) continue;
    if (![...entries.keys()].some((path) => path.startsWith(`${folder}/`))) entries.delete(folder);
  }
}

export const NO_STATE: StateReport = { files: [], sizeBytes: 0, removed: [], leftOut: [] };
const LARGEST = 10;

function bySize<T extends StateFile>(files: readonly T[]): readonly T[] {
  return files.toSorted((a, b) => b.sizeBytes - a.sizeBytes || (a.path < b.path ? -1 : 1));
}

function tooMuchState(files: readonly StateFile[], sizeBytes: number, maxBytes: number): CracBuildError {
  const count = files.length === 1 ? '1 file' : `${files.length} files`;
  const largest = bySize(files).slice(0, LARGEST);
  const more = files.length - largest.length;
  return new CracBuildError(
    'STATE_REFUSED',
    `the app has written ${renderBytes(sizeBytes)} in ${count} before its checkpoint, more than the ${renderBytes(maxBytes)} that the image may take along`,
    {
      hint: 'Let the app write what it does not need to /tmp, name it in checkpoint.leaveOut, or allow more with checkpoint.maxState (docs/image.md).',
      details: [
        ...largest.map((file) => `${renderBytes(file.sizeBytes).padStart(9)}  ${file.path}`),
        ...(more > 0 ? [`and ${more} more`] : []),
      ],
    },
  );
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
