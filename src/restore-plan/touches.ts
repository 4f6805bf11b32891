/** Which bytes of the files it maps a process has touched, by path in the container; from `ctl touched`. */
export type Touches = ReadonlyMap<string, readonly Run[]>;

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
