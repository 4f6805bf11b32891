/** Free chunks are told where the arenas fit together, and none of them elsewhere. */
import { findFreeChunks } from '../../../src/glibc/free-chunks.ts';
import { BRK, FREE, LIBC_DATA, makeMalloc, SECOND } from './tiny-malloc.ts';

function find(malloc: ReturnType<typeof makeMalloc>) {
  return findFreeChunks(malloc.memory, [LIBC_DATA], BRK);
}

test('what free chunks hold behind their pointers is free, and all of the last one behind its sizes', () => {
  expect(find(makeMalloc())).toEqual({ ranges: FREE });
});

test('an arena that a thread has locked is left alone', () => {
  const malloc = makeMalloc();
  malloc.poke('second: lock', 1);
  expect(find(malloc)).toEqual({ ranges: FREE.filter(({ start }) => start < SECOND) });
});

test('chunks of the main arena that are not in the heap of the kernel are kept', () => {
  const malloc = makeMalloc();
  expect(findFreeChunks(malloc.memory, [LIBC_DATA], { start: 0, end: 0 })).toEqual({
    ranges: FREE.filter(({ start }) => start >= SECOND),
  });
});

test('an arena that was never used has nothing free', () => {
  const malloc = makeMalloc();
  malloc.reset();
  expect(find(malloc)).toEqual({ ranges: FREE.filter(({ start }) => start >= SECOND) });
});

test.each<[string, string, number, RegExp]>([
  ['a size that is no multiple of 16', 'main: large size', 0x3009, /is no chunk of malloc/],
  ['a size below the least', 'main: large size', 0x11, /is no chunk of malloc/],
  ['a chunk behind another free one', 'main: large size', 0x3000, /is no free chunk/],
  ['a chunk that was mapped', 'main: large size', 0x3003, /is no free chunk/],
  ['another size at its end', 'main: large size at its end', 0x2ff0, /is no free chunk/],
  ['a neighbour that takes it for used', 'main: behind large', 0x101, /is no free chunk/],
  ['another chunk before it', 'main: large previous', BRK.start, /is no free chunk/],
  ['a chunk that is its own successor', 'second: unsorted next', SECOND + 0x2000, /is no free chunk/],
  ['a bin that ends elsewhere', 'main: large bin last', BRK.start + 0x8000, /is broken|no arenas/],
  ['a last chunk beyond its memory', 'main: top size', 0x100001, /is not the last chunk/],
  ['a last chunk that ends within its memory', 'second: top size', 0x1001, /is not the last chunk/],
  ['a heap of another arena', 'second: heap arena', SECOND + 0x60, /is in no heap/],
  ['a heap too large', 'second: heap size', (64 << 20) + 0x1000, /is in no heap/],
  ['a chunk beyond its heap', 'second: heap size', 0x4000, /is not the last chunk/],
  ['a ring that leads elsewhere', 'second: next arena', SECOND + 0x10000, /no arenas of the form/],
  ['a ring without end', 'second: next arena', SECOND + 0x30, /no arenas of the form/],
  ['a pointer to nowhere', 'second: unsorted next', 0x1000, /is not in the dump/],
  ['an empty bin with a chunk', 'main: large bin first', 0, /no arenas of the form/],
])('%s: nothing is free', (_, place, value, reason) => {
  const malloc = makeMalloc();
  malloc.poke(place, value);
  expect(find(malloc)).toEqual({ ranges: [], unknown: expect.stringMatching(reason) });
});

test('a word damaged anywhere makes fewer or no chunks free, and none that is not', () => {
  const { memory, words } = makeMalloc();
  for (const [index, { address, bytes, at }] of [...words()].entries()) {
    const word = bytes.readBigUInt64LE(at);
    const damage = [0xffn, 0x1000n, 1n << 40n][index % 3] ?? 0n;
    bytes.writeBigUInt64LE(word ^ damage, at);
    const { ranges } = findFreeChunks(memory, [LIBC_DATA], BRK);
    const wrong = ranges.filter(({ start, end }) => !FREE.some((free) => start >= free.start && end <= free.end));
    expect([address, damage, wrong]).toEqual([address, damage, []]);
    bytes.writeBigUInt64LE(word, at);
  }
});
