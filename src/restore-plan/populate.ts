/**
 * Pages that the app writes to for its first answer come in before it goes on: one call for a run of pages instead of a page
 * fault for each page.
 */
import type { Range } from '../hotspot/address-space.ts';
import { ADVICE } from './advice.ts';
import { MAP } from './areas.ts';
import { MEM, type MemRecord, NO_FILE } from './format.ts';

const PROT_WRITE = 2;
/** Of an app that is busy by itself much is written by the time that one looks, and not for the answer. */
const MOST_BYTES = 16 << 20;

/** A thread beside the app's does it, whether or not somebody asks for more: a container that nobody uses holds it in vain. */
const MOST_LATER_BYTES = 8 << 20;

/**
 * `written`: by address, whole pages; `heap`: Java's. What cannot be written to is left alone, and so is what is read anyway.
 * Of memory that holds nothing yet only the heap's is the app's for sure: the rest is what compilers took, which run or not.
 */
export function planPopulate(
  mem: readonly MemRecord[],
  written: readonly Range[],
  heap: Range | undefined,
): readonly MemRecord[] {
  const flags = ADVICE.populateWrite;
  const ranges = cutOff(findOwn(mem, written, heap), MOST_BYTES);
  return ranges.map((range) => ({ ...place(range), kind: MEM.ADVISE, flags }));
}

/** What the first requests have `written` when `first` is there already. */
export function planLater(
  mem: readonly MemRecord[],
  first: readonly Range[],
  written: readonly Range[],
  heap: Range | undefined,
): readonly MemRecord[] {
  const ranges = cutOff(findOwn(mem, intersect(written, outside(first)), heap), MOST_LATER_BYTES);
  return ranges.map((range) => ({ ...place(range), kind: MEM.LATER }));
}

/** Of mem.bin before what holds nothing yet. */
function findOwn(mem: readonly MemRecord[], written: readonly Range[], heap: Range | undefined): readonly Range[] {
  const read = unite(mem.filter(({ kind }) => kind === MEM.READ));
  const own = unite(mem.filter(isOwn));
  const stored = unite(mem.filter(({ kind }) => kind === MEM.PAGES));
  const wanted = intersect(intersect(written, own), outside(read));
  const cleared = intersect(intersect(wanted, outside(stored)), heap === undefined ? [] : [heap]);
  return [...intersect(wanted, stored), ...cleared];
}

function place({ start, end }: Range) {
  return { address: start, length: end - start, file: NO_FILE };
}

function cutOff(ranges: readonly Range[], mostBytes: number): readonly Range[] {
  let left = mostBytes;
  return ranges.flatMap(({ start, end }) => {
    const length = Math.min(end - start, left);
    left -= length;
    return length === 0 ? [] : [{ start, end: start + length }];
  });
}

function isOwn({ kind, prot, flags }: MemRecord): boolean {
  const isMapped = kind === MEM.ANON || kind === MEM.PAGES || kind === MEM.FILE;
  return isMapped && (Number(prot) & PROT_WRITE) !== 0 && (Number(flags) & MAP.type) !== MAP.shared;
}

function unite(records: readonly MemRecord[]): readonly Range[] {
  const united: Range[] = [];
  for (const { address: start, length } of records.toSorted((a, b) => a.address - b.address)) {
    const last = united.at(-1);
    if (last !== undefined && start <= last.end)
      united[united.length - 1] = { start: last.start, end: Math.max(last.end, start + length) };
    else united.push({ start, end: start + length });
  }
  return united;
}

/** Both by address, none over another. */
function intersect(ranges: readonly Range[], others: readonly Range[]): readonly Range[] {
  const common: Range[] = [];
  let first = 0;
  for (const { start, end } of ranges) {
    while ((others[first]?.end ?? Number.POSITIVE_INFINITY) <= start) first++;
    for (const other of others.slice(first)) {
      if (other.start >= end) break;
      common.push({ start: Math.max(start, other.start), end: Math.min(end, other.end) });
    }
  }
  return common;
}

function outside(ranges: readonly Range[]): readonly Range[] {
  const starts = [0, ...ranges.map(({ end }) => end)];
  return starts.map((start, index) => ({ start, end: ranges[index]?.start ?? Number.POSITIVE_INFINITY }));
}
