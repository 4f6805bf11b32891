import { CORE } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { findDeadlines, findUnknownClock } from '../../../src/restore-plan/times.ts';
import { encodeMessage } from './criu-encoder.ts';

const AT = 0x7000;
/** A thread in system call `number` with these arguments. */
function threadIn(number: number, [di = 0, si = 0, dx = 0, r10 = 0, r8 = 0]: readonly number[]) {
  return {
    tid: 1,
    core: decodeMessage(CORE, encodeMessage({ 2: { 2: { 15: di, 14: si, 13: dx, 8: r10, 10: r8, 16: number } } })),
  };
}

test.each([
  ['a futex on CLOCK_MONOTONIC', 202, [0x10, 9, 0, AT], 1n],
  ['a private futex', 202, [0x10, 0x89, 0, AT], 1n],
  ['one of several futexes', 449, [0x10, 1, 0, AT, 1], 1n],
  ['sleep on CLOCK_MONOTONIC', 230, [1, 1, AT], 1n],
  ['sleep on CLOCK_BOOTTIME', 230, [7, 1, AT], 7n],
])('%s until a time is moved with its clock', (_, number, args, clock) => {
  expect(findDeadlines([threadIn(number, args), threadIn(number, args)])).toEqual([{ address: BigInt(AT), clock }]);
});

test.each([
  ['a futex on CLOCK_REALTIME', 202, [0x10, 0x189, 0, AT]],
  ['one of several futexes on CLOCK_REALTIME', 449, [0x10, 1, 0, AT, 0]],
  ['a futex without a limit', 202, [0x10, 9, 0, 0]],
  ['a futex with a length of time', 202, [0x10, 0, 0, AT]],
  ['sleep for a length of time', 230, [1, 0, AT]],
  ['sleep on CLOCK_REALTIME', 230, [0, 1, AT]],
  ['another system call', 0, [1, 1, AT, AT]],
])('%s is left alone', (_, number, args) => {
  const thread = threadIn(number, args);
  expect(findDeadlines([thread])).toEqual([]);
  const { registers } = thread.core.thread ?? {};
  expect(registers && findUnknownClock(registers)).toBeUndefined();
});

test('a clock of used time begins anew', () => {
  const { registers } = threadIn(230, [2, 1, AT]).core.thread ?? {};
  expect(registers && findUnknownClock(registers)).toBe(2n);
});
