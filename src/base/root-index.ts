import { posix } from 'node:path';
import type { TarHeader } from '../tar/read-tar.ts';

/** What an image's root holds, without what the files hold: only of a few is more known. */
export type RootIndex = ReadonlyMap<string, RootEntry>;

export type RootEntry = Pick<TarHeader, 'type' | 'mode' | 'uid' | 'gid' | 'sizeBytes' | 'target'> & {
  /** Of what is small and may be looked into: see `isOfInterest`. The start of the others that are. */
  readonly content?: Buffer;
};

const MAX_LINKS = 40;
const TEXT_BYTES = 256 << 10;
/** Holds the headers of an ELF file, and the name of its loader. */
const ELF_BYTES = 4096;

/** How much of a file is kept: scripts, accounts, what a JDK and a system say of themselves, and the headers of java. */
export function bytesOfInterest({ path, mode, sizeBytes }: Pick<TarHeader, 'path' | 'mode' | 'sizeBytes'>): number {
  const name = posix.basename(path);
  if (name === 'java' || name === 'libjvm.so') return ELF_BYTES;
  const isText = /^(?:etc\/(?:passwd|group)|(?:etc|usr\/lib)\/os-release)$/.test(path) || name === 'release';
  if (isText) return sizeBytes <= TEXT_BYTES ? TEXT_BYTES : 0;
  if ((mode & 0o111) === 0) return name.endsWith('.sh') && sizeBytes <= TEXT_BYTES ? TEXT_BYTES : 0;
  return sizeBytes <= TEXT_BYTES ? TEXT_BYTES : ELF_BYTES;
}

/** Only what may be looked at later: of programs that are no scripts, their headers. */
export function trimContent(content: Buffer): Buffer {
  const isProgram = content.subarray(0, 4).toString('latin1') === '\x7fELF';
  return isProgram ? Buffer.from(content.subarray(0, ELF_BYTES)) : Buffer.from(content);
}

/**
 * One layer on top of others. `.wh.NAME` removes what the lower layers have, `.wh..wh..opq` all that they have in a folder:
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 */
export function stackLayer(lower: RootIndex, layer: RootIndex): RootIndex {
  const root = new Map(lower);
  const removeBelow = (folder: string): void => {
    for (const path of root.keys()) if (path.startsWith(`${folder}/`)) root.delete(path);
  };
  for (const path of layer.keys()) {
    const name = posix.basename(path);
    if (!name.startsWith('.wh.')) continue;
    const folder = path.slice(0, Math.max(0, path.length - name.length - 1));
    if (name === '.wh..wh..opq') {
      if (folder === '') root.clear();
      else removeBelow(folder);
      continue;
    }
    const removed = posix.join(folder, name.slice('.wh.'.length));
    root.delete(removed);
    removeBelow(removed);
  }
  for (const [path, entry] of layer) {
    if (path === '' || posix.basename(path).startsWith('.wh.')) continue;
    if (entry.type !== 'directory' && root.get(path)?.type === 'directory') removeBelow(path);
    root.set(path, entry);
  }
  for (const [path, entry] of layer) {
    if (entry.type !== 'link') continue;
    const original = root.get((entry.target ?? '').replace(/^(?:\.?\/)+/, ''));
    if (original !== undefined && original.type !== 'link') root.set(path, original);
  }
  return root;
}

export interface Resolved {
  /** Without links in it, absolute. */
  readonly path: string;
  readonly entry: RootEntry;
}

/** What `path` leads to inside the root, links followed. Folders that no layer names are there if something lies in them. */
export function resolveIn(root: RootIndex, path: string): Resolved | undefined {
  const pending = split(path);
  const resolved: string[] = [];
  let links = 0;
  let entry: RootEntry | undefined;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '..') {
      resolved.pop();
      continue;
    }
    resolved.push(part);
    entry = root.get(resolved.join('/'));
    if (entry?.type !== 'symlink') continue;
    if (++links > MAX_LINKS) return undefined;
    const target = entry.target ?? '';
    if (target.startsWith('/')) resolved.length = 0;
    else resolved.pop();
    pending.unshift(...split(target));
    entry = undefined;
  }
  const at = resolved.join('/');
  const found = root.get(at);
  return found === undefined ? undefined : { path: `/${at}`, entry: found };
}

/** Names in a folder, sorted. */
export function listIn(root: RootIndex, folder: string): readonly string[] {
  const found = resolveIn(root, folder);
  const prefix = `${(found?.path ?? folder).replace(/^\/+|\/+$/g, '')}/`;
  const names = new Set<string>();
  for (const path of root.keys()) {
    if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/')[0] ?? '');
  }
  return [...names].sort();
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
