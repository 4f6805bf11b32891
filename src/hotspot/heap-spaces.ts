/** Where a collector's objects are: names by version, 17 to 22 | later. A field is described with the class that declares it. */
import { type Range, readWord, UnknownJvm } from './address-space.ts';
import { G1_REGION, readG1Generation } from './g1-region-type.ts';
import type { VmStructs } from './vm-structs.ts';

/** `archive`: objects of the CDS archive that never move: G1 in JDK 17 alone tells. */
export type Generation = 'young' | 'old' | 'humongous' | 'archive';

/** Objects lie in [bottom, top); nothing in [top, end) is read before it is written. */
export interface Space {
  readonly bottom: number;
  readonly top: number;
  readonly end: number;
  /** Undefined: of none, as a free region of G1, or the JVM does not tell. */
  readonly generation?: Generation | undefined;
}

const SERIAL_HEAP = ['GenCollectedHeap', 'SerialHeap'];
const PARALLEL_HEAP = ['ParallelScavengeHeap'];
const CONTIGUOUS_SPACE = ['ContiguousSpace', 'CompactibleSpace', 'Space'];
const MUTABLE_SPACE = ['MutableSpace', 'ImmutableSpace'];
const G1_REGION_MANAGER = ['G1HeapRegionManager', 'HeapRegionManager'];
const G1_REGION_TABLE = ['G1HeapRegionTable'];
const SMALLEST_G1_REGION_BYTES = 1 << 20;
const SHENANDOAH_HEAP = ['ShenandoahHeap'];
const SHENANDOAH_REGION = ['ShenandoahHeapRegion'];
const SMALLEST_SHENANDOAH_REGION_BYTES = 256 << 10;
const YOUNG_SPACES = ['_eden_space', '_from_space', '_to_space'];

export function readSerialSpaces(structs: VmStructs, heap: number): readonly Space[] {
  const follow = pointersOf(structs);
  const young = follow(heap, SERIAL_HEAP, '_young_gen');
  const old = follow(heap, SERIAL_HEAP, '_old_gen');
  const spaces = YOUNG_SPACES.map((field) =>
    readSpace(structs, follow(young, ['DefNewGeneration'], field), CONTIGUOUS_SPACE, 'young'),
  );
  return [...spaces, readSpace(structs, follow(old, ['TenuredGeneration'], '_the_space'), CONTIGUOUS_SPACE, 'old')];
}

export function readParallelSpaces(structs: VmStructs): readonly Space[] {
  const follow = pointersOf(structs);
  const young = readWord(structs.memory, structs.addressOf(PARALLEL_HEAP, '_young_gen'));
  const old = readWord(structs.memory, structs.addressOf(PARALLEL_HEAP, '_old_gen'));
  const spaces = YOUNG_SPACES.map((field) =>
    readSpace(structs, follow(young, ['PSYoungGen'], field), MUTABLE_SPACE, 'young'),
  );
  return [
    ...spaces,
    ...gapsBetween(spaces),
    readSpace(structs, follow(old, ['PSOldGen'], '_object_space'), MUTABLE_SPACE, 'old'),
  ];
}

/** When the spaces of a young generation become smaller, gaps stay between them: of no space, and free. */
function gapsBetween(spaces: readonly Space[]): readonly Space[] {
  return spaces
    .toSorted((a, b) => a.bottom - b.bottom)
    .flatMap(({ end }, index, sorted) => {
      const next = sorted[index + 1];
      return next === undefined || next.bottom <= end ? [] : [{ bottom: end, top: end, end: next.bottom }];
    });
}

/** One space a region; a region that was never committed has none. */
export function readG1Spaces(structs: VmStructs, heap: number, reserved: Range): readonly Space[] {
  return readRegions(structs, readG1Table(structs, heap), reserved, readG1Generation);
}

export function readG1Table(structs: VmStructs, heap: number): RegionTable {
  const { memory } = structs;
  const table = heap + structs.offsetOf(['G1CollectedHeap'], '_hrm') + structs.offsetOf(G1_REGION_MANAGER, '_regions');
  const first = readWord(memory, table + structs.offsetOf(G1_REGION_TABLE, '_base'));
  const count = readWord(memory, table + structs.offsetOf(G1_REGION_TABLE, '_length'));
  const regionBytes = readWord(memory, structs.addressOf(G1_REGION, 'GrainBytes'));
  if (regionBytes < SMALLEST_G1_REGION_BYTES) throw new UnknownJvm(`regions of ${regionBytes} bytes are no regions`);
  return { first, count, regionBytes, types: G1_REGION };
}

/**
 * One space a region, at work or not: objects are moved and allocated below its top at any time. What a region is used for is not
 * described.
 */
export function readShenandoahSpaces(structs: VmStructs, heap: number, reserved: Range): readonly Space[] {
  const { memory } = structs;
  const first = readWord(memory, heap + structs.offsetOf(SHENANDOAH_HEAP, '_regions'));
  const count = readWord(memory, heap + structs.offsetOf(SHENANDOAH_HEAP, '_num_regions'));
  const regionBytes = readWord(memory, structs.addressOf(SHENANDOAH_REGION, 'RegionSizeBytes'));
  if (regionBytes < SMALLEST_SHENANDOAH_REGION_BYTES)
    throw new UnknownJvm(`regions of ${regionBytes} bytes are no regions`);
  return readRegions(structs, { first, count, regionBytes, types: SHENANDOAH_REGION }, reserved, () => undefined);
}

export interface RegionTable {
  /** Of pointers. */
  readonly first: number;
  readonly count: number;
  readonly regionBytes: number;
  readonly types: readonly string[];
}

function readRegions(
  structs: VmStructs,
  { first, count, regionBytes, types }: RegionTable,
  reserved: Range,
  readGeneration: (structs: VmStructs, region: number) => Generation | undefined,
): Space[] {
  if (count * regionBytes !== reserved.end - reserved.start)
    throw new UnknownJvm(`${count} regions of ${regionBytes} bytes do not make the heap`);
  const spaces: Space[] = [];
  for (let index = 0; index < count; index++) {
    const region = readWord(structs.memory, first + index * 8);
    if (region === 0) continue;
    const space = readSpace(structs, region, types, readGeneration(structs, region));
    if (space.bottom !== reserved.start + index * regionBytes || space.end !== space.bottom + regionBytes)
      throw new UnknownJvm(`region ${index} is not at its place`);
    spaces.push(space);
  }
  return spaces;
}

function readSpace(
  { memory, offsetOf }: VmStructs,
  address: number,
  types: readonly string[],
  generation: Generation | undefined,
): Space {
  const [bottom, top, end] = ['_bottom', '_top', '_end'].map((field) =>
    readWord(memory, address + offsetOf(types, field)),
  ) as [number, number, number];
  return { bottom, top, end, generation };
}

function pointersOf({ memory, offsetOf }: VmStructs) {
  return (object: number, types: readonly string[], field: string): number =>
    readWord(memory, object + offsetOf(types, field));
}
