/**
 * What of a dumped JVM's code cache holds no code (src/hotspot/share/memory/heap.hpp). Each of its heaps is a row of blocks,
 * each of some segments; behind the last block it was never used. It is told only where everything that was read fits
 * together.
 *
 *   map, a byte a segment: 0: a block begins; 1 to 254: it goes on; 255: behind the last block
 *   block: its segments, size_t until JDK 21, later 32 bits | used, bool | where it is free: the next free one
 */
import { type AddressSpace, type Range, readBytes, readFlag, readWord, UnknownJvm } from './address-space.ts';
import { readDynamicSymbols } from './dynamic-symbols.ts';
import { type FreeRanges, unlessUnknown } from './free-ranges.ts';
import { readVmStructs, type VmStructs } from './vm-structs.ts';

const BLOCK_BEGINS = 0;
const BEHIND_LAST = 255;
const LINK_BYTES = 8;
const MOST_HEAPS = 16;
const MOST_BYTES = 2 ** 32;

/** `libjvm`: where libjvm.so is mapped. */
export function findFreeCode(memory: AddressSpace, libjvm: number): FreeRanges {
  return unlessUnknown(() => {
    const structs = readVmStructs(memory, readDynamicSymbols(memory, libjvm));
    const ranges = listHeaps(structs).flatMap((heap) => readFreeBlocks(structs, heap));
    return { ranges: ranges.toSorted((a, b) => a.start - b.start) };
  });
}

function listHeaps({ memory, addressOf, offsetOf }: VmStructs): readonly number[] {
  const array = readWord(memory, addressOf(['CodeCache'], '_heaps'));
  const count = readBytes(
    memory,
    array + offsetOf(['GrowableArrayBase', 'GenericGrowableArray'], '_len'),
    4,
  ).readInt32LE();
  if (count < 1 || count > MOST_HEAPS) throw new UnknownJvm(`${count} code heaps are not possible`);
  const data = readWord(memory, array + offsetOf(['GrowableArray<int>'], '_data'));
  const heaps = Array.from({ length: count }, (_, index) => readWord(memory, data + index * 8));
  if (new Set(heaps).size < count) throw new UnknownJvm('the code heaps are not different ones');
  return heaps;
}

function readFreeBlocks(structs: VmStructs, heap: number): readonly Range[] {
  const { memory, addressOf, offsetOf, sizeOf } = structs;
  const code = readUsed('_memory');
  const map = readUsed('_segmap');
  const log2 = readBytes(memory, heap + offsetOf(['CodeHeap'], '_log2_segment_size'), 4).readInt32LE();
  const [low, high] = ['_low_bound', '_high_bound'].map((name) => readWord(memory, addressOf(['CodeCache'], name)));
  const isInside = code.start >= (low ?? 0) && code.end <= (high ?? 0) && code.end - code.start <= MOST_BYTES;
  const segmentBytes = 2 ** log2;
  const count = (code.end - code.start) / segmentBytes;
  if (!isInside || log2 < 4 || log2 > 16 || !Number.isInteger(count) || map.end - map.start < count)
    throw new UnknownJvm(`${hex(heap)} is no code heap`);
  const segments = readBytes(memory, map.start, count);
  const headerBytes = sizeOf('HeapBlock');
  const lengthAt = offsetOf(['HeapBlock::Header'], '_length');
  const usedAt = offsetOf(['HeapBlock::Header'], '_used');

  const free: Range[] = [];
  let index = 0;
  for (; index < count && segments[index] !== BEHIND_LAST; ) {
    const start = code.start + index * segmentBytes;
    const length = usedAt - lengthAt === 8 ? readWord(memory, start + lengthAt) : readHalf(start + lengthAt);
    const next = index + length;
    if (length === 0 || next > count || !isBlock(segments.subarray(index, next)))
      throw new UnknownJvm(`${hex(start)} is no block of code`);
    if (!readFlag(memory, start + usedAt))
      free.push({ start: start + headerBytes + LINK_BYTES, end: code.start + next * segmentBytes });
    index = next;
  }
  if (segments.subarray(index).some((segment) => segment !== BEHIND_LAST))
    throw new UnknownJvm(`there are blocks of code behind the last one of ${hex(heap)}`);
  if (index < count) free.push({ start: code.start + index * segmentBytes, end: code.end });
  return free.filter(({ start, end }) => start < end);

  /** What is in use of memory that may grow. */
  function readUsed(field: string): Range {
    const space = heap + offsetOf(['CodeHeap'], field);
    const [boundary, start, end] = ['_low_boundary', '_low', '_high'].map((name) =>
      readWord(memory, space + offsetOf(['VirtualSpace'], name)),
    ) as [number, number, number];
    if (start !== boundary || end < start) throw new UnknownJvm(`${hex(heap)} is no code heap`);
    return { start, end };
  }

  function readHalf(address: number): number {
    return readBytes(memory, address, 4).readUInt32LE();
  }
}

function isBlock(segments: Buffer): boolean {
  return segments.every((segment, index) =>
    index === 0 ? segment === BLOCK_BEGINS : segment !== BLOCK_BEGINS && segment !== BEHIND_LAST,
  );
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
