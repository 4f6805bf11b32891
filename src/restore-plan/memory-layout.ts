/** From areas and pages to the MEM section and mem.bin. */
import type { Vma } from '../criu/schema.ts';
import { type Areas, isFileArea, MAP, VMA_STATUS } from './areas.ts';
import { MEM, type MemRecord, NO_FILE, PAGE_BYTES } from './format.ts';
import { type AreaPages, type DropCause, PageSorter, type Stretch } from './kept-pages.ts';
import type { MappedFile } from './mapped-files.ts';
import { type PlacedStretch, placeStretches, writeMemFile } from './mem-file.ts';
import type { PageScanner } from './page-scanner.ts';
import type { ProcessMemory } from './process-memory.ts';

export interface MemoryLayout {
  readonly records: readonly MemRecord[];
  readonly memBytes: number;
  /** Memory that the restorer fills at once, rather than mapping it. */
  readonly readBytes: number;
  readonly mappingCount: number;
  readonly droppedPages: Readonly<Record<DropCause, number>>;
}

const PROT = { none: 0, read: 1, write: 2 } as const;
const ADVICE = {
  random: 1,
  sequential: 2,
  dontFork: 10,
  mergeable: 12,
  hugePage: 14,
  noHugePage: 15,
  dontDump: 16,
  wipeOnFork: 18,
  guard: 102,
} as const;
/** Advice that stays with an area; the bits of `Vma.advice`. */
const LASTING_ADVICE = [
  ADVICE.random,
  ADVICE.sequential,
  ADVICE.dontFork,
  ADVICE.mergeable,
  ADVICE.hugePage,
  ADVICE.noHugePage,
  ADVICE.dontDump,
  ADVICE.wipeOnFork,
];
const HUGE_PAGE_AREA_BYTES = 2 << 20;
/** The System V ABI lets a function use this much below its stack pointer. */
const RED_ZONE_BYTES = 128;

export interface Stack {
  readonly sp: number;
  readonly tls: number;
}

/** Writes mem.bin and says how it is mapped. */
export function writeMemory(
  areas: Areas,
  memory: ProcessMemory,
  files: readonly MappedFile[],
  stacks: readonly Stack[],
  mode: 'map' | 'read',
  scanner: PageScanner,
  memFile: string,
): MemoryLayout {
  const sorter = new PageSorter(memory, scanner);
  const deadBelow = findDeadStacks(areas.mapped, stacks);
  const kept = areas.mapped.flatMap((vma) => findKept(vma, sorter, deadBelow.get(vma), files));
  const stretches = placeStretches(kept);
  writeMemFile(memFile, stretches, memory, scanner);

  const fileIndex = new Map(files.map(({ id }, index) => [id, index]));
  const records: MemRecord[] = [];
  let next = 0;
  for (const vma of areas.mapped) {
    const first = next;
    while ((stretches[next]?.address ?? Number.POSITIVE_INFINITY) < vma.end) next++;
    records.push(...renderArea(vma, joinExtents(stretches.slice(first, next)), fileIndex, mode));
  }
  for (const guard of areas.guards) records.push(advise(guard, ADVICE.guard));
  const mappings: readonly number[] = [MEM.ANON, MEM.FILE, MEM.PAGES];
  return {
    records,
    memBytes: sumLengths(kept),
    readBytes: sumLengths(records.filter(({ kind }) => kind === MEM.READ)),
    mappingCount: records.filter(({ kind }) => mappings.includes(kind)).length,
    droppedPages: sorter.droppedPages,
  };
}

function findKept(
  vma: Vma,
  sorter: PageSorter,
  deadBelow: number | undefined,
  files: readonly MappedFile[],
): readonly Stretch[] {
  if ((vma.flags & MAP.type) === MAP.droppable) return [];
  return sorter.findKept({ start: vma.start, end: vma.end, deadBelow, original: originalOf(vma, files) });
}

/** What follows each other in the process and in mem.bin is one. */
function joinExtents(stretches: readonly PlacedStretch[]): readonly PlacedStretch[] {
  const joined: PlacedStretch[] = [];
  for (const stretch of stretches) {
    const last = joined.at(-1);
    if (last !== undefined && endsWhere(last, stretch))
      joined[joined.length - 1] = { ...last, length: last.length + stretch.length };
    else joined.push(stretch);
  }
  return joined;
}

function endsWhere(a: PlacedStretch, b: PlacedStretch): boolean {
  return a.address + a.length === b.address && a.memOffset + a.length === b.memOffset;
}

function renderArea(
  vma: Vma,
  extents: readonly PlacedStretch[],
  fileIndex: ReadonlyMap<number, number>,
  mode: 'map' | 'read',
): MemRecord[] {
  const isRead = extents.length > 0 && !isFileArea(vma) && (mode === 'read' || mustBeAnonymous(vma));
  const records: MemRecord[] = [baseRecord(vma, fileIndex, isRead)];
  if (isRead && mode === 'read' && vma.end - vma.start > HUGE_PAGE_AREA_BYTES)
    records.push(advise(vma, ADVICE.hugePage));
  for (const { address, length, memOffset } of extents)
    records.push({
      address,
      length,
      offset: memOffset,
      kind: isRead ? MEM.READ : MEM.PAGES,
      prot: vma.prot,
      flags: isRead ? 0 : (lastingFlags(vma) & ~(MAP.anonymous | MAP.growsDown)) | MAP.private,
      file: NO_FILE,
    });
  if (isRead && (vma.prot & PROT.write) === 0)
    records.push({
      address: vma.start,
      length: vma.end - vma.start,
      kind: MEM.PROTECT,
      prot: vma.prot,
      file: NO_FILE,
    });
  for (const advice of LASTING_ADVICE) if (hasAdvice(vma, advice)) records.push(advise(vma, advice));
  return records;
}

/** The kernel grows a stack, and wipes memory in children, only where no file is mapped. */
function mustBeAnonymous(vma: Vma): boolean {
  return (vma.flags & MAP.growsDown) !== 0 || hasAdvice(vma, ADVICE.wipeOnFork);
}

function hasAdvice(vma: Vma, advice: number): boolean {
  return ((vma.advice >> BigInt(advice)) & 1n) !== 0n;
}

function sumLengths(parts: readonly { readonly length: number }[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function baseRecord(vma: Vma, fileIndex: ReadonlyMap<number, number>, isFilled: boolean): MemRecord {
  const place = { address: vma.start, length: vma.end - vma.start };
  const prot = isFilled ? vma.prot | PROT.read | PROT.write : vma.prot;
  if (isFileArea(vma))
    return {
      ...place,
      kind: MEM.FILE,
      offset: vma.offset,
      prot,
      flags: lastingFlags(vma) | (vma.status & VMA_STATUS.fileShared ? MAP.shared : MAP.private),
      file: fileIndex.get(vma.fileId) ?? NO_FILE,
    };
  // MAP_DROPPABLE holds vgetrandom's state: zero makes glibc ask the kernel again, so that clones differ.
  return {
    ...place,
    kind: MEM.ANON,
    prot,
    flags: lastingFlags(vma) | MAP.private | MAP.anonymous,
    file: NO_FILE,
  };
}

/** A lock keeps secrets from the swap space; an image is on a disk anyway, and an ordinary user may lock little. */
function lastingFlags({ flags }: Vma): number {
  return flags & ~(MAP.type | MAP.locked);
}

function advise(vma: Vma, advice: number): MemRecord {
  return { address: vma.start, length: vma.end - vma.start, kind: MEM.ADVISE, flags: advice, file: NO_FILE };
}

/** What lies below a thread's stack pointer is never read again: where the stack is an area of its own it is left out. */
function findDeadStacks(mapped: readonly Vma[], stacks: readonly Stack[]): ReadonlyMap<Vma, number> {
  const dead = new Map<Vma, number>();
  for (const [index, vma] of mapped.entries()) {
    const inside = stacks.filter(({ sp }) => sp >= vma.start && sp < vma.end);
    const [stack] = inside;
    if (stack === undefined || inside.length > 1) continue;
    const before = mapped[index - 1];
    const hasGuard = before !== undefined && before.end === vma.start && before.prot === PROT.none;
    const holdsTls = stack.tls >= stack.sp && stack.tls < vma.end;
    if ((vma.flags & MAP.growsDown) !== 0 || (hasGuard && holdsTls))
      dead.set(vma, Math.floor((stack.sp - RED_ZONE_BYTES) / PAGE_BYTES) * PAGE_BYTES);
  }
  return dead;
}

function originalOf(vma: Vma, files: readonly MappedFile[]): AreaPages['original'] {
  const file = isFileArea(vma) ? files.find(({ id }) => id === vma.fileId) : undefined;
  return file && { file: file.localPath, offset: vma.offset, sizeBytes: file.sizeBytes };
}
