/** Two arenas of glibc's malloc: the main one in a heap of brk, and a second one in a heap of its own. */
import type { AddressSpace, Range } from '../../../src/hotspot/address-space.ts';

export const LIBC_DATA: Range = { start: 0x7f0000001000, end: 0x7f0000003000 };
export const BRK: Range = { start: 0x550000000000, end: 0x550000010000 };
/** A heap, at a multiple of 64 MiB. */
export const SECOND = 0x7e0000000000;
const SECOND_BYTES = 0x8000;
const MAIN_ARENA = LIBC_DATA.start + 0xc60;
const SECOND_ARENA = SECOND + 0x30;
const LARGE = BRK.start + 0x1000;
const LARGE_BYTES = 0x3000;
const TOP = BRK.start + 0x8000;
const UNSORTED = SECOND + 0x2000;
const UNSORTED_BYTES = 0x1800;
const SECOND_TOP = SECOND + 0x5000;
/** Of chunks of 12 KiB. */
const LARGE_BIN = 112;

/** By address. */
export const FREE: readonly Range[] = [
  { start: LARGE + 48, end: LARGE + LARGE_BYTES },
  { start: TOP + 16, end: BRK.end },
  { start: UNSORTED + 48, end: UNSORTED + UNSORTED_BYTES },
  { start: SECOND_TOP + 16, end: SECOND + SECOND_BYTES },
];

export function makeMalloc() {
  const areas = [LIBC_DATA, BRK, { start: SECOND, end: SECOND + SECOND_BYTES }].map(({ start, end }) => ({
    start,
    bytes: Buffer.alloc(end - start),
  }));
  const places = new Map<string, number>();
  const put = (address: number, value: number, name?: string): void => {
    const area = areas.find(({ start, bytes }) => address >= start && address < start + bytes.length);
    area?.bytes.writeBigUInt64LE(BigInt(value), address - area.start);
    if (name !== undefined) places.set(name, address);
  };
  const head = (arena: number, bin: number): number => arena + 112 + bin * 16 - 16;
  const makeArena = (name: string, arena: number, top: number, next: number): void => {
    places.set(`${name}: lock`, arena);
    put(arena + 96, top);
    for (let bin = 0; bin < 127; bin++) for (const at of [16, 24]) put(head(arena, bin) + at, head(arena, bin));
    put(arena + 2160, next, `${name}: next arena`);
  };
  const makeFree = (name: string, chunk: number, size: number, bin: number): void => {
    put(chunk + 8, size + 1, `${name} size`);
    put(chunk + 16, bin, `${name} next`);
    put(chunk + 24, bin, `${name} previous`);
    put(chunk + size, size, `${name} size at its end`);
    put(chunk + size + 8, 0x100, name.replace(': ', ': behind '));
    put(bin + 16, chunk, `${name} bin first`);
    put(bin + 24, chunk, `${name} bin last`);
  };
  makeArena('main', MAIN_ARENA, TOP, SECOND_ARENA);
  makeFree('main: large', LARGE, LARGE_BYTES, head(MAIN_ARENA, LARGE_BIN));
  put(TOP + 8, BRK.end - TOP + 1, 'main: top size');
  put(SECOND, SECOND_ARENA, 'second: heap arena');
  put(SECOND + 16, SECOND_BYTES, 'second: heap size');
  makeArena('second', SECOND_ARENA, SECOND_TOP, MAIN_ARENA);
  makeFree('second: unsorted', UNSORTED, UNSORTED_BYTES, head(SECOND_ARENA, 0));
  put(SECOND_TOP + 8, SECOND_BYTES - 0x5000 + 1, 'second: top size');

  const memory: AddressSpace = {
    read: (address, length) => {
      const area = areas.find(({ start, bytes }) => address >= start && address + length <= start + bytes.length);
      return area?.bytes.subarray(address - area.start, address - area.start + length);
    },
  };
  return { memory, poke, reset, words };

  function poke(place: string, value: number): void {
    const address = places.get(place);
    if (address === undefined) throw new Error(`there is no ${place}`);
    put(address, value);
  }

  /** The main arena as it is before the first allocation: its top is a bin. */
  function reset(): void {
    makeArena('main', MAIN_ARENA, head(MAIN_ARENA, 0), SECOND_ARENA);
  }

  /** All that are not zero. */
  function* words() {
    for (const { start, bytes } of areas)
      for (let at = 0; at < bytes.length; at += 8)
        if (bytes.readBigUInt64LE(at) !== 0n) yield { address: start + at, bytes, at };
  }
}
