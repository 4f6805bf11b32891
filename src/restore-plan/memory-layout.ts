/** From areas and pages to the MEM section and mem.bin. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { PageRun } from '../criu/read-dump.ts';
import type { Vma } from '../criu/schema.ts';
import { type Areas, isFileArea, MAP, VMA_STATUS } from './areas.ts';
import { MEM, type MemRecord, NO_FILE, PAGE_BYTES } from './format.ts';
import type { MappedFile } from './mapped-files.ts';
import type { ProcessMemory } from './process-memory.ts';

export interface MemoryLayout {
  readonly records: readonly MemRecord[];
  readonly memBytes: number;
  /** Memory that the restorer fills at once, rather than mapping it. */
  readonly readBytes: number;
  readonly mappingCount: number;
  readonly droppedPages: Readonly<Record<'zero' | 'equal-to-file' | 'dead-stack', number>>;
}

const PROT = { none: 0, read: 1, write: 2 } as const;
const ADVICE = {
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
  ADVICE.dontFork,
  ADVICE.mergeable,
  ADVICE.hugePage,
  ADVICE.noHugePage,
  ADVICE.dontDump,
  ADVICE.wipeOnFork,
];
const HUGE_PAGE_AREA_BYTES = 2 << 20;
const ZERO_PAGE = Buffer.alloc(PAGE_BYTES);
/** The System V ABI lets a function use this much below its stack pointer. */
const RED_ZONE_BYTES = 128;

export interface Stack {
  readonly sp: number;
  readonly tls: number;
}

/** Writes mem.bin, in order of address, and says how it is mapped. */
export function writeMemory(
  areas: Areas,
  memory: ProcessMemory,
  files: readonly MappedFile[],
  stacks: readonly Stack[],
  mode: 'map' | 'read',
  memFile: string,
): MemoryLayout {
  const records: MemRecord[] = [];
  const dropped = { zero: 0, 'equal-to-file': 0, 'dead-stack': 0 };
  const fileIndex = new Map(files.map(({ id }, index) => [id, index]));
  const deadBelow = findDeadStacks(areas.mapped, stacks);
  let memBytes = 0;
  let readBytes = 0;
  const out = openSync(memFile, 'w');
  try {
    for (const vma of areas.mapped) {
      const isRead = !isFileArea(vma) && (mode === 'read' || (vma.flags & MAP.growsDown) !== 0);
      const kept = keepPages(vma, memory, deadBelow.get(vma), originalOf(vma, files), dropped);
      records.push(baseRecord(vma, fileIndex, isRead && kept.length > 0));
      if (isRead && mode === 'read' && vma.end - vma.start > HUGE_PAGE_AREA_BYTES && kept.length > 0)
        records.push(advise(vma, ADVICE.hugePage));
      for (const { address, bytes } of kept) {
        records.push({
          address,
          length: bytes.length,
          offset: memBytes,
          kind: isRead ? MEM.READ : MEM.PAGES,
          prot: vma.prot,
          flags: isRead ? 0 : (vma.flags & ~(MAP.type | MAP.anonymous | MAP.growsDown)) | MAP.private,
          file: NO_FILE,
        });
        writeSync(out, bytes);
        memBytes += bytes.length;
        if (isRead) readBytes += bytes.length;
      }
      if (isRead && kept.length > 0 && (vma.prot & PROT.write) === 0)
        records.push({
          address: vma.start,
          length: vma.end - vma.start,
          kind: MEM.PROTECT,
          prot: vma.prot,
          file: NO_FILE,
        });
      for (const advice of LASTING_ADVICE) if ((vma.advice >> BigInt(advice)) & 1n) records.push(advise(vma, advice));
    }
  } finally {
    closeSync(out);
  }
  for (const guard of areas.guards) records.push(advise(guard, ADVICE.guard));
  const mappings: readonly number[] = [MEM.ANON, MEM.FILE, MEM.PAGES];
  return {
    records,
    memBytes,
    readBytes,
    mappingCount: records.filter(({ kind }) => mappings.includes(kind)).length,
    droppedPages: dropped,
  };
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
      flags: (vma.flags & ~MAP.type) | (vma.status & VMA_STATUS.fileShared ? MAP.shared : MAP.private),
      file: fileIndex.get(vma.fileId) ?? NO_FILE,
    };
  // MAP_DROPPABLE holds vgetrandom's state: zero makes glibc ask the kernel again, so that clones differ.
  return {
    ...place,
    kind: MEM.ANON,
    prot,
    flags: (vma.flags & ~MAP.type) | MAP.private | MAP.anonymous,
    file: NO_FILE,
  };
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

interface Kept {
  readonly address: number;
  readonly bytes: Buffer;
}

function keepPages(
  vma: Vma,
  memory: ProcessMemory,
  deadBelow: number | undefined,
  original: ((offset: number, length: number) => Buffer) | undefined,
  dropped: { zero: number; 'equal-to-file': number; 'dead-stack': number },
): Kept[] {
  if ((vma.flags & MAP.type) === MAP.droppable) return [];
  const kept: Kept[] = [];
  for (const run of memory.runs) {
    const clipped = clip(run, vma);
    if (clipped === undefined) continue;
    const bytes = memory.readRun(clipped);
    const unchanged = original?.(vma.offset + clipped.address - vma.start, bytes.length);
    let start = -1; // of the stretch that is being kept
    for (let at = 0; at <= bytes.length; at += PAGE_BYTES) {
      const cause = at === bytes.length ? 'end' : findDropCause(at);
      if (cause === undefined && start < 0) start = at;
      if (cause === undefined) continue;
      if (start >= 0) kept.push({ address: clipped.address + start, bytes: bytes.subarray(start, at) });
      start = -1;
      if (cause !== 'end') dropped[cause]++;
    }

    function findDropCause(at: number): keyof typeof dropped | undefined {
      const page = bytes.subarray(at, at + PAGE_BYTES);
      if (deadBelow !== undefined && (clipped?.address ?? 0) + at < deadBelow) return 'dead-stack';
      if (unchanged === undefined) return page.equals(ZERO_PAGE) ? 'zero' : undefined;
      return page.equals(unchanged.subarray(at, at + PAGE_BYTES)) ? 'equal-to-file' : undefined;
    }
  }
  return kept;
}

function clip(run: PageRun, vma: Vma): PageRun | undefined {
  const start = Math.max(run.address, vma.start);
  const end = Math.min(run.address + run.pageCount * PAGE_BYTES, vma.end);
  if (start >= end) return undefined;
  return { ...run, address: start, pageCount: (end - start) / PAGE_BYTES, offset: run.offset + start - run.address };
}

/** The file's own bytes, zero after its end, as a page of a private mapping has them before it is written. */
function originalOf(vma: Vma, files: readonly MappedFile[]): ((offset: number, length: number) => Buffer) | undefined {
  const file = isFileArea(vma) ? files.find(({ id }) => id === vma.fileId) : undefined;
  if (file === undefined) return undefined;
  return (offset, length) => {
    const bytes = Buffer.alloc(length);
    const fd = openSync(file.localPath, 'r');
    try {
      readSync(fd, bytes, 0, length, offset);
    } finally {
      closeSync(fd);
    }
    return bytes;
  };
}
