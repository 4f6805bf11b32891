/**
 * Which parts of a program ran, as V8 tells: https://chromedevtools.github.io/devtools-protocol/v8/Profiler. Without
 * counts it tells, at each call, of the functions that ran since the last one, and of the blocks in them that did not.
 */
import { Session } from 'node:inspector';

export interface CoverageMeter extends Disposable {
  /** Whether, since the last call, a function ran some of its blocks in a combination that was never seen before. */
  takeIsNew(): boolean;
  readonly seenCount: number;
}

/** `script`: the address of the program, whose code alone counts. */
export function openCoverageMeter(script: string): CoverageMeter {
  const seen = new Set<string>();
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  return {
    takeIsNew() {
      const before = seen.size;
      session.post('Profiler.takePreciseCoverage', (error, coverage) => {
        if (error !== null) throw error;
        for (const { functions } of coverage.result.filter(({ url }) => url === script))
          for (const { ranges } of functions)
            seen.add(ranges.map(({ startOffset, count }) => `${startOffset}${count === 0 ? '-' : '+'}`).join());
      });
      return seen.size > before;
    },
    get seenCount() {
      return seen.size;
    },
    [Symbol.dispose]: () => session.disconnect(),
  };
}
