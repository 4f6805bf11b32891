/**
 * What the compile step does to every page of the dump: in JavaScript here, by native/addon where that was built. Both
 * give the same results (test/unit/restore-plan/page-scanner.test.ts).
 */
import { readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PAGE_BYTES } from './format.ts';

export interface PageScanner {
  /** 1 in `verdicts` for each page of `bytes` that is all zero, else 0. */
  findZeroPages(bytes: Buffer, verdicts: Uint8Array): void;
  /** 1 in `verdicts` for each page of `bytes` that is the same in `others`, else 0. */
  findEqualPages(bytes: Buffer, others: Buffer, verdicts: Uint8Array): void;
  /** Byte offsets of the words at multiples of 8 that are one of `wanted`, which is sorted. */
  findWords(bytes: Buffer, wanted: BigUint64Array): readonly number[];
  /** Copies bytes of one file into another; gives how many it could. */
  copyRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): number;
}

const ZERO_PAGE = Buffer.alloc(PAGE_BYTES);
const COPY_BYTES = 1 << 20;

export const javascriptScanner: PageScanner = {
  findZeroPages(bytes, verdicts) {
    for (let at = 0, page = 0; at < bytes.length; at += PAGE_BYTES, page++)
      verdicts[page] = bytes[at] === 0 && bytes.compare(ZERO_PAGE, 0, PAGE_BYTES, at, at + PAGE_BYTES) === 0 ? 1 : 0;
  },

  findEqualPages(bytes, others, verdicts) {
    for (let at = 0, page = 0; at < bytes.length; at += PAGE_BYTES, page++)
      verdicts[page] = bytes.compare(others, at, at + PAGE_BYTES, at, at + PAGE_BYTES) === 0 ? 1 : 0;
  },

  /** By halves, because 64-bit integers are slow here; the high ones of what is looked for are few. */
  findWords(bytes, wanted) {
    const halves = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const lowsByHigh = new Map<number, Set<number>>();
    for (const word of wanted) {
      const high = Number(word >> 32n);
      lowsByHigh.set(high, (lowsByHigh.get(high) ?? new Set()).add(Number(word & 0xffffffffn)));
    }
    const found: number[] = [];
    for (const [high, lows] of lowsByHigh)
      for (let i = 1; i < halves.length; i += 2)
        if (halves[i] === high && lows.has(halves[i - 1] ?? 0)) found.push((i - 1) * 4);
    return lowsByHigh.size > 1 ? found.sort((a, b) => a - b) : found;
  },

  copyRange(from, fromOffset, to, toOffset, length) {
    const buffer = Buffer.allocUnsafe(Math.min(length, COPY_BYTES));
    for (let done = 0; done < length; ) {
      const got = readSync(from, buffer, 0, Math.min(length - done, buffer.length), fromOffset + done);
      if (got === 0) return done;
      for (let written = 0; written < got; )
        written += writeSync(to, buffer, written, got - written, toOffset + done + written);
      done += got;
    }
    return length;
  },
};

export interface LoadedScanner {
  readonly scanner: PageScanner;
  /** Why it is the one in JavaScript. */
  readonly missing?: string;
}

export function loadPageScanner(nativeDir: string): LoadedScanner {
  try {
    const native: PageScanner = createRequire(import.meta.url)(join(nativeDir, 'pages.node'));
    return { scanner: { ...native, copyRange: (...range) => copyWith(native, ...range) } };
  } catch (error) {
    const [missing = ''] = String(error).split('\n'); // the rest says from where it was wanted
    return { scanner: javascriptScanner, missing };
  }
}

/** The kernel does not copy between all kinds of files. */
function copyWith(
  native: PageScanner,
  from: number,
  fromOffset: number,
  to: number,
  toOffset: number,
  length: number,
): number {
  const done = native.copyRange(from, fromOffset, to, toOffset, length);
  if (done === length) return length;
  return done + javascriptScanner.copyRange(from, fromOffset + done, to, toOffset + done, length - done);
}
