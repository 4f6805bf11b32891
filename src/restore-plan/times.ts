/** Deadlines on CLOCK_MONOTONIC that threads sleep towards: the restorer moves them by the clock delta. */
import type { DumpedThread } from '../criu/read-dump.ts';
import type { Registers } from '../criu/schema.ts';
import { isInSystemCall } from './sigframe.ts';

const SYS_FUTEX = 202n;
const FUTEX_WAIT_BITSET = 9n;
const FUTEX_CLOCK_REALTIME = 256n;
const FUTEX_COMMAND_MASK = 0x7fn;
const SYS_CLOCK_NANOSLEEP = 230n;
const CLOCK_MONOTONIC = 1n;
const TIMER_ABSTIME = 1n;

/** A thread left with -EINTR or in front of its system call asks again with the same pointer. */
export function findDeadlines(threads: readonly DumpedThread[]): bigint[] {
  const addresses = threads.flatMap(({ core }) => {
    const registers = core.thread?.registers;
    const address = registers === undefined ? undefined : findDeadline(registers);
    return address === undefined || address === 0n ? [] : [address];
  });
  return [...new Set(addresses)];
}

function findDeadline(registers: Registers): bigint | undefined {
  if (!isInSystemCall(registers)) return undefined;
  const { origAx, di, si, dx, r10 } = registers;
  if (origAx === SYS_FUTEX)
    return (si & FUTEX_COMMAND_MASK) === FUTEX_WAIT_BITSET && (si & FUTEX_CLOCK_REALTIME) === 0n ? r10 : undefined;
  return origAx === SYS_CLOCK_NANOSLEEP && di === CLOCK_MONOTONIC && (si & TIMER_ABSTIME) !== 0n ? dx : undefined;
}
