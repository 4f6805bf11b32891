import type { FileEntry, Present } from '../criu/schema.ts';
import { FD, type FdRecord } from './format.ts';
import type { Refuse } from './refusals.ts';

const SECOND_NS = 1_000_000_000n;
const TFD_TIMER_ABSTIME = 1;
const CLOCK_REALTIME = 0;
const CLOCKS_WITHOUT_RIGHTS = [CLOCK_REALTIME, 1 /* monotonic */, 7 /* boottime */];

/** What is left of it begins to run when it is restored; its clock stood still in between. */
export function planTimerfd(
  common: { readonly fd: number; readonly fd_flags: number },
  timer: Present<FileEntry['timerfd']>,
  refuse: Refuse,
): FdRecord | undefined {
  const object = `descriptor ${common.fd} (timerfd)`;
  const left = timer.leftSeconds * SECOND_NS + timer.leftNanoseconds;
  const interval = timer.intervalSeconds * SECOND_NS + timer.intervalNanoseconds;
  const remedy = 'Close it in beforeCheckpoint and make it again in afterRestore';
  if (!CLOCKS_WITHOUT_RIGHTS.includes(timer.clock)) {
    refuse(object, `its clock (${timer.clock}) needs CAP_WAKE_ALARM`, remedy);
    return undefined;
  }
  if (timer.clock === CLOCK_REALTIME && (timer.setFlags & TFD_TIMER_ABSTIME) !== 0 && left > 0n) {
    refuse(object, 'it waits for a time of day, which may be over when it is restored', remedy);
    return undefined;
  }
  // One that has expired and was not read has nothing left until somebody reads it.
  const next = left === 0n && timer.ticks > 0n ? interval : left;
  return { ...common, kind: FD.TIMERFD, flags: timer.flags, a: next, b: interval, c: timer.ticks, d: timer.clock };
}
