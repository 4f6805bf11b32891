import type { Readable, Writable } from 'node:stream';
import { extract, type Header } from 'tar-stream';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'block-device' | 'fifo';

export interface TarHeader {
  readonly type: TarEntryType;
  /** Relative to the root, without "./", a leading or a trailing slash; "" is the root itself. */
  readonly path: string;
  readonly target: string | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds, rounded down. */
  readonly mtimeSeconds: number;
  readonly sizeBytes: number;
}

const HEADER_BYTES = 512;

export interface ReadEntry {
  readonly header: TarHeader;
  /** Of the content, from the start of the tar. */
  readonly offset: number;
  readonly content: AsyncIterable<Buffer>;
}

/** The entries of an uncompressed tar, in its order. Content that is not consumed before the next step is skipped. */
export async function* readTar(tar: Readable): AsyncGenerator<ReadEntry> {
  const parser = extract();
  tar.once('error', (error) => parser.destroy(error));
  tar.pipe(parser as unknown as Writable); // streamx: its interface is node's
  try {
    for await (const entry of parser) {
      const header = parseHeader(entry.header);
      if (header !== undefined) {
        const offset = entry.offset + HEADER_BYTES; // tar-stream 3.2 tells where the header begins
        yield { header, offset, content: entry as unknown as AsyncIterable<Buffer> };
      }
      entry.resume();
    }
  } finally {
    tar.destroy();
  }
}

function parseHeader(header: Header): TarHeader | undefined {
  const type = header.type === 'contiguous-file' ? 'file' : header.type;
  if (!isEntryType(type)) return undefined; // global pax headers and what else is no object
  // tar-stream applies path, linkpath and size of a pax header; ids and times are left to us.
  const pax = (header.pax ?? {}) as Readonly<Record<string, string>>;
  return {
    type,
    path: normalizePath(header.name),
    target: header.linkname || undefined,
    mode: header.mode & 0o7777,
    uid: Number(pax['uid'] ?? header.uid),
    gid: Number(pax['gid'] ?? header.gid),
    mtimeSeconds: Math.floor(Number(pax['mtime'] ?? header.mtime.getTime() / 1000)),
    sizeBytes: header.size,
  };
}

function isEntryType(type: Header['type']): type is TarEntryType {
  return (
    type === 'file' ||
    type === 'directory' ||
    type === 'symlink' ||
    type === 'link' ||
    type === 'character-device' ||
    type === 'block-device' ||
    type === 'fifo'
  );
}

/** Refuses what would leave the root. */
export function normalizePath(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new RangeError(`a tar entry leaves the root: ${name}`);
  return parts.join('/');
}
