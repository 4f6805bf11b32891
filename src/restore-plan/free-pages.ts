/** Pages of the Java heap that hold no objects, as the dump itself tells. */
import { basename } from 'node:path';
import type { DumpedThread } from '../criu/read-dump.ts';
import type { Vma } from '../criu/schema.ts';
import type { Range } from '../hotspot/address-space.ts';
import { type FreeHeap, findFreeHeap } from '../hotspot/free-heap.ts';
import { type Areas, isFileArea } from './areas.ts';
import { openDumpedMemory } from './dumped-memory.ts';
import { PAGE_BYTES } from './format.ts';
import type { MappedFile } from './mapped-files.ts';
import type { ProcessMemory } from './process-memory.ts';
import { isInSystemCall } from './sigframe.ts';
import { nameOf } from './threads.ts';

/** `heap`: where it is reserved; undefined: the JVM did not tell. Nothing is refused here: what is not sure is kept. */
export function findFreePages(
  threads: readonly DumpedThread[],
  { mapped }: Areas,
  memory: ProcessMemory,
  files: readonly MappedFile[],
  heap: Range | undefined,
): FreeHeap {
  if (heap === undefined) return { ranges: [], unknown: 'the JVM does not tell where its heap is' };
  const busy = threads.find((thread) => mayChangeHeap(thread, mapped));
  if (busy !== undefined)
    return { ranges: [], unknown: `thread ${busy.tid} (${nameOf(busy.core)}) runs code that may be the JVM's own` };
  const libjvm = mapped.find((vma) => vma.offset === 0 && pathOf(vma, files) === 'libjvm.so');
  if (libjvm === undefined) return { ranges: [], unknown: 'no libjvm.so is mapped' };
  const { ranges, ...rest } = findFreeHeap(openDumpedMemory(mapped, memory, files), libjvm.start, heap);
  return { ...rest, ranges: wholePages(ranges) };
}

/**
 * The JVM writes the header of a G1 object that takes whole regions before it says that they are taken. Code that it has
 * made itself first takes, then writes; and who is in a system call is not between the two.
 */
function mayChangeHeap({ core }: DumpedThread, mapped: readonly Vma[]): boolean {
  const registers = core.thread?.registers;
  if (registers === undefined) return true;
  if (isInSystemCall(registers)) return false;
  const at = Number(registers.ip);
  const area = mapped.find(({ start, end }) => start <= at && at < end);
  return area === undefined || isFileArea(area);
}

function wholePages(ranges: readonly Range[]): readonly Range[] {
  return ranges
    .map(({ start, end }) => ({
      start: Math.ceil(start / PAGE_BYTES) * PAGE_BYTES,
      end: Math.floor(end / PAGE_BYTES) * PAGE_BYTES,
    }))
    .filter(({ start, end }) => start < end);
}

function pathOf(vma: Vma, files: readonly MappedFile[]): string | undefined {
  const file = isFileArea(vma) ? files.find(({ id }) => id === vma.fileId) : undefined;
  return file && basename(file.path);
}
