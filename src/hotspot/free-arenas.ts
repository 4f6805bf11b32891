/**
 * Chunks that HotSpot's arenas, above all those of its compilers, have given back, and that it keeps for the next ones
 * (src/hotspot/share/memory/arena.cpp). No table describes them: they are told only where all that was read has the one
 * form that is known.
 *
 *   JDK 17: pointers to pools of: first chunk | how many | how many are in use | bytes of each, header included
 *   JDK 21 and newer: a row of pools of: first chunk | bytes of each, without header
 *   chunk: next | bytes, without header; the rest of one that is in a pool is never read
 */
import { type AddressSpace, type Range, readBytes, readWord, UnknownJvm } from './address-space.ts';
import { type FreeRanges, unlessUnknown } from './free-ranges.ts';

const HEADER_BYTES = 16;
/** 32 KiB, 10 KiB, 1 KiB and 256 bytes, less what malloc and the header may take. */
const SIZES = [32_728, 10_200, 984, 216] as const;
/** Those with whole pages in them. */
const LARGE_SIZES: readonly number[] = SIZES.slice(0, 2);
const MOST_CHUNKS = 100_000;
const HIGHEST_ADDRESS = 2 ** 47;

interface Pool {
  readonly first: number;
  readonly sizeBytes: number;
  readonly count?: number;
}

/** `data`: memory of libjvm.so that is written. */
export function findFreeArenas(memory: AddressSpace, data: readonly Range[]): FreeRanges {
  return unlessUnknown(() => {
    const pools = data.flatMap((range) => findPools(memory, range));
    const sizes = pools.map(({ sizeBytes }) => sizeBytes);
    if (pools.length === 0) throw new UnknownJvm('it has no pools of chunks of the form that is known');
    if (new Set(sizes).size < sizes.length) throw new UnknownJvm('it has more pools of chunks than it should');
    return { ranges: inOrder(pools.flatMap((pool) => readChunks(memory, pool))) };
  });
}

function findPools(memory: AddressSpace, { start, end }: Range): readonly Pool[] {
  const bytes = readBytes(memory, start, end - start);
  const words = (end - start) / 8;
  const wordAt = (index: number): number => (index < words ? Number(bytes.readBigUInt64LE(index * 8)) : 0);
  const pools: Pool[] = [];
  for (let index = 0; index < words; index++) {
    const word = wordAt(index);
    if (word === SIZES[0] && SIZES.every((size, pool) => wordAt(index + pool * 2) === size))
      LARGE_SIZES.forEach((sizeBytes, pool) => {
        pools.push({ first: wordAt(index + pool * 2 - 1), sizeBytes });
      });
    const pool = word !== 0 && word % 16 === 0 && word <= HIGHEST_ADDRESS ? readCountingPool(memory, word) : undefined;
    if (pool !== undefined) pools.push(pool);
  }
  return pools;
}

function readCountingPool(memory: AddressSpace, address: number): Pool | undefined {
  const bytes = memory.read(address, 32);
  const [first = 0, count = 0, used = 0, size = 0] = [0, 8, 16, 24].map((at) =>
    Number(bytes?.readBigUInt64LE(at) ?? 0n),
  );
  const sizeBytes = size - HEADER_BYTES;
  if (!LARGE_SIZES.includes(sizeBytes) || count > MOST_CHUNKS || used > MOST_CHUNKS) return undefined;
  return { first, sizeBytes, count };
}

function readChunks(memory: AddressSpace, { first, sizeBytes, count }: Pool): readonly Range[] {
  const chunks: Range[] = [];
  for (let chunk = first; chunk !== 0; chunk = readWord(memory, chunk)) {
    if (chunk % 8 !== 0 || readWord(memory, chunk + 8) !== sizeBytes || chunks.length === MOST_CHUNKS)
      throw new UnknownJvm(`0x${chunk.toString(16)} is no chunk of ${sizeBytes} bytes`);
    chunks.push({ start: chunk + HEADER_BYTES, end: chunk + HEADER_BYTES + sizeBytes });
  }
  if (count !== undefined && chunks.length !== count)
    throw new UnknownJvm(`a pool has ${chunks.length} chunks, not ${count}`);
  return chunks;
}

function inOrder(chunks: readonly Range[]): readonly Range[] {
  const sorted = chunks.toSorted((a, b) => a.start - b.start);
  for (const [index, { start }] of sorted.entries())
    if (start - HEADER_BYTES < (sorted[index - 1]?.end ?? 0))
      throw new UnknownJvm(`chunks overlap at 0x${start.toString(16)}`);
  return sorted;
}
