/** What lies below a stack pointer is left out only where the area is a stack, and one thread's alone. */
import { VMA } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { findDeadStacks, type Stack } from '../../../src/restore-plan/dead-stacks.ts';
import { encodeMessage, type Fields } from './criu-encoder.ts';
import { anonymous } from './sample-dump.ts';

const PAGE = 4096;
const START = 0x10000000;
const GROWS_DOWN = { 6: 0x122 };
const GUARD = anonymous(START - PAGE, 1, { 5: 0 });
const END = START + 8 * PAGE;
const inside = (more: Partial<Stack> = {}): Stack => ({
  ...{ sp: START + 5 * PAGE + 512, tls: END - 64, isAlternate: false },
  ...more,
});

/** The page, counted from START, below which nothing is kept; undefined: all is. */
function deadBelow(stacks: readonly Stack[], more: Fields, before: readonly Fields[]) {
  const areas = [...before, anonymous(START, 8, more)].map((fields) => decodeMessage(VMA, encodeMessage(fields)));
  const dead = findDeadStacks(areas, stacks);
  const [page] = [...dead].map(([{ start }, address]) => (start === START ? (address - START) / PAGE : Number.NaN));
  return page;
}

test.each<[string, readonly Stack[], Fields, readonly Fields[], number | undefined]>([
  ['a stack of pthread_create: a guard below, thread-local memory at its end', [inside()], {}, [GUARD], 5],
  ["the process's own, which grows", [inside({ tls: 0 })], GROWS_DOWN, [], 5],
  [
    'what is less than the red zone above a page needs that page',
    [inside({ sp: START + 5 * PAGE + 127 })],
    {},
    [GUARD],
    4,
  ],
  ['what is just above the red zone does not', [inside({ sp: START + 5 * PAGE + 128 })], {}, [GUARD], 5],
  ['two threads in one area', [inside(), inside({ sp: START + 7 * PAGE })], GROWS_DOWN, [GUARD], undefined],
  ['an alternate stack', [inside({ isAlternate: true })], GROWS_DOWN, [GUARD], undefined],
  ['no guard', [inside()], {}, [], undefined],
  ['what lies below can be read', [inside()], {}, [anonymous(START - PAGE, 1)], undefined],
  ['a guard that lies apart', [inside()], {}, [anonymous(START - 2 * PAGE, 1, { 5: 0 })], undefined],
  ['thread-local memory below the stack pointer', [inside({ tls: START + 64 })], {}, [GUARD], undefined],
  ['thread-local memory elsewhere', [inside({ tls: END })], {}, [GUARD], undefined],
  ['no stack pointer inside', [inside({ sp: END })], GROWS_DOWN, [GUARD], undefined],
])('%s', (_, stacks, more, before, page) => {
  expect(deadBelow(stacks, more, before)).toBe(page);
});
