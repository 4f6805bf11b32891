import { pipeline, type Readable } from 'node:stream';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { openBlob, openDigestMeter } from '../oci/blob-store.ts';
import { openDecompressor } from '../oci/compression.ts';
import type { Layer } from '../oci/image.ts';
import { readTar } from '../tar/read-tar.ts';
import { bytesOfInterest, type RootEntry, type RootIndex, stackLayer, trimContent } from './root-index.ts';

export interface CheckedLayers {
  readonly root: RootIndex;
  /** With their uncompressed sizes. */
  readonly layers: readonly Layer[];
}

/** Reads every layer once, from its first byte to its last: both digests are checked by that. IMAGE_INVALID where one is wrong. */
export async function readRootIndex(
  blobDir: string,
  layers: readonly Layer[],
  source: string,
  signal: AbortSignal,
): Promise<CheckedLayers> {
  let root: RootIndex = new Map();
  const checked: Layer[] = [];
  for (const layer of layers) {
    try {
      const { entries, uncompressedBytes } = await readLayer(blobDir, layer, signal);
      root = stackLayer(root, entries);
      checked.push({ ...layer, uncompressedBytes });
    } catch (error) {
      if (signal.aborted || isCracBuildError(error)) throw error;
      throw new CracBuildError(
        'IMAGE_INVALID',
        `the layer ${layer.digest} of ${source} cannot be read: ${(error as Error).message}`,
        { hint: 'The image is damaged: fetch or copy it again.', cause: error },
      );
    }
  }
  return { root, layers: checked };
}

async function readLayer(blobDir: string, layer: Layer, signal: AbortSignal) {
  const compressed = openDigestMeter();
  const plain = openDigestMeter();
  let tar: Readable | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    tar = pipeline(
      openBlob(blobDir, layer.digest),
      compressed.stream,
      openDecompressor(layer.compression),
      plain.stream,
      (error) => (error ? reject(error) : resolve()),
    );
  });
  ended.catch(() => undefined); // the tar's reader sees it as well
  const entries = new Map<string, RootEntry>();
  for await (const { header, content } of readTar(tar as unknown as Readable)) {
    signal.throwIfAborted();
    const { path, type, mode, uid, gid, sizeBytes, target } = header;
    const wanted = type === 'file' ? bytesOfInterest(header) : 0;
    const start = wanted === 0 ? undefined : trimContent(await readUpTo(content, wanted));
    entries.set(path, { type, mode, uid, gid, sizeBytes, target, ...(start === undefined ? {} : { content: start }) });
  }
  await ended;
  const blob = compressed.takeBlob();
  const whole = plain.takeBlob();
  if (blob.digest !== layer.digest) throw new Error(`its bytes have the digest ${blob.digest}`);
  if (whole.digest !== layer.diffId) throw new Error(`unpacked it has the digest ${whole.digest}, not ${layer.diffId}`);
  return { entries, uncompressedBytes: whole.sizeBytes };
}

/** All is consumed, and the first bytes are kept. */
async function readUpTo(content: AsyncIterable<Buffer>, count: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of content) {
    if (size < count) parts.push(part.subarray(0, count - size));
    size += part.length;
  }
  return Buffer.concat(parts);
}
