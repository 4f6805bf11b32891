import { closeSync, openSync, readSync } from 'node:fs';
import type { PageRun } from '../criu/read-dump.ts';
import { PAGE_BYTES } from './format.ts';

/** The pages of the process, by address. */
export class ProcessMemory implements Disposable {
  readonly runs: readonly PageRun[];
  readonly #pagesFile: string;
  readonly #fds = new Map<string, number>();

  constructor(pagesFile: string, runs: readonly PageRun[]) {
    this.#pagesFile = pagesFile;
    this.runs = runs;
  }

  /** The bytes, or undefined when not all of them are in the dump. */
  read(address: number, length: number): Buffer | undefined {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const at = address + done;
      const run = this.#runAt(at);
      if (run === undefined) return undefined;
      const within = at - run.address;
      const size = Math.min(length - done, run.pageCount * PAGE_BYTES - within);
      if (readSync(this.#open(run), bytes, done, size, run.offset + within) !== size) return undefined;
      done += size;
    }
    return bytes;
  }

  /** All pages of a run. */
  readRun(run: PageRun): Buffer {
    const bytes = Buffer.alloc(run.pageCount * PAGE_BYTES);
    const got = readSync(this.#open(run), bytes, 0, bytes.length, run.offset);
    return bytes.subarray(0, got - (got % PAGE_BYTES));
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.values()) closeSync(fd);
  }

  #open({ file = this.#pagesFile }: PageRun): number {
    const fd = this.#fds.get(file) ?? openSync(file, 'r');
    this.#fds.set(file, fd);
    return fd;
  }

  #runAt(address: number): PageRun | undefined {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.runs[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const run = this.runs[low - 1];
    return run !== undefined && address < run.address + run.pageCount * PAGE_BYTES ? run : undefined;
  }
}
