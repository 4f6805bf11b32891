/**
 * What of a dumped JVM's heap holds no objects, and which part is of which generation. It is told only where everything that was
 * read fits together.
 */
import { type AddressSpace, type Range, readFlag, readWord, UnknownJvm } from './address-space.ts';
import { readDynamicSymbols } from './dynamic-symbols.ts';
import { type FreeRanges, unlessUnknown } from './free-ranges.ts';
import {
  type Generation,
  readG1Spaces,
  readParallelSpaces,
  readSerialSpaces,
  readShenandoahSpaces,
  type Space,
} from './heap-spaces.ts';
import { findHumongousTails } from './humongous-tails.ts';
import { readJvmFlags } from './jvm-flags.ts';
import { readVmStructs, type VmStructs } from './vm-structs.ts';

export interface GenerationRange extends Range {
  readonly generation: Generation;
}

export interface FreeHeap extends FreeRanges {
  /** By address: what belongs to which generation, free parts included. */
  readonly generations?: readonly GenerationRange[];
}

const HEAP = ['CollectedHeap'];
const WORD_BYTES = 8;
/** Objects start at a multiple of this, and so do spaces. */
const OBJECT_ALIGNMENT = 8;

/** `libjvm`: where libjvm.so is mapped; `reserved`: where the JVM said that its heap is. */
export function findFreeHeap(memory: AddressSpace, libjvm: number, reserved: Range): FreeHeap {
  return unlessUnknown(() => {
    const structs = readVmStructs(memory, readDynamicSymbols(memory, libjvm));
    const heap = readWord(memory, structs.addressOf(['Universe'], '_collectedHeap'));
    const spaces = readSpaces(structs, heap, reserved);
    const parts = [...freeParts(spaces, reserved), ...findHumongousTails(structs, heap)];
    return { ranges: parts.toSorted((a, b) => a.start - b.start), generations: joinGenerations(spaces) };
  });
}

/** Every space lies within the heap and holds its top; none overlaps another. */
export function freeParts(spaces: readonly Space[], reserved: Range): readonly Range[] {
  let last = reserved.start;
  return spaces
    .toSorted((a, b) => a.bottom - b.bottom)
    .flatMap(({ bottom, top, end }) => {
      const isAligned = [bottom, top, end].every((address) => address % OBJECT_ALIGNMENT === 0);
      if (!isAligned || bottom < last || top < bottom || end < top || end > reserved.end)
        throw new UnknownJvm(`${[bottom, top, end].map(hex).join(', ')} are no bottom, top and end of a space`);
      last = end;
      return top === end ? [] : [{ start: top, end }];
    });
}

/** One range where spaces of a generation follow each other: G1 has thousands of regions. */
function joinGenerations(spaces: readonly Space[]): readonly GenerationRange[] {
  const ranges: GenerationRange[] = [];
  for (const { bottom, end, generation } of spaces.toSorted((a, b) => a.bottom - b.bottom)) {
    if (generation === undefined || bottom === end) continue;
    const last = ranges.at(-1);
    if (last?.generation === generation && last.end === bottom) ranges[ranges.length - 1] = { ...last, end };
    else ranges.push({ start: bottom, end, generation });
  }
  return ranges;
}

function readSpaces(structs: VmStructs, heap: number, reserved: Range): readonly Space[] {
  const { memory } = structs;
  requireReserved(structs, heap, reserved);
  const collecting = structs.hasField(HEAP, '_is_stw_gc_active') ? '_is_stw_gc_active' : '_is_gc_active'; // until JDK 21
  if (readFlag(memory, heap + structs.offsetOf(HEAP, collecting))) throw new UnknownJvm('a collection is under way');
  const flags = readJvmFlags(structs, ['UseSerialGC', 'UseParallelGC', 'UseG1GC', 'UseShenandoahGC', 'UseNUMA']);
  if (flags.UseSerialGC) return readSerialSpaces(structs, heap);
  if (flags.UseG1GC) return readG1Spaces(structs, heap, reserved);
  if (flags.UseShenandoahGC) return readShenandoahSpaces(structs, heap, reserved);
  if (!flags.UseParallelGC) throw new UnknownJvm('its collector is none of Serial, Parallel, G1 and Shenandoah');
  // Eden is then made of several spaces, and its own top says nothing.
  if (flags.UseNUMA) throw new UnknownJvm('Parallel with -XX:+UseNUMA');
  return readParallelSpaces(structs);
}

function requireReserved({ memory, offsetOf }: VmStructs, heap: number, reserved: Range): void {
  const region = heap + offsetOf(HEAP, '_reserved');
  const start = readWord(memory, region + offsetOf(['MemRegion'], '_start'));
  const end = start + readWord(memory, region + offsetOf(['MemRegion'], '_word_size')) * WORD_BYTES;
  if (start !== reserved.start || end !== reserved.end)
    throw new UnknownJvm(
      `its heap is at ${hex(start)}-${hex(end)}, not at ${hex(reserved.start)}-${hex(reserved.end)}`,
    );
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
