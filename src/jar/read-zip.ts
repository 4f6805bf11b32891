import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fromBufferPromise, openPromise } from 'yauzl';

export interface ZipEntry {
  readonly name: string;
  /** As the zip's directory says. */
  readonly sizeBytes: number;
  readonly open: () => Promise<Readable>;
}

/** The entries of a zip, or of what is one inside another, in the order of its central directory, folders left out. */
export async function* readZip(source: string | Buffer): AsyncGenerator<ZipEntry> {
  const options = { autoClose: false, lazyEntries: true };
  const zip = await (typeof source === 'string' ? openPromise(source, options) : fromBufferPromise(source, options));
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      yield {
        name: entry.fileName,
        sizeBytes: entry.uncompressedSize,
        open: () => zip.openReadStreamPromise(entry),
      };
    }
  } finally {
    zip.close();
  }
}

export async function readZipEntry(entry: ZipEntry): Promise<Buffer> {
  return await buffer(await entry.open());
}
