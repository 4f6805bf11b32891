import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';

export interface ZipEntry {
  readonly name: string;
  readonly open: () => Promise<Readable>;
}

/** The entries of a zip in the order of its central directory, folders left out. */
export async function* readZip(path: string): AsyncGenerator<ZipEntry> {
  const zip = await openPromise(path, { autoClose: false, lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      yield { name: entry.fileName, open: () => zip.openReadStreamPromise(entry) };
    }
  } finally {
    zip.close();
  }
}

export async function readZipEntry(entry: ZipEntry): Promise<Buffer> {
  return await buffer(await entry.open());
}
