/** Points in time that threads wait for: the restorer moves them by how much their clock differs from the dump's. */
import type { DumpedThread } from '../criu/read-dump.ts';
import type { Registers } from '../criu/schema.ts';
import type { PlanRecord } from './format.ts';
import { isInSystemCall } from './sigframe.ts';

const SYS_FUTEX = 202n;
const FUTEX_WAIT_BITSET = 9n;
const FUTEX_CLOCK_REALTIME = 256n;
const FUTEX_COMMAND_MASK = 0x7fn;
const SYS_FUTEX_WAITV = 449n;
const SYS_CLOCK_NANOSLEEP = 230n;
const TIMER_ABSTIME = 1n;
const CLOCK = { realtime: 0n, monotonic: 1n, boottime: 7n, realtimeAlarm: 8n, tai: 11n } as const;
/** They count from the start of the machine. */
const MOVED: readonly bigint[] = [CLOCK.monotonic, CLOCK.boottime];
const THE_SAME_EVERYWHERE: readonly bigint[] = [CLOCK.realtime, CLOCK.realtimeAlarm, CLOCK.tai];

/** A thread left with -EINTR or in front of its system call asks again with the same pointer. */
export function findDeadlines(threads: readonly DumpedThread[]): PlanRecord<'time'>[] {
  const clocks = new Map<bigint, bigint>();
  for (const { core } of threads) {
    const { address, clock } = findDeadline(core.thread?.registers) ?? {};
    if (address !== undefined && address !== 0n && clock !== undefined && MOVED.includes(clock))
      clocks.set(address, clock);
  }
  return [...clocks].map(([address, clock]) => ({ address, clock }));
}

/** Such as the time that the process has used. */
export function findUnknownClock(registers: Registers): bigint | undefined {
  const clock = findDeadline(registers)?.clock;
  return clock === undefined || MOVED.includes(clock) || THE_SAME_EVERYWHERE.includes(clock) ? undefined : clock;
}

interface Deadline {
  readonly address: bigint;
  readonly clock: bigint;
}

function findDeadline(registers: Registers | undefined): Deadline | undefined {
  if (registers === undefined || !isInSystemCall(registers)) return undefined;
  const { origAx, di, si, dx, r10, r8 } = registers;
  if (origAx === SYS_FUTEX && (si & FUTEX_COMMAND_MASK) === FUTEX_WAIT_BITSET)
    return { address: r10, clock: si & FUTEX_CLOCK_REALTIME ? CLOCK.realtime : CLOCK.monotonic };
  if (origAx === SYS_FUTEX_WAITV && r10 !== 0n) return { address: r10, clock: BigInt.asIntN(32, r8) };
  if (origAx === SYS_CLOCK_NANOSLEEP && (si & TIMER_ABSTIME) !== 0n)
    return { address: dx, clock: BigInt.asIntN(32, di) };
  return undefined;
}
