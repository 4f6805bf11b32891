import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Duplex, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { explainNoSpace } from './space.ts';

/** What points at a blob: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export interface Blob {
  /** "sha256:…" */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Blobs lie in `blobDir/sha256/HEX`, as in an image layout. */
export function locateBlob(blobDir: string, digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
  if (match?.[1] === undefined) throw new TypeError(`not a sha256 digest: ${digest}`);
  return join(blobDir, 'sha256', match[1]);
}

export function openBlob(blobDir: string, digest: string): Readable {
  return createReadStream(locateBlob(blobDir, digest), { highWaterMark: 1 << 20 });
}

export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

export async function readDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return `sha256:${hash.digest('hex')}`;
}

/** Stores what comes through `source` and then `through`; the blob appears under its name when it is whole. */
export async function writeBlob(
  blobDir: string,
  source: Readable,
  through: readonly Duplex[] = [],
  signal?: AbortSignal,
): Promise<Blob> {
  const folder = join(blobDir, 'sha256');
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `.partial-${randomUUID()}`);
  const meter = openDigestMeter();
  try {
    const steps = [source, ...through, meter.stream, createWriteStream(partial, { highWaterMark: 1 << 20 })];
    await pipeline(steps, signal === undefined ? {} : { signal });
    const blob = meter.takeBlob();
    await rename(partial, locateBlob(blobDir, blob.digest));
    return blob;
  } catch (error) {
    await rm(partial, { force: true });
    throw explainNoSpace(error, `writing an image layer to ${folder}`);
  }
}

/** Makes a blob of one store known to another: a second name for the same file where the disk allows it. */
export async function shareBlob(fromDir: string, toDir: string, digest: string): Promise<void> {
  const target = locateBlob(toDir, digest);
  const partial = join(toDir, 'sha256', `.partial-${randomUUID()}`);
  await mkdir(join(toDir, 'sha256'), { recursive: true });
  try {
    await link(locateBlob(fromDir, digest), partial).catch(() => copyFile(locateBlob(fromDir, digest), partial));
    await rename(partial, target);
  } catch (error) {
    throw explainNoSpace(error, `copying an image layer to ${toDir}`);
  } finally {
    // rename() of two names of one file leaves both.
    await rm(partial, { force: true });
  }
}

/** A stream that passes everything on, and then tells digest and size of what has passed. */
export function openDigestMeter(): { readonly stream: Transform; readonly takeBlob: () => Blob } {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, takeBlob: () => ({ digest: `sha256:${hash.digest('hex')}`, sizeBytes }) };
}
