import type { TarEntry } from '../tar/entry.ts';
import { openTar } from '../tar/write-tar.ts';
import { openDigestMeter, writeBlob } from './blob-store.ts';
import { DEFAULT_COMPRESSION, openCompressor } from './compression.ts';
import type { Compression, Layer } from './image.ts';

/**
 * Writes the entries as one layer into the blob store: both digests and both sizes in one pass. `diffId` depends on the entries alone, and
 * on `createdSeconds` where that is before their times: nothing in an image is younger than the image, but what the app itself wrote.
 */
export async function writeLayer(
  blobDir: string,
  kind: Layer['kind'],
  entries: readonly TarEntry[],
  options: Partial<Compression> & { readonly createdSeconds?: number; readonly signal?: AbortSignal } = {},
): Promise<Layer> {
  const compression = { ...DEFAULT_COMPRESSION, ...options };
  const tar = openDigestMeter();
  const latest = kind === 'state' ? Infinity : (options.createdSeconds ?? Infinity);
  const blob = await writeBlob(
    blobDir,
    openTar(clampTimes(entries, latest)),
    [tar.stream, openCompressor(compression)],
    options.signal,
  );
  const { digest: diffId, sizeBytes: uncompressedBytes } = tar.takeBlob();
  return {
    kind,
    compression: compression.compression,
    digest: blob.digest,
    diffId,
    sizeBytes: blob.sizeBytes,
    uncompressedBytes,
  };
}

function clampTimes(entries: readonly TarEntry[], latestSeconds: number): readonly TarEntry[] {
  return entries.map((entry) =>
    entry.mtimeSeconds > latestSeconds ? { ...entry, mtimeSeconds: latestSeconds } : entry,
  );
}
