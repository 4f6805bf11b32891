import { createReadStream } from 'node:fs';
import { openCompressor } from '../src/oci/compression.ts';
import type { Compression } from '../src/oci/image.ts';
import type { RestoreImage } from '../src/restore-plan/restore-image.ts';

export interface CheckpointSize {
  /** mem.bin. */
  readonly rawBytes: number;
  /** mem.bin and plan.bin, as a layer is compressed. */
  readonly compressedBytes: number;
}

/** The smaller of the two compressions, at its default level. */
const COMPRESSION: Compression = { compression: 'zstd', compressionLevel: 6 };

export async function measureCheckpoint({ memFile, memBytes, planFile }: RestoreImage): Promise<CheckpointSize> {
  const compressor = openCompressor(COMPRESSION);
  const counted = countBytes(compressor);
  for (const file of [memFile, planFile])
    for await (const chunk of createReadStream(file)) {
      if (!compressor.write(chunk)) await new Promise((resolve) => compressor.once('drain', resolve));
    }
  compressor.end();
  return { rawBytes: memBytes, compressedBytes: await counted };
}

async function countBytes(stream: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}
