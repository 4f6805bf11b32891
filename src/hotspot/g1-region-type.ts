/**
 * What a G1 region is used for: HeapRegionType::Tag (gc/g1/heapRegionType.hpp), later G1HeapRegionType::Tag. No value has two meanings.
 *
 *   JDK 17:     0 free | 2 eden | 3 survivor | 12, 13 humongous | 16 old | 40, 41 archive, open and closed
 *   JDK 21, 25: 0 free | 2 eden | 3 survivor |  4,  5 humongous |  8 old
 */
import { readBytes, UnknownJvm } from './address-space.ts';
import type { Generation } from './heap-spaces.ts';
import type { VmStructs } from './vm-structs.ts';

export const G1_REGION = ['G1HeapRegion', 'HeapRegion'];
const G1_REGION_TYPE = ['G1HeapRegionType', 'HeapRegionType'];
const HUMONGOUS = 4;
const CONTINUES = 1;
const GENERATIONS: ReadonlyMap<number, Generation> = new Map([
  [2, 'young'],
  [3, 'young'],
  [4, 'humongous'],
  [5, 'humongous'],
  [8, 'old'],
  [12, 'humongous'],
  [13, 'humongous'],
  [16, 'old'],
  [40, 'archive'],
  [41, 'archive'],
]);

export function readG1Tag(structs: VmStructs, region: number): number {
  const at = structs.offsetOf(G1_REGION, '_type') + structs.offsetOf(G1_REGION_TYPE, '_tag');
  return readBytes(structs.memory, region + at, 4).readInt32LE();
}

export function startsHumongous(tag: number): boolean {
  return (tag & HUMONGOUS) !== 0 && (tag & CONTINUES) === 0;
}

export function continuesHumongous(tag: number): boolean {
  return (tag & HUMONGOUS) !== 0 && (tag & CONTINUES) !== 0;
}

/** Undefined: of none, or it does not tell; where its objects end is not in doubt then. */
export function readG1Generation(structs: VmStructs, region: number): Generation | undefined {
  try {
    return GENERATIONS.get(readG1Tag(structs, region));
  } catch (error) {
    if (error instanceof UnknownJvm) return undefined;
    throw error;
  }
}
