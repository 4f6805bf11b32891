/** Which pages of an area have to be in mem.bin, and why the others do not. */

import { PAGE_BYTES } from './format.ts';
import type { PageScanner } from './page-scanner.ts';
import type { FilePages, ProcessMemory } from './process-memory.ts';

/** Pages of the process that are kept, and where their bytes are; absent: they are all zero. */
export interface Stretch {
  readonly address: number;
  readonly length: number;
  readonly source?: { readonly file: string; readonly offset: number };
}

export type DropCause = 'zero' | 'equal-to-file' | 'dead-stack';

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

/** Read and compared at once. */
const CHUNK_BYTES = 4 << 20;

export class PageSorter {
  readonly droppedPages: Record<DropCause, number> = { zero: 0, 'equal-to-file': 0, 'dead-stack': 0 };
  readonly #memory: ProcessMemory;
  readonly #scanner: PageScanner;
  readonly #bytes = Buffer.alloc(CHUNK_BYTES);
  readonly #others = Buffer.alloc(CHUNK_BYTES);
  readonly #verdicts = new Uint8Array(CHUNK_BYTES / PAGE_BYTES);

  constructor(memory: ProcessMemory, scanner: PageScanner) {
    this.#memory = memory;
    this.#scanner = scanner;
  }

  /** By address. */
  findKept(area: AreaPages): readonly Stretch[] {
    const kept: Stretch[] = [];
    const alive = Math.min(Math.max(area.deadBelow ?? area.start, area.start), area.end);
    for (const { length } of this.#memory.pagesWithin(area.start, alive))
      this.droppedPages['dead-stack'] += length / PAGE_BYTES;
    for (const pages of this.#memory.pagesWithin(alive, area.end))
      for (const chunk of cut(pages)) this.#sortChunk(chunk, area, kept);
    return kept;
  }

  #sortChunk(chunk: FilePages, area: AreaPages, kept: Stretch[]): void {
    const bytes = this.#bytes.subarray(0, chunk.length);
    this.#memory.readInto(chunk.file, chunk.offset, bytes);
    if (area.original === undefined) this.#scanner.findZeroPages(bytes, this.#verdicts);
    else this.#scanner.findEqualPages(bytes, this.#readOriginal(chunk, area.start, area.original), this.#verdicts);
    const cause = area.original === undefined ? 'zero' : 'equal-to-file';
    const pageCount = chunk.length / PAGE_BYTES;
    for (let page = 0, first = 0; page < pageCount; page = first) {
      const verdict = this.#verdicts[page];
      for (first = page + 1; first < pageCount && this.#verdicts[first] === verdict; ) first++;
      if (verdict !== 0) this.droppedPages[cause] += first - page;
      else append(kept, chunk, page * PAGE_BYTES, (first - page) * PAGE_BYTES);
    }
  }

  /** The file's own bytes, zero after its end, as a page of a private mapping has them before it is written. */
  #readOriginal(chunk: FilePages, start: number, { file, offset, sizeBytes }: Original): Buffer {
    const others = this.#others.subarray(0, chunk.length);
    const from = offset + chunk.address - start;
    const inFile = Math.min(Math.max(sizeBytes - from, 0), others.length);
    this.#memory.readInto(file, from, others.subarray(0, inFile));
    others.fill(0, inFile);
    return others;
  }
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
