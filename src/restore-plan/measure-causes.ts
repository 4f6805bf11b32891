import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { CAUSES, type Cause, type CausePart } from './memory-causes.ts';

export interface CauseSize {
  readonly rawBytes: number;
  /** About: each cause is compressed for itself, the layer as a whole. */
  readonly compressedBytes: number;
}

export type SizesByCause = Readonly<Record<Cause, CauseSize>>;

const compress: (bytes: Buffer, options: { level: number }) => Promise<Buffer> = promisify(deflate);
const LEVEL = 6;
const BLOCK_BYTES = 4 << 20;

/** `parts` of mem.bin → how much of it is there for what. */
export async function measureCauses(memFile: string, parts: readonly CausePart[]): Promise<SizesByCause> {
  await using file = await open(memFile, 'r');
  const sizes = Object.fromEntries(CAUSES.map((cause) => [cause, { rawBytes: 0, compressedBytes: 0 }])) as Record<
    Cause,
    { rawBytes: number; compressedBytes: number }
  >;
  const blocks = cutIntoBlocks(parts);
  const work = async () => {
    for (const { cause, pieces, length } of blocks) {
      const bytes = Buffer.allocUnsafe(length);
      let done = 0;
      for (const piece of pieces) {
        await file.read(bytes, done, piece.length, piece.memOffset);
        done += piece.length;
      }
      const compressed = await compress(bytes, { level: LEVEL });
      sizes[cause].rawBytes += length;
      sizes[cause].compressedBytes += compressed.length;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return sizes;
}

interface Block {
  readonly cause: Cause;
  readonly pieces: readonly CausePart[];
  readonly length: number;
}

/** Iterated over by several workers at once, each block goes to one of them. */
function* cutIntoBlocks(parts: readonly CausePart[]): Generator<Block> {
  for (const cause of CAUSES) {
    let pieces: CausePart[] = [];
    let length = 0;
    for (const part of parts) {
      if (part.cause !== cause) continue;
      for (let done = 0; done < part.length; ) {
        const taken = Math.min(part.length - done, BLOCK_BYTES - length);
        pieces.push({ cause, memOffset: part.memOffset + done, length: taken });
        length += taken;
        done += taken;
        if (length < BLOCK_BYTES) continue;
        yield { cause, pieces, length };
        pieces = [];
        length = 0;
      }
    }
    if (length > 0) yield { cause, pieces, length };
  }
}
