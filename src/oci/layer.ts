import type { TarEntry } from '../tar/entry.ts';
import { openTar } from '../tar/write-tar.ts';
import { openDigestMeter, writeBlob } from './blob-store.ts';
import { DEFAULT_COMPRESSION, openCompressor } from './compression.ts';
import type { Compression, Layer } from './image.ts';

/** Writes the entries as one layer into the blob store: both digests and both sizes in one pass. `diffId` depends on the entries alone. */
export async function writeLayer(
  blobDir: string,
  kind: Layer['kind'],
  entries: readonly TarEntry[],
  options: Partial<Compression> & { readonly signal?: AbortSignal } = {},
): Promise<Layer> {
  const compression = { ...DEFAULT_COMPRESSION, ...options };
  const tar = openDigestMeter();
  const blob = await writeBlob(blobDir, openTar(entries), [tar.stream, openCompressor(compression)], options.signal);
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
