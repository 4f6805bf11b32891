import { VMA } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { chooseStrategy, type MemoryPolicy } from '../../../src/restore-plan/memory-strategy.ts';
import { encodeMessage, type Fields } from './criu-encoder.ts';
import { anonymous } from './sample-dump.ts';

const HEAP = { start: 0x80000000, end: 0x90000000 };
const ELSEWHERE = 0x10000000;
const choose = (fields: Fields, policy: Partial<MemoryPolicy> = {}) =>
  chooseStrategy(decodeMessage(VMA, encodeMessage(fields)), {
    mode: 'map',
    allocators: [],
    heap: HEAP,
    ...policy,
  });
const LIBRARY = { 1: ELSEWHERE, 2: ELSEWHERE + 0x1000, 4: 1, 5: 3, 6: 2, 7: 0x41 };
const READ: Partial<MemoryPolicy> = { mode: 'read' };
const WITH_JEMALLOC: Partial<MemoryPolicy> = { allocators: ['/usr/lib/libjemalloc.so.2'] };

test.each<[string, Fields, Partial<MemoryPolicy>, string]>([
  ['private memory', anonymous(ELSEWHERE, 1000), {}, 'map'],
  ['a stack that grows', anonymous(ELSEWHERE, 4, { 6: 0x122 }), {}, 'read'],
  ['memory that is wiped in children', anonymous(ELSEWHERE, 4, { 9: 1n << 18n }), {}, 'read'],
  ['what was written of a mapped file', LIBRARY, {}, 'map'],

  ['private memory, read', anonymous(ELSEWHERE, 512), READ, 'read'],
  ['a large area, read', anonymous(ELSEWHERE, 513), READ, 'read-huge'],
  ['a large area that wants no huge pages, read', anonymous(ELSEWHERE, 513, { 9: 1n << 15n }), READ, 'read'],
  ['what was written of a mapped file, read', LIBRARY, READ, 'map'],

  ['memory that may be an allocator’s', anonymous(ELSEWHERE, 1000), WITH_JEMALLOC, 'read'],
  ['the heap, whatever allocator there is', anonymous(HEAP.start, 1000), WITH_JEMALLOC, 'map'],
  ['the end of the heap', anonymous(HEAP.end - 0x1000, 1), WITH_JEMALLOC, 'map'],
  ['an area that goes beyond the heap', anonymous(HEAP.end - 0x1000, 2), WITH_JEMALLOC, 'read'],
  ['a heap of which nobody knows', anonymous(HEAP.start, 9), { ...WITH_JEMALLOC, heap: undefined }, 'read'],
  ['compiled code beside an allocator', anonymous(ELSEWHERE, 9, { 5: 7 }), WITH_JEMALLOC, 'map'],
  ['a file beside an allocator', LIBRARY, WITH_JEMALLOC, 'map'],
])('%s', (_, fields, policy, expected) => {
  expect(choose(fields, policy)).toBe(expected);
});
