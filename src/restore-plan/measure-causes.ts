import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { CAUSES, type Cause, type CausePart } from './memory-causes.ts';

export interface CauseSize {
  readonly rawBytes: number;
  /** About: each cause is compressed for itself, the layer as a whole; of a large one, samples are. */
  readonly compressedBytes: number;
}

export type SizesByCause = Readonly<Record<Cause, CauseSize>>;

const compress: (bytes: Buffer, options: { level: number }) => Promise<Buffer> = promisify(deflate);
const LEVEL = 6;
const BLOCK_BYTES = 4 << 20;
/** Of each cause: a build does not wait for the compression of gigabytes to be told about it. */
const SAMPLED_BLOCKS = 4;

/** `parts` of mem.bin → how much of it is there for what. */
export async function measureCauses(memFile: string, parts: readonly CausePart[]): Promise<SizesByCause> {
  await using file = await open(memFile, 'r');
  const zero = { rawBytes: 0, sampledBytes: 0, compressedBytes: 0 };
  const sums = Object.fromEntries(CAUSES.map((cause) => [cause, { ...zero }])) as Record<Cause, typeof zero>;
  for (const { cause, length } of parts) sums[cause].rawBytes += length;
  const blocks = sampleBlocks(parts, sums);
  const work = async () => {
    for (const { cause, pieces, length } of blocks) {
      const bytes = Buffer.allocUnsafe(length);
      let done = 0;
      for (const piece of pieces) {
        await file.read(bytes, done, piece.length, piece.memOffset);
        done += piece.length;
      }
      const compressed = await compress(bytes, { level: LEVEL });
      sums[cause].sampledBytes += length;
      sums[cause].compressedBytes += compressed.length;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return Object.fromEntries(
    Object.entries(sums).map(([cause, { rawBytes, sampledBytes, compressedBytes }]) => [
      cause,
      { rawBytes, compressedBytes: Math.round((compressedBytes * rawBytes) / Math.max(sampledBytes, 1)) },
    ]),
  ) as Record<Cause, CauseSize>;
}

interface Block {
  readonly cause: Cause;
  readonly pieces: readonly CausePart[];
  readonly length: number;
}

/** Evenly spread over each cause. */
function* sampleBlocks(
  parts: readonly CausePart[],
  sums: Readonly<Record<Cause, { readonly rawBytes: number }>>,
): Generator<Block> {
  const seen = new Map<Cause, number>();
  for (const block of cutIntoBlocks(parts)) {
    const index = seen.get(block.cause) ?? 0;
    seen.set(block.cause, index + 1);
    const blockCount = Math.ceil(sums[block.cause].rawBytes / BLOCK_BYTES);
    if (index % Math.ceil(blockCount / SAMPLED_BLOCKS) === 0) yield block;
  }
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
