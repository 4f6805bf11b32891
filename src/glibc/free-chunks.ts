/**
 * What glibc's malloc has free in its arenas (malloc/malloc.c and arena.c, 2.27 and newer, 64 bits). It is told only where
 * everything that was read fits together.
 *
 *   arena: lock, int | flags, int | has fastbins, int | 10 fastbins | top | last remainder | 127 bins: first, last | map of
 *     the bins, 16 bytes | next arena | …
 *   heap, at a multiple of 64 MiB, of all arenas but the main one: arena | heap before | size | …; behind it the first
 *     arena of which it is, or chunks
 *   chunk: size of the one before, if that is free | its own size and 3 flags | where it is free: next in the bin, previous
 *     in the bin, and of large ones two pointers more; the rest of it is never read
 */
import { type AddressSpace, type Range, readBytes, readWord, UnknownJvm } from '../hotspot/address-space.ts';
import { type FreeRanges, unlessUnknown } from '../hotspot/free-ranges.ts';

const TOP_AT = 96;
const BINS_AT = 112;
const BIN_COUNT = 127;
const NEXT_AT = 2160;
const ARENA_BYTES = 2200;
const HEAP_BYTES = 64 << 20;
const CHUNK_ALIGNMENT = 16;
const LEAST_CHUNK_BYTES = 32;
/** Sizes, and the pointers of a large one. */
const HEADER_BYTES = 48;
const TOP_HEADER_BYTES = 16;
const FLAGS = 7;
const FLAG = { previousInUse: 1, mapped: 2 } as const;
/** Bins from here on, and the first one (not sorted yet), have chunks of a page and more. */
const FIRST_LARGE_BIN = 63;
const MOST_ARENAS = 100_000;
const MOST_CHUNKS = 1_000_000;

/** `data`: memory of libc.so that is written, the main arena within; `brk`: what the kernel calls the heap. */
export function findFreeChunks(memory: AddressSpace, data: readonly Range[], brk: Range): FreeRanges {
  return unlessUnknown(() => {
    const [main, ...others] = findArenas(memory, data);
    const ranges = others.flatMap((arena) => readFreeChunks(memory, arena, undefined));
    return { ranges: inOrder([...readFreeChunks(memory, main, brk), ...ranges]) };
  });
}

/** The main one first. It is known by its 127 pairs of pointers, which lead back to it where nothing hangs on them. */
function findArenas(memory: AddressSpace, data: readonly Range[]): readonly [main: number, ...others: number[]] {
  for (const { start, end } of data) {
    const bytes = readBytes(memory, start, end - start);
    for (let at = 0; at + ARENA_BYTES <= bytes.length; at += 8) {
      if (!hasBins(bytes.subarray(at, at + ARENA_BYTES), start + at)) continue;
      try {
        return listArenas(memory, start + at);
      } catch (error) {
        // What lies a pair beside it has the pairs, too, but no ring.
        if (!(error instanceof UnknownJvm)) throw error;
      }
    }
  }
  throw new UnknownJvm('the C library has no arenas of the form that is known');
}

function hasBins(arena: Buffer, address: number): boolean {
  for (let bin = BIN_COUNT - 1; bin >= 0; bin--) {
    const at = BINS_AT + bin * 16;
    const [first, last] = [arena.readBigUInt64LE(at), arena.readBigUInt64LE(at + 8)];
    const head = BigInt(headOf(address, bin));
    if (first === 0n || (first === head) !== (last === head)) return false;
  }
  return true;
}

/** As a chunk, whose pointers lie in the bin. */
function headOf(arena: number, bin: number): number {
  return arena + BINS_AT + bin * 16 - 16;
}

/** They are a ring. */
function listArenas(memory: AddressSpace, main: number): readonly [main: number, ...others: number[]] {
  const arenas: [number, ...number[]] = [main];
  for (let arena = readWord(memory, main + NEXT_AT); arena !== main; arena = readWord(memory, arena + NEXT_AT)) {
    if (!hasBins(readBytes(memory, arena, ARENA_BYTES), arena)) throw new UnknownJvm(`${hex(arena)} is no arena`);
    if (arenas.push(arena) > MOST_ARENAS) throw new UnknownJvm('the arenas are no ring');
  }
  return arenas;
}

/** `brk`: of the main arena. None where a thread is about to change the arena: it holds the lock then. */
function readFreeChunks(memory: AddressSpace, arena: number, brk: Range | undefined): readonly Range[] {
  if (readBytes(memory, arena, 4).readInt32LE() !== 0) return [];
  const free: Range[] = [];
  const top = readWord(memory, arena + TOP_AT);
  if (top !== headOf(arena, 0)) {
    const chunk = readChunk(memory, top);
    const place = placeOf(top);
    if (place !== undefined) {
      const endsRight = brk === undefined ? chunk.end === place.end : chunk.end <= place.end;
      if (top < place.start || !endsRight) throw new UnknownJvm(`${hex(top)} is not the last chunk of ${hex(arena)}`);
      free.push({ start: top + TOP_HEADER_BYTES, end: chunk.end });
    }
  }
  let count = 0;
  for (let bin = 0; bin < BIN_COUNT; bin = Math.max(bin + 1, FIRST_LARGE_BIN)) {
    const head = headOf(arena, bin);
    let before = head;
    for (let at = readWord(memory, head + 16); at !== head; at = readWord(memory, at + 16)) {
      const chunk = readFreeChunk(memory, at, before);
      const place = placeOf(at);
      if (place !== undefined && (at < place.start || chunk.end + TOP_HEADER_BYTES > place.end))
        throw new UnknownJvm(`the chunk ${hex(at)} does not lie in ${hex(arena)}`);
      if (++count > MOST_CHUNKS) throw new UnknownJvm(`a bin of ${hex(arena)} has no end`);
      if (place !== undefined && at + HEADER_BYTES < chunk.end) free.push({ start: at + HEADER_BYTES, end: chunk.end });
      before = at;
    }
    if (readWord(memory, head + 24) !== before) throw new UnknownJvm(`a bin of ${hex(arena)} is broken`);
  }
  return free;

  /** Where an arena's chunk may lie; undefined: the main one took other memory, because there was no more of its own. */
  function placeOf(chunk: number): Range | undefined {
    if (brk !== undefined) return chunk >= brk.start && chunk < brk.end ? brk : undefined;
    const heap = chunk - (chunk % HEAP_BYTES);
    const size = readWord(memory, heap + 16);
    if (readWord(memory, heap) !== arena || size > HEAP_BYTES)
      throw new UnknownJvm(`the chunk ${hex(chunk)} is in no heap of ${hex(arena)}`);
    const holdsArena = heap < arena && arena < heap + size;
    return { start: holdsArena ? arena + ARENA_BYTES : heap, end: heap + size };
  }
}

interface Chunk {
  readonly end: number;
}

function readChunk(memory: AddressSpace, address: number): Chunk {
  const word = readWord(memory, address + 8);
  const size = word - (word & FLAGS);
  if (address % CHUNK_ALIGNMENT !== 0 || size % CHUNK_ALIGNMENT !== 0 || size < LEAST_CHUNK_BYTES)
    throw new UnknownJvm(`${hex(address)} is no chunk of malloc`);
  // Two neighbours are never both free.
  if ((word & FLAG.previousInUse) === 0 || (word & FLAG.mapped) !== 0)
    throw new UnknownJvm(`${hex(address)} is no free chunk`);
  return { end: address + size };
}

/** The one behind it knows, too, that it is free, and how large. */
function readFreeChunk(memory: AddressSpace, address: number, before: number): Chunk {
  const chunk = readChunk(memory, address);
  const size = chunk.end - address;
  const isKnown = readWord(memory, chunk.end) === size && (readWord(memory, chunk.end + 8) & FLAG.previousInUse) === 0;
  if (!isKnown || readWord(memory, address + 24) !== before) throw new UnknownJvm(`${hex(address)} is no free chunk`);
  return chunk;
}

function inOrder(ranges: readonly Range[]): readonly Range[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  for (const [index, { start }] of sorted.entries())
    if (start < (sorted[index - 1]?.end ?? 0)) throw new UnknownJvm(`free chunks overlap at ${hex(start)}`);
  return sorted;
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
