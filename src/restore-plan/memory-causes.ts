/** What each kept page is there for. */
import { basename } from 'node:path';
import type { AddressRange, ReadyFacts } from '../criu/checkpoint.ts';
import type { Vma } from '../criu/schema.ts';
import type { GenerationRange } from '../hotspot/free-heap.ts';
import { type Areas, isFileArea, MAP, VMA_STATUS } from './areas.ts';
import type { Stack } from './dead-stacks.ts';
import { PAGE_BYTES } from './format.ts';
import type { MappedFile } from './mapped-files.ts';
import type { PlacedStretch } from './mem-file.ts';
import type { ProcessMemory } from './process-memory.ts';

/** Of the Java heap; `heap-other` is of no generation that could be told. */
export const HEAP_CAUSES = ['heap-young', 'heap-old', 'heap-humongous', 'heap-archive', 'heap-other'] as const;
export const CAUSES = [
  ...HEAP_CAUSES,
  'metaspace',
  'code-cache',
  'cds',
  'malloc',
  'stacks',
  'libraries',
  'agent',
  'other',
] as const;
export type Cause = (typeof CAUSES)[number];

export interface CauseRange {
  readonly start: number;
  readonly end: number;
  readonly cause: Cause;
}

/** Part of mem.bin. */
export interface CausePart {
  readonly cause: Cause;
  readonly memOffset: number;
  readonly length: number;
}

const PROT_WRITE = 2;

/** Where ranges overlap the first one counts; what is in none is `other`. */
export function findCauses(
  areas: Areas,
  memory: ProcessMemory,
  files: readonly MappedFile[],
  stacks: readonly Stack[],
  { heap, jvmMemory, mailbox }: Pick<ReadyFacts, 'heap' | 'jvmMemory' | 'mailbox'>,
  generations: readonly GenerationRange[],
): readonly CauseRange[] {
  const paths = new Map(files.map(({ id, path }) => [id, path]));
  const known = (cause: Cause, ranges: readonly (AddressRange | null | undefined)[]) =>
    ranges.flatMap((range): CauseRange[] => {
      const start = Number(range?.address);
      return range ? [{ start, end: start + range.sizeBytes, cause }] : [];
    });
  return [
    ...generations.map(({ start, end, generation }): CauseRange => ({ start, end, cause: `heap-${generation}` })),
    ...known('heap-other', [heap]),
    ...known('agent', [mailbox]),
    ...areas.mapped.flatMap((area) =>
      isFileArea(area) ? [{ ...area, cause: causeOfFile(paths.get(area.fileId) ?? '') }] : [],
    ),
    ...known('code-cache', [jvmMemory?.codeCache]),
    ...areas.mapped.flatMap((area, index): CauseRange[] => {
      if (isFileArea(area)) return [];
      if (area.status & VMA_STATUS.heap) return [{ ...area, cause: 'malloc' }];
      const arenas = findArenas(area, memory);
      const isStack = stacks.some(({ sp, tls }) => isWithin(sp, area) || isWithin(tls, area));
      if (isStack || area.flags & MAP.growsDown) return [...arenas, { ...area, cause: 'stacks' }];
      return isZeroedData(area, areas.mapped[index - 1], paths) ? [...arenas, { ...area, cause: 'libraries' }] : arenas;
    }),
    ...known('metaspace', jvmMemory?.metaspace ?? []),
  ];
}

/** Stretches, sorted by address → mem.bin cut where the cause changes. */
export function attribute(stretches: readonly PlacedStretch[], ranges: readonly CauseRange[]): readonly CausePart[] {
  const bounds = [...new Set(ranges.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const causes = bounds.map((bound) => ranges.find((range) => isWithin(bound, range))?.cause ?? 'other');
  const parts: CausePart[] = [];
  let next = 0;
  for (const { address, memOffset, length, sameAs } of stretches) {
    if (sameAs !== undefined) continue; // takes no space
    for (let at = address; at < address + length; ) {
      while ((bounds[next] ?? Number.POSITIVE_INFINITY) <= at) next++;
      const end = Math.min(bounds[next] ?? Number.POSITIVE_INFINITY, address + length);
      append(parts, causes[next - 1] ?? 'other', memOffset + at - address, end - at);
      at = end;
    }
  }
  return parts;
}

function append(parts: CausePart[], cause: Cause, memOffset: number, length: number): void {
  const last = parts.at(-1);
  if (last?.cause === cause && last.memOffset + last.length === memOffset)
    parts[parts.length - 1] = { ...last, length: last.length + length };
  else parts.push({ cause, memOffset, length });
}

function causeOfFile(path: string): Cause {
  if (path.endsWith('.jsa')) return 'cds';
  return basename(path) === 'libcrac.so' ? 'agent' : 'libraries';
}

/** A library's .bss: anonymous memory right behind its writable data. */
function isZeroedData(area: Vma, before: Vma | undefined, paths: ReadonlyMap<number, string>): boolean {
  if (before === undefined || before.end !== area.start || !isFileArea(before)) return false;
  return (before.prot & area.prot & PROT_WRITE) !== 0 && causeOfFile(paths.get(before.fileId) ?? '') !== 'cds';
}

function isWithin(address: number, { start, end }: { readonly start: number; readonly end: number }): boolean {
  return address >= start && address < end;
}

/** glibc's HEAP_MAX_SIZE on 64-bit machines: arenas other than the main one are made of such, each at a multiple of it. */
const ARENA_BYTES = 64 << 20;

/** Each begins with heap_info (malloc/arena.c): ar_ptr, prev, size, mprotect_size. */
function findArenas(area: { readonly start: number; readonly end: number }, memory: ProcessMemory): CauseRange[] {
  const arenas: CauseRange[] = [];
  for (const { address, length } of memory.pagesWithin(area.start, area.end))
    for (let at = Math.ceil(address / ARENA_BYTES) * ARENA_BYTES; at < address + length; at += ARENA_BYTES) {
      const size = committedBytes(at, memory.read(at, PAGE_BYTES));
      if (size !== undefined) arenas.push({ start: at, end: at + size, cause: 'malloc' });
    }
  return arenas;
}

/** Undefined: this is the first page of something else. */
function committedBytes(at: number, page: Buffer | undefined): number | undefined {
  const [arena = 0, previous = 0, size = 0, committed = 0] = page
    ? [0, 8, 16, 24].map((offset) => Number(page.readBigUInt64LE(offset)))
    : [];
  const isFirst = previous === 0 && arena > at && arena < at + PAGE_BYTES;
  const isFurther = previous !== 0 && previous % ARENA_BYTES === 0 && arena !== 0;
  const hasSizes = size > 0 && size % PAGE_BYTES === 0 && size <= committed && committed <= ARENA_BYTES;
  return (isFirst || isFurther) && hasSizes ? committed : undefined;
}
