import { closeSync, openSync, readSync } from 'node:fs';
import type { PageRun } from '../criu/read-dump.ts';
import { CracBuildError } from '../errors.ts';
import { PAGE_BYTES } from './format.ts';

/** Pages that follow each other in the process and in a file. */
export interface FilePages {
  readonly address: number;
  readonly length: number;
  readonly file: string;
  /** Bytes into the file. */
  readonly offset: number;
}

/** The pages of the process, by address. */
export class ProcessMemory implements Disposable {
  readonly #runs: readonly FilePages[];
  readonly #fds = new Map<string, number>();

  constructor(pagesFile: string, runs: readonly PageRun[]) {
    this.#runs = runs.map(({ address, pageCount, offset, file = pagesFile }) => ({
      address,
      length: pageCount * PAGE_BYTES,
      file,
      offset,
    }));
  }

  /** The bytes, or undefined when not all of them are in the dump. */
  read(address: number, length: number): Buffer | undefined {
    const bytes = Buffer.alloc(length);
    let done = 0;
    for (const run of this.pagesWithin(address, address + length)) {
      if (run.address !== address + done) return undefined;
      this.readInto(run.file, run.offset, bytes.subarray(done, done + run.length));
      done += run.length;
    }
    return done === length ? bytes : undefined;
  }

  /** What the dump has between two addresses, cut off there. */
  *pagesWithin(start: number, end: number): Generator<FilePages> {
    for (let index = this.#firstEndingAfter(start); index < this.#runs.length; index++) {
      const run = this.#runs[index];
      if (run === undefined || run.address >= end) return;
      const address = Math.max(run.address, start);
      const length = Math.min(run.address + run.length, end) - address;
      yield { ...run, address, length, offset: run.offset + address - run.address };
    }
  }

  /** All of them. */
  pages(): readonly FilePages[] {
    return this.#runs;
  }

  readInto(file: string, offset: number, bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      const got = readSync(this.open(file), bytes, done, bytes.length - done, offset + done);
      if (got === 0) throw truncated(file);
      done += got;
    }
  }

  /** A descriptor that stays open as long as this. */
  open(file: string): number {
    const fd = this.#fds.get(file) ?? openSync(file, 'r');
    this.#fds.set(file, fd);
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.values()) closeSync(fd);
  }

  #firstEndingAfter(address: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      if (run !== undefined && run.address + run.length <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function truncated(file: string): CracBuildError {
  return new CracBuildError('CHECKPOINT_FAILED', `${file} is shorter than the dump says`, {
    hint: 'Take the checkpoint again; there must be space for all of it',
  });
}
