import { CracBuildError } from '../errors.ts';

/** A state in the dump that cannot be restored. */
export interface Refusal {
  /** What it is, by name: "descriptor 7 (timerfd)". */
  readonly object: string;
  readonly reason: string;
  readonly remedy: string;
}
export type Refuse = (object: string, reason: string, remedy: string) => void;

export const REPORT_IT = 'crac-build does not know this state: please report it';

/** One error with all of them, so that one build shows everything that has to be changed. */
export function throwRefusals(refusals: readonly Refusal[]): void {
  const [first] = refusals;
  if (first === undefined) return;
  const unique = [...new Set(refusals.map(({ object, reason, remedy }) => `${object}: ${reason}. ${remedy}`))];
  throw new CracBuildError(
    'STATE_REFUSED',
    `The app's state cannot be restored: ${first.object}: ${first.reason}${unique.length > 1 ? ` (and ${unique.length - 1} more)` : ''}`,
    { hint: first.remedy, details: unique },
  );
}
