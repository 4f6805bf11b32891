/** From areas and pages to the MEM section and mem.bin. */
import type { Vma } from '../criu/schema.ts';
import type { StepName } from '../steps.ts';
import { ADVICE, hasAdvice, LASTING_ADVICE } from './advice.ts';
import { type Areas, isFileArea, MAP, VMA_STATUS } from './areas.ts';
import { type AreaMemory, bridgeGaps, countMappings } from './bridge-gaps.ts';
import { findDeadStacks, type Stack } from './dead-stacks.ts';
import { MEM, type MemRecord, NO_FILE } from './format.ts';
import { type DroppedPages, type FreeRange, makePageSorter, type Original } from './kept-pages.ts';
import type { MappedFile } from './mapped-files.ts';
import { type PlacedStretch, placeStretches, sizeOfMemFile, writeMemFile } from './mem-file.ts';
import { chooseStrategy, type MemoryPolicy } from './memory-strategy.ts';
import type { PageScanner } from './page-scanner.ts';
import type { ProcessMemory } from './process-memory.ts';
import { zeroFreeBytes } from './zero-free-bytes.ts';

export interface MemoryLayout {
  readonly records: readonly MemRecord[];
  readonly memBytes: number;
  /** Memory that the restorer fills at once, rather than mapping it. */
  readonly readBytes: number;
  /** At most. */
  readonly mappingCount: number;
  readonly droppedPages: DroppedPages;
  /** What is in mem.bin, by address. */
  readonly stretches: readonly PlacedStretch[];
}

const PROT = { read: 1, write: 2 } as const;

/** Writes mem.bin and says how it is mapped. */
export function writeMemory(
  areas: Areas,
  memory: ProcessMemory,
  files: readonly MappedFile[],
  stacks: readonly Stack[],
  policy: MemoryPolicy,
  free: readonly FreeRange[],
  scanner: PageScanner,
  memFile: string,
  skip: ReadonlySet<StepName>,
): MemoryLayout {
  const sorter = makePageSorter(memory, scanner, free, skip);
  const deadBelow = skip.has('dead-stacks') ? new Map<Vma, number>() : findDeadStacks(areas.mapped, stacks);
  const kept = areas.mapped.map((vma): AreaMemory => {
    const original = originalOf(vma, files);
    const isEmpty = (vma.flags & MAP.type) === MAP.droppable || hasAdvice(vma, ADVICE.wipeOnFork);
    const pages = { start: vma.start, end: vma.end, deadBelow: deadBelow.get(vma), original };
    return { vma, original, strategy: chooseStrategy(vma, policy), kept: isEmpty ? [] : sorter.findKept(pages) };
  });
  const bridged = bridgeGaps(kept, areas.guards);
  const stretches = placeStretches(bridged.flatMap((area) => area.kept));
  writeMemFile(memFile, stretches, memory, scanner);
  zeroFreeBytes(memFile, stretches, free);

  const fileIndex = new Map(files.map(({ id }, index) => [id, index]));
  let next = 0;
  const records = bridged.flatMap((area) => {
    const first = next;
    next += area.kept.length;
    return renderArea(area, joinExtents(stretches.slice(first, next)), fileIndex);
  });
  for (const guard of areas.guards) records.push(advise(guard, ADVICE.guard));
  return {
    records,
    memBytes: sizeOfMemFile(stretches),
    readBytes: sumLengths(records.filter(({ kind }) => kind === MEM.READ)),
    mappingCount: bridged.reduce((sum, area) => sum + countMappings(area), 0),
    droppedPages: sorter.droppedPages,
    stretches,
  };
}

/** What follows each other in the process and in mem.bin is one; what is mapped again stays for itself. */
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
  const isStoredOnce = a.sameAs === undefined && b.sameAs === undefined;
  return isStoredOnce && a.address + a.length === b.address && a.memOffset + a.length === b.memOffset;
}

function renderArea(
  { vma, strategy }: AreaMemory,
  extents: readonly PlacedStretch[],
  fileIndex: ReadonlyMap<number, number>,
): MemRecord[] {
  const isRead = extents.length > 0 && strategy !== 'map';
  const records: MemRecord[] = [baseRecord(vma, fileIndex, isRead)];
  if (isRead && strategy === 'read-huge') records.push(advise(vma, ADVICE.hugePage));
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

function originalOf(vma: Vma, files: readonly MappedFile[]): Original | undefined {
  const file = isFileArea(vma) ? files.find(({ id }) => id === vma.fileId) : undefined;
  return file && { file: file.localPath, offset: vma.offset, sizeBytes: file.sizeBytes };
}
