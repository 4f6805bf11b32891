import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Entry, fromBufferPromise, openPromise, type ZipFile } from 'yauzl';

export interface ZipEntry {
  readonly name: string;
  /** As the zip's directory says. */
  readonly sizeBytes: number;
  readonly open: () => Promise<Readable>;
  /** Where its content begins in the file; undefined where it is compressed. */
  readonly findContent: () => Promise<number | undefined>;
}

/** The entries of a zip, or of what is one inside another, in the order of its central directory, folders left out. */
export async function* readZip(source: string | Buffer): AsyncGenerator<ZipEntry> {
  const options = { autoClose: false, lazyEntries: true };
  const zip = await (typeof source === 'string' ? openPromise(source, options) : fromBufferPromise(source, options));
  try {
    for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) yield describeEntry(zip, entry);
  } finally {
    zip.close();
  }
}

/** All of them at once, to be opened in any order while `use` runs. */
export async function useZip(path: string, use: (entries: readonly ZipEntry[]) => Promise<void>): Promise<void> {
  const zip = await openPromise(path, { autoClose: false, lazyEntries: true });
  try {
    const entries: ZipEntry[] = [];
    for await (const entry of zip.eachEntry())
      if (!entry.fileName.endsWith('/')) entries.push(describeEntry(zip, entry));
    await use(entries);
  } finally {
    zip.close();
  }
}

function describeEntry(zip: ZipFile, entry: Entry): ZipEntry {
  return {
    name: entry.fileName,
    sizeBytes: entry.uncompressedSize,
    open: () => zip.openReadStreamPromise(entry),
    findContent: async () =>
      entry.compressionMethod === STORED && !entry.isEncrypted()
        ? (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart
        : undefined,
  };
}

const STORED = 0;

export async function readZipEntry(entry: ZipEntry): Promise<Buffer> {
  return await buffer(await entry.open());
}
