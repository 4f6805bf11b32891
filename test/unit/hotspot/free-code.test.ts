/** Free blocks of the code cache are told where map and blocks agree, and none of them elsewhere. */
import { findFreeCode } from '../../../src/hotspot/free-code.ts';
import { CODE, CODE_MAP, LIBJVM, makeJvm, RESERVED, SEGMENT_BYTES, type Shape } from './tiny-jvm.ts';

const COUNT = (CODE.end - CODE.start) / SEGMENT_BYTES;
/** Of 64 segments. */
const BLOCKS = [
  [3, true],
  [5, false],
  [1, true],
  [20, false],
  [2, true],
] as const;
const shape = (version: 17 | 25, code: Shape['code'] = BLOCKS): Shape => ({
  ...{ collector: 'Serial', version, code },
  spaces: Array(4).fill([RESERVED.start, RESERVED.start, RESERVED.start]),
});
const at = (segment: number) => CODE.start + segment * SEGMENT_BYTES;
const free = (header: number) => [
  { start: at(3) + header, end: at(8) },
  { start: at(9) + header, end: at(29) },
  { start: at(31), end: CODE.end },
];
const find = ({ memory }: ReturnType<typeof makeJvm>) => findFreeCode(memory, LIBJVM);

test('blocks that are not in use are free behind header and link, and all that is behind the last block', () => {
  expect(find(makeJvm(shape(17)))).toEqual({ ranges: free(24) });
  expect(find(makeJvm(shape(25)))).toEqual({ ranges: free(16) });
});

test('a heap may be full, and one that is empty is free', () => {
  expect(find(makeJvm(shape(25, [[COUNT, true]])))).toEqual({ ranges: [] });
  expect(find(makeJvm(shape(25, [])))).toEqual({ ranges: [CODE] });
});

test.each<[string, string, number, RegExp]>([
  ['a block without length', 'block 1', 0, /is no block of code/],
  ['a block that ends within another', 'block 1', 6, /is no block of code/],
  ['a block that ends before the next', 'block 1', 4, /is no block of code/],
  ['a block beyond its heap', 'block 4', COUNT, /is no block of code/],
  ['neither used nor not', 'block 1', 5 + 2 ** 33, /neither true nor false/],
  ['a map that is too short', 'map end', CODE_MAP + 16, /is no code heap/],
  ['a heap beyond the code cache', 'code end', CODE.end + SEGMENT_BYTES, /is no code heap/],
  ['an end that is within a segment', 'code end', CODE.end - 8, /is no code heap/],
  ['segments of one byte', 'segment size', 0, /is no code heap/],
  ['segments larger than can be', 'segment size', 62, /is no code heap/],
  ['no heaps', 'heap count', 0, /0 code heaps/],
  ['too many heaps', 'heap count', 17, /17 code heaps/],
  ['a heap twice', 'heap count', 2, /not different|is not in the dump|no code heap/],
])('%s: nothing is free', (_, place, value, reason) => {
  const jvm = makeJvm(shape(25));
  jvm.poke(place, value);
  expect(find(jvm)).toEqual({ ranges: [], unknown: expect.stringMatching(reason) });
});

test.each([
  ['a block that does not begin in the map', 9, 7, /is no block of code/],
  ['a block that begins in the middle of another', 5, 0, /is no block of code/],
  ['a last block in the middle of another', 20, 255, /is no block of code/],
  ['a block behind the last one', 40, 0, /behind the last one/],
])('%s: nothing is free', (_, segment, value, reason) => {
  const jvm = makeJvm(shape(25));
  jvm.bytes[CODE_MAP - LIBJVM + segment] = value;
  expect(find(jvm)).toEqual({ ranges: [], unknown: expect.stringMatching(reason) });
});

test('nobody describes the code cache: nothing is free', () => {
  expect(find(makeJvm({ ...shape(25), missing: 'CodeHeap::_segmap' }))).toEqual({
    ranges: [],
    unknown: 'there is no field CodeHeap::_segmap',
  });
});

test('a map that is damaged in any byte tells either the truth or nothing', () => {
  const { memory, bytes } = makeJvm(shape(17));
  const told = JSON.stringify({ ranges: free(24) });
  for (let segment = 0; segment < COUNT; segment++)
    for (const damage of [0, 1, 254, 255]) {
      const place = CODE_MAP - LIBJVM + segment;
      const before = bytes[place] ?? 0;
      bytes[place] = damage;
      const found = findFreeCode(memory, LIBJVM);
      if (JSON.stringify(found) !== told) expect(found).toEqual({ ranges: [], unknown: expect.any(String) });
      bytes[place] = before;
    }
});
