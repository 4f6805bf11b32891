/**
 * A G1 object that is larger than half a region has regions of its own. What is left of the last one is filled by arrays that
 * nobody refers to (G1CollectedHeap::humongous_obj_allocate_initialize_regions): all but their headers is free.
 *
 *   object: mark, 8 bytes | class, 4 bytes: an offset | length of an array, 4 bytes | elements
 *   layout helper of a class: size of its objects, positive; or of arrays: 2 bits | … | header bytes, 8 bits |
 *     type of the elements, 8 bits | log2 of their size, 8 bits; of primitive elements both bits are set
 */
import { type Range, readBytes, readWord, UnknownJvm } from './address-space.ts';
import { continuesHumongous, readG1Tag, startsHumongous } from './g1-region-type.ts';
import { type RegionTable, readG1Table } from './heap-spaces.ts';
import { readJvmFlags } from './jvm-flags.ts';
import type { VmStructs } from './vm-structs.ts';

const COMPRESSED_KLASSES = ['CompressedKlassPointers'];
const MARK_BYTES = 8;
const ARRAY_HEADER_BYTES = 16;
const OBJECT_ALIGNMENT = 8;
const LEAST_FREE_BYTES = 4096;

/** A tail of which anything is not as expected is kept, and no more than that: it says nothing about the rest of the heap. */
export function findHumongousTails(structs: VmStructs, heap: number): readonly Range[] {
  const flags = readJvmFlags(structs, ['UseG1GC', 'UseCompressedClassPointers', 'UseCompactObjectHeaders']);
  if (!flags.UseG1GC || !flags.UseCompressedClassPointers || flags.UseCompactObjectHeaders) return [];
  const table = readG1Table(structs, heap);
  const tails: Range[] = [];
  for (let index = 0; index < table.count; index++) {
    tails.push(...(ignoreUnknown(() => readTail(structs, table, index)) ?? []));
  }
  return tails.filter(({ start, end }) => end - start >= LEAST_FREE_BYTES);
}

function ignoreUnknown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownJvm) return undefined;
    throw error;
  }
}

function readTail(structs: VmStructs, table: RegionTable, index: number): readonly Range[] {
  const first = regionAt(index);
  if (first === undefined || !startsHumongous(first.tag)) return [];
  const size = sizeOfObject(structs, first.bottom);
  const more = Math.ceil(size / table.regionBytes) - 1;
  for (let next = 1; next <= more; next++) {
    const region = regionAt(index + next);
    if (region === undefined || !continuesHumongous(region.tag)) return [];
    if (region.bottom !== first.bottom + next * table.regionBytes) return [];
  }
  const last = regionAt(index + more);
  if (last === undefined || last.top !== last.end) return [];
  const free: Range[] = [];
  for (let filler = first.bottom + size; filler !== last.end; ) {
    const end =
      filler + ARRAY_HEADER_BYTES <= last.end && isPrimitiveArray(structs, filler)
        ? filler + sizeOfObject(structs, filler)
        : filler;
    if (end <= filler || end > last.end) return [];
    free.push({ start: filler + ARRAY_HEADER_BYTES, end });
    filler = end;
  }
  return free;

  function regionAt(at: number) {
    const address = at < table.count ? readWord(structs.memory, table.first + at * 8) : 0;
    if (address === 0) return undefined;
    const tag = readG1Tag(structs, address);
    const [bottom, top, end] = ['_bottom', '_top', '_end'].map((field) =>
      readWord(structs.memory, address + structs.offsetOf(table.types, field)),
    ) as [number, number, number];
    return { tag, bottom, top, end };
  }
}

function sizeOfObject({ memory, ...structs }: VmStructs, object: number): number {
  const layout = readLayout({ memory, ...structs }, object);
  if (layout > 0) return layout;
  const length = readBytes(memory, object + MARK_BYTES + 4, 4).readInt32LE();
  const bytes = ((layout >> 16) & 0xff) + length * 2 ** (layout & 0xff);
  if (length < 0) throw new UnknownJvm(`an array has ${length} elements`);
  return Math.ceil(bytes / OBJECT_ALIGNMENT) * OBJECT_ALIGNMENT;
}

function isPrimitiveArray(structs: VmStructs, object: number): boolean {
  const layout = readLayout(structs, object);
  return layout >>> 30 === 3 && ((layout >> 16) & 0xff) === ARRAY_HEADER_BYTES;
}

function readLayout({ memory, addressOf, hasField, offsetOf }: VmStructs, object: number): number {
  const prefix = hasField(COMPRESSED_KLASSES, '_base') ? '' : '_narrow_klass.'; // until JDK 21
  const base = readWord(memory, addressOf(COMPRESSED_KLASSES, `${prefix}_base`));
  const shift = readBytes(memory, addressOf(COMPRESSED_KLASSES, `${prefix}_shift`), 4).readInt32LE();
  const offset = readBytes(memory, object + MARK_BYTES, 4).readUInt32LE();
  return readBytes(memory, base + offset * 2 ** shift + offsetOf(['Klass'], '_layout_helper'), 4).readInt32LE();
}
