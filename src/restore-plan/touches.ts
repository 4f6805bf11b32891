import type { Range } from '../hotspot/address-space.ts';

/** What a process has touched of its memory; from `ctl touched`. */
export interface Touches {
  /** Of the files that it maps, by path in the container. */
  readonly files: ReadonlyMap<string, readonly Run[]>;
  /** Its own pages, to which it has written: by address. */
  readonly written: readonly Range[];
}

/** Of one restored process. */
export interface RecordedTouches {
  /** When it had answered for the first time. */
  readonly first: Touches;
  /** When it had answered what its first users send; absent where that could not be seen. */
  readonly later?: Touches;
}

/** Bytes, multiples of the page size. */
export interface Run {
  readonly offset: number;
  readonly length: number;
}

/** Sorted, without overlap, gaps of up to `gapBytes` filled: each run costs a request, and a gap costs its reading. */
export function mergeRuns(runs: readonly Run[], gapBytes: number): readonly Run[] {
  const merged: Run[] = [];
  for (const run of runs.toSorted((a, b) => a.offset - b.offset)) {
    const last = merged.at(-1);
    if (last === undefined || run.offset > last.offset + last.length + gapBytes) merged.push(run);
    else
      merged[merged.length - 1] = {
        offset: last.offset,
        length: Math.max(last.length, run.offset + run.length - last.offset),
      };
  }
  return merged;
}
