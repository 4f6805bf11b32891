import { createReadStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { type Header, type Pack, pack } from 'tar-stream';
import type { TarEntry } from './entry.ts';

/** The largest number in a ustar header's seven octal digits (ids) and in what tar-stream writes for times (int32). */
const MAX_USTAR_ID = 0o7777777;
const MAX_USTAR_SECONDS = 0x7fffffff;

const S_IFREG = 0o100000;

/**
 * An uncompressed tar that depends on nothing but its entries: sorted by path (bytes; a folder precedes what is in it),
 * hard links after everything they may point to. ustar headers, pax records only for what does not fit.
 */
export function openTar(entries: readonly TarEntry[]): Readable {
  const tar = pack();
  // The reader learns of a failure through the stream.
  writeEntries(tar, sortEntries(entries)).catch((error: unknown) => tar.destroy(error as Error));
  return Readable.from(tar, { objectMode: false });
}

export function sortEntries(entries: readonly TarEntry[]): readonly TarEntry[] {
  const sorted = entries
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => rankLink(a.entry) - rankLink(b.entry) || Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
  const seen = new Set<string>();
  for (const { path } of sorted) {
    if (seen.has(path)) throw new TypeError(`two tar entries have the path ${path}`);
    seen.add(path);
  }
  return sorted;
}

function rankLink(entry: TarEntry): number {
  return entry.type === 'link' ? 1 : 0;
}

async function writeEntries(tar: Pack, entries: readonly TarEntry[]): Promise<void> {
  for (const entry of entries) {
    await writeEntry(tar, entry);
  }
  tar.finalize();
}

function writeEntry(tar: Pack, entry: TarEntry): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    const header = composeHeader(entry);
    if (entry.type !== 'file') {
      tar.entry(header, done);
    } else if (Buffer.isBuffer(entry.content)) {
      tar.entry(header, entry.content, done);
    } else if (entry.content.sizeBytes === 0) {
      tar.entry(header, Buffer.alloc(0), done);
    } else {
      const sink = tar.entry(header, done);
      const { localPath, sizeBytes, offset = 0 } = entry.content;
      const source = createReadStream(localPath, {
        start: offset,
        end: offset + sizeBytes - 1,
        highWaterMark: 1 << 20,
      });
      source.once('error', reject);
      sink.once('error', reject);
      source.pipe(sink as unknown as Writable); // streamx: its interface is node's
    }
  });
}

function composeHeader(entry: TarEntry): Header {
  const pax: Record<string, string> = {};
  const { uid, gid, mtimeSeconds } = entry;
  if (uid > MAX_USTAR_ID) pax['uid'] = String(uid);
  if (gid > MAX_USTAR_ID) pax['gid'] = String(gid);
  if (mtimeSeconds > MAX_USTAR_SECONDS || mtimeSeconds < 0) pax['mtime'] = String(mtimeSeconds);
  return {
    name: entry.type === 'directory' ? `${entry.path}/` : entry.path,
    type: entry.type,
    // tar-stream takes mode 0 for "absent"; the type bits, which it masks out, keep it.
    mode: entry.mode | S_IFREG,
    uid: pax['uid'] === undefined ? uid : 0,
    gid: pax['gid'] === undefined ? gid : 0,
    uname: '',
    gname: '',
    mtime: new Date(pax['mtime'] === undefined ? mtimeSeconds * 1000 : 0),
    size: entry.type === 'file' ? sizeOf(entry.content) : 0,
    linkname: entry.type === 'symlink' || entry.type === 'link' ? entry.target : '',
    devmajor: 0,
    devminor: 0,
    pax: Object.keys(pax).length > 0 ? pax : null,
  };
}

function sizeOf(content: Buffer | { readonly sizeBytes: number }): number {
  return Buffer.isBuffer(content) ? content.length : content.sizeBytes;
}
