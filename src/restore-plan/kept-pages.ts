/** Which pages of an area have to be in mem.bin, and why the others do not. */

import type { Range } from '../hotspot/address-space.ts';
import type { StepName } from '../steps.ts';
import { PAGE_BYTES } from './format.ts';
import type { PageScanner } from './page-scanner.ts';
import type { FilePages, ProcessMemory } from './process-memory.ts';

/** Pages of the process that are kept, and where their bytes are; neither: they are all zero. */
export interface Stretch {
  readonly address: number;
  readonly length: number;
  readonly source?: { readonly file: string; readonly offset: number };
  /** An address before this one, where the same bytes are, in one stretch. */
  readonly sameAs?: number;
}

/** Of memory in which nothing is read before it is written. */
const FREE_CAUSES = ['free-heap', 'free-code', 'free-arena', 'free-metaspace', 'free-malloc'] as const;
export type FreeCause = (typeof FREE_CAUSES)[number];
export const DROP_CAUSES = ['zero', 'equal-to-file', 'dead-stack', 'duplicate', ...FREE_CAUSES] as const;
export type DropCause = (typeof DROP_CAUSES)[number];
export type DroppedPages = Readonly<Record<DropCause, number>>;
export const NOTHING_DROPPED = Object.fromEntries(DROP_CAUSES.map((cause) => [cause, 0])) as DroppedPages;

export interface FreeRange extends Range {
  readonly cause: FreeCause;
}

export interface AreaPages {
  readonly start: number;
  readonly end: number;
  /** Nothing below is read again. */
  readonly deadBelow?: number | undefined;
  /** A private mapping of a file: what a page holds that was not written. */
  readonly original?: Original | undefined;
}

/** Where a mapped file's own bytes are. */
export interface Original {
  readonly file: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

/**
 * Of equal pages in a row so many as the root of their number are stored, and mapped that often: each mapping has its price.
 * With fewer pages than these there are more mappings than it is worth. In a JVM such are card tables, above all.
 */
const LEAST_REPEATS = 16;
/** Read and compared at once. */
const CHUNK_BYTES = 4 << 20;

export interface PageSorter {
  /** So far. */
  readonly droppedPages: DroppedPages;
  /** By address. */
  readonly findKept: (area: AreaPages) => readonly Stretch[];
}

/** `free`: by address, none over another. */
export function makePageSorter(
  memory: ProcessMemory,
  scanner: PageScanner,
  free: readonly FreeRange[] = [],
  skip: ReadonlySet<StepName> = new Set(),
): PageSorter {
  const freePages = wholePages(free);
  const droppedPages: Record<DropCause, number> = { ...NOTHING_DROPPED };
  const bytes = Buffer.alloc(CHUNK_BYTES);
  const others = Buffer.alloc(CHUNK_BYTES);
  const verdicts = new Uint8Array(CHUNK_BYTES / PAGE_BYTES);
  const repeats = new Uint8Array(CHUNK_BYTES / PAGE_BYTES);
  return { droppedPages, findKept };

  function findKept(area: AreaPages): readonly Stretch[] {
    const kept: Stretch[] = [];
    const alive = Math.min(Math.max(area.deadBelow ?? area.start, area.start), area.end);
    drop(area.start, alive, 'dead-stack');
    let done = alive;
    // What a private mapping of a file would bring back is the file's, not zero.
    for (const { start, end, cause } of area.original === undefined ? freePages : []) {
      if (end <= done || start >= area.end) continue;
      sort(done, start, area, kept);
      done = Math.min(end, area.end);
      drop(Math.max(start, alive), done, cause);
    }
    sort(done, area.end, area, kept);
    return kept;
  }

  function drop(start: number, end: number, cause: DropCause): void {
    for (const { length } of memory.pagesWithin(start, end)) droppedPages[cause] += length / PAGE_BYTES;
  }

  function sort(start: number, end: number, area: AreaPages, kept: Stretch[]): void {
    for (const pages of memory.pagesWithin(start, end)) for (const chunk of cut(pages)) sortChunk(chunk, area, kept);
  }

  function sortChunk(chunk: FilePages, { start, original }: AreaPages, kept: Stretch[]): void {
    const pages = bytes.subarray(0, chunk.length);
    memory.readInto(chunk.file, chunk.offset, pages);
    if (skip.has(original === undefined ? 'zero-pages' : 'file-pages')) verdicts.fill(0);
    else if (original === undefined) scanner.findZeroPages(pages, verdicts);
    else scanner.findEqualPages(pages, readOriginal(chunk, start, original), verdicts);
    if (skip.has('duplicates')) repeats.fill(0);
    else scanner.findEqualPages(pages.subarray(PAGE_BYTES), pages.subarray(0, -PAGE_BYTES), repeats);
    const pageCount = chunk.length / PAGE_BYTES;
    for (let page = 0; page < pageCount; ) {
      const isDropped = verdicts[page] === 1;
      let end = page + 1;
      while (end < pageCount && verdicts[end] === verdicts[page]) end++;
      if (isDropped) droppedPages[original === undefined ? 'zero' : 'equal-to-file'] += end - page;
      else keep(chunk, page, end, kept);
      page = end;
    }
  }

  /** Pages of a chunk, from one to another. */
  function keep(chunk: FilePages, from: number, to: number, kept: Stretch[]): void {
    let done = from;
    for (let page = from; page < to; ) {
      let end = page + 1;
      while (end < to && repeats[end - 1] === 1) end++;
      const count = end - page;
      if (count >= LEAST_REPEATS) {
        const stored = Math.ceil(Math.sqrt(count));
        append(kept, chunk, done * PAGE_BYTES, (page + stored - done) * PAGE_BYTES);
        const address = chunk.address + page * PAGE_BYTES;
        for (let at = stored; at < count; at += stored)
          kept.push({
            address: address + at * PAGE_BYTES,
            length: Math.min(stored, count - at) * PAGE_BYTES,
            sameAs: address,
          });
        droppedPages.duplicate += count - stored;
        done = end;
      }
      page = end;
    }
    if (done < to) append(kept, chunk, done * PAGE_BYTES, (to - done) * PAGE_BYTES);
  }

  /** The file's own bytes, zero after its end, as a page of a private mapping has them before it is written. */
  function readOriginal(chunk: FilePages, start: number, { file, offset, sizeBytes }: Original): Buffer {
    const pages = others.subarray(0, chunk.length);
    const from = offset + chunk.address - start;
    const inFile = Math.min(Math.max(sizeBytes - from, 0), pages.length);
    memory.readInto(file, from, pages.subarray(0, inFile));
    pages.fill(0, inFile);
    return pages;
  }
}

function wholePages(ranges: readonly FreeRange[]): readonly FreeRange[] {
  return ranges
    .map(({ start, end, cause }) => ({
      start: Math.ceil(start / PAGE_BYTES) * PAGE_BYTES,
      end: Math.floor(end / PAGE_BYTES) * PAGE_BYTES,
      cause,
    }))
    .filter(({ start, end }) => start < end);
}

function* cut(pages: FilePages): Generator<FilePages> {
  for (let done = 0; done < pages.length; done += CHUNK_BYTES)
    yield {
      ...pages,
      address: pages.address + done,
      length: Math.min(CHUNK_BYTES, pages.length - done),
      offset: pages.offset + done,
    };
}

/** Goes on with the last one where that is possible. */
function append(kept: Stretch[], { file, ...chunk }: FilePages, at: number, length: number): void {
  const address = chunk.address + at;
  const offset = chunk.offset + at;
  const last = kept.at(-1);
  if (
    last?.source?.file === file &&
    last.address + last.length === address &&
    last.source.offset + last.length === offset
  )
    kept[kept.length - 1] = { ...last, length: last.length + length };
  else kept.push({ address, length, source: { file, offset } });
}
