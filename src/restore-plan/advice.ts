/** madvise: the bits of `Vma.advice`, and two that only the restorer gives. */
import type { Vma } from '../criu/schema.ts';

export const ADVICE = {
  random: 1,
  sequential: 2,
  dontFork: 10,
  mergeable: 12,
  hugePage: 14,
  noHugePage: 15,
  dontDump: 16,
  wipeOnFork: 18,
  populateWrite: 23,
  guard: 102,
} as const;

/** What stays with an area. */
export const LASTING_ADVICE = [
  ADVICE.random,
  ADVICE.sequential,
  ADVICE.dontFork,
  ADVICE.mergeable,
  ADVICE.hugePage,
  ADVICE.noHugePage,
  ADVICE.dontDump,
  ADVICE.wipeOnFork,
];

export function hasAdvice(vma: Vma, advice: number): boolean {
  return ((vma.advice >> BigInt(advice)) & 1n) !== 0n;
}
