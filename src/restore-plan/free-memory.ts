/** Memory that nobody reads before writing to it, as the dump itself tells. Nothing is refused here: what is not sure is kept. */
import { basename } from 'node:path';
import type { Dump, DumpedThread } from '../criu/read-dump.ts';
import type { Vma } from '../criu/schema.ts';
import { findFreeChunks } from '../glibc/free-chunks.ts';
import type { AddressSpace, Range } from '../hotspot/address-space.ts';
import { findFreeArenas } from '../hotspot/free-arenas.ts';
import { findFreeCode } from '../hotspot/free-code.ts';
import { type FreeHeap, findFreeHeap, type GenerationRange } from '../hotspot/free-heap.ts';
import { findFreeMetaspace } from '../hotspot/free-metaspace.ts';
import type { FreeRanges } from '../hotspot/free-ranges.ts';
import type { StepName } from '../steps.ts';
import { type Areas, isFileArea } from './areas.ts';
import { openDumpedMemory } from './dumped-memory.ts';
import type { FreeCause, FreeRange } from './kept-pages.ts';
import type { MappedFile } from './mapped-files.ts';
import type { ProcessMemory } from './process-memory.ts';
import { isInSystemCall } from './sigframe.ts';
import { nameOf } from './threads.ts';

export interface Free {
  /** By address. */
  readonly ranges: readonly FreeRange[];
  /** Why there are none. */
  readonly unknown: Readonly<Partial<Record<FreeCause, string>>>;
  /** Of the Java heap; none where it is not known. */
  readonly generations: readonly GenerationRange[];
}

/** `heap`: where the Java heap is reserved; undefined: the JVM did not tell. */
export function findFreeMemory(
  { threads, mm }: Pick<Dump, 'threads' | 'mm'>,
  { mapped }: Areas,
  memory: ProcessMemory,
  files: readonly MappedFile[],
  heap: Range | undefined,
  skip: ReadonlySet<StepName>,
): Free {
  const dumped = { threads, mapped, files, memory: openDumpedMemory(mapped, memory, files) };
  const brk = { start: Number(mm.startBrk), end: Number(mm.brk) };
  const inHeap = findInHeap(dumped, heap);
  const found = [
    find('heap-pages', 'free-heap', () => inHeap),
    find('code-pages', 'free-code', () => findInCode(dumped)),
    find('arena-pages', 'free-arena', () => findInArenas(dumped)),
    find('metaspace-pages', 'free-metaspace', () => findInMetaspace(dumped)),
    find('malloc-pages', 'free-malloc', () => findInMalloc(dumped, brk)),
  ];
  return {
    ranges: found.flatMap(({ ranges }) => ranges).toSorted((a, b) => a.start - b.start),
    unknown: Object.fromEntries(
      found.flatMap(({ cause, unknown }) => (unknown === undefined ? [] : [[cause, unknown]])),
    ),
    generations: inHeap.generations ?? [],
  };

  function find(step: StepName, cause: FreeCause, look: () => FreeRanges) {
    const { ranges, unknown } = skip.has(step) ? NOTHING : look();
    return { cause, unknown, ranges: ranges.map((range): FreeRange => ({ ...range, cause })) };
  }
}

interface Dumped {
  readonly threads: readonly DumpedThread[];
  readonly mapped: readonly Vma[];
  readonly files: readonly MappedFile[];
  readonly memory: AddressSpace;
}

const NOTHING: FreeRanges = { ranges: [] };

function findInHeap(dumped: Dumped, heap: Range | undefined): FreeHeap {
  if (heap === undefined) return { ranges: [], unknown: 'the JVM does not tell where its heap is' };
  return whileAtRest(dumped, (libjvm) => findFreeHeap(dumped.memory, libjvm, heap));
}

function findInCode(dumped: Dumped): FreeRanges {
  return whileAtRest(dumped, (libjvm) => findFreeCode(dumped.memory, libjvm));
}

function findInArenas(dumped: Dumped): FreeRanges {
  return whileAtRest(dumped, () => findFreeArenas(dumped.memory, writtenData(dumped, LIBJVM)));
}

function findInMetaspace(dumped: Dumped): FreeRanges {
  return whileAtRest(dumped, () => findFreeMetaspace(dumped.memory, writtenData(dumped, LIBJVM)));
}

/** `libjvm`: where it is mapped. */
function whileAtRest<Found>(
  { threads, mapped, files }: Dumped,
  look: (libjvm: number) => Found,
): Found | { ranges: []; unknown: string } {
  const busy = threads.find((thread) => mayRunJvm(thread, mapped));
  if (busy !== undefined)
    return { ranges: [], unknown: `thread ${busy.tid} (${nameOf(busy.core)}) runs code that may be the JVM's own` };
  const libjvm = mapped.find((vma) => vma.offset === 0 && LIBJVM.test(nameOfFile(vma, files) ?? ''));
  if (libjvm === undefined) return { ranges: [], unknown: 'no libjvm.so is mapped' };
  return look(libjvm.start);
}

/** With a single thread glibc does without locks, and nothing tells whether it was stopped within malloc. */
function findInMalloc(dumped: Dumped, brk: Range): FreeRanges {
  if (dumped.threads.length === 1) return { ranges: [], unknown: 'the process has a single thread' };
  const data = writtenData(dumped, GLIBC);
  if (data.length === 0) return { ranges: [], unknown: 'no libc.so.6 is mapped' };
  return findFreeChunks(dumped.memory, data, brk);
}

/**
 * Of a library, whose areas follow each other: what it has in its file, and behind that what is zero at first. In a process
 * that was itself restored what had been written of it is no longer the file's.
 */
function writtenData({ mapped, files }: Dumped, library: RegExp): readonly Vma[] {
  const isOfLibrary = (vma: Vma) => library.test(nameOfFile(vma, files) ?? '');
  const first = mapped.findIndex(isOfLibrary);
  const data: Vma[] = [];
  if (first < 0) return data;
  for (const [index, vma] of mapped.slice(first).entries()) {
    const follows = index === 0 || mapped[first + index - 1]?.end === vma.start;
    const mayBeData = !isFileArea(vma) && vma.end - vma.start <= MOST_DATA_BYTES;
    if (!follows || !(isOfLibrary(vma) || mayBeData)) break;
    if ((vma.prot & PROT_WRITE) !== 0) data.push(vma);
  }
  return data;
}

/** Of one area: what lies behind a library may be something else. */
const MOST_DATA_BYTES = 16 << 20;
const PROT_WRITE = 2;
const LIBJVM = /^libjvm\.so$/;
/** Until 2.33 its file had its version in the name, and libc.so.6 was a link. */
const GLIBC = /^libc(\.so\.6|-2\.\d+\.so)$/;

/**
 * The JVM writes the header of a G1 object that takes whole regions before it says that they are taken, and changes its code
 * cache and the lists of metaspace's chunks in several steps. Code that it has made itself first takes, then writes, and leaves the code cache alone; and who
 * is in a system call is not between two such steps.
 */
function mayRunJvm({ core }: DumpedThread, mapped: readonly Vma[]): boolean {
  const registers = core.thread?.registers;
  if (registers === undefined) return true;
  if (isInSystemCall(registers)) return false;
  const at = Number(registers.ip);
  const area = mapped.find(({ start, end }) => start <= at && at < end);
  return area === undefined || isFileArea(area);
}

function nameOfFile(vma: Vma, files: readonly MappedFile[]): string | undefined {
  const file = isFileArea(vma) ? files.find(({ id }) => id === vma.fileId) : undefined;
  return file && basename(file.path);
}
