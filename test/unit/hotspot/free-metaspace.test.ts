/** Free parts of metaspace are told where all its lists agree on every chunk, and none of them elsewhere. */
import type { AddressSpace, Range } from '../../../src/hotspot/address-space.ts';
import { findFreeMetaspace } from '../../../src/hotspot/free-metaspace.ts';

const DATA: Range = { start: 0x7f0000000000, end: 0x7f0000001000 };
const C_HEAP = 0x7e0000000000;
const ROOT_BYTES = 1 << 24;
const KIB = 1024;

/** Chunks of levels 2, 3 and 3, and 1, from the lowest address on: in use, free, free, in use. */
const LEVELS = [2, 3, 3, 1] as const;
const USED_WORDS = [100, 0, 0, ROOT_BYTES / 16] as const;
const FREE = [1, 2];

interface Places {
  readonly context: number;
  readonly spaces: number;
  readonly node: number;
  readonly manager: number;
  readonly name: number;
  readonly start: number;
  readonly headers: readonly number[];
}

function placesOf(index: number): Places {
  const base = C_HEAP + index * 4 * KIB;
  return {
    ...{ context: base, spaces: base + 0x40, node: base + 0x80, manager: base + 0x100, name: base + 0x300 },
    ...{ start: 0x7d0000000000 + index * 16 * ROOT_BYTES, headers: LEVELS.map((_, at) => base + 0x400 + at * 72) },
  };
}
const OTHERS = placesOf(0);
const CLASSES = placesOf(1);
/** What is free of one context. */
const freeOf = ({ start }: Places) => [
  { start: start + 800, end: start + ROOT_BYTES / 4 },
  { start: start + ROOT_BYTES / 4, end: start + (ROOT_BYTES * 3) / 8 },
  { start: start + (ROOT_BYTES * 3) / 8, end: start + ROOT_BYTES / 2 },
];

function makeMetaspace() {
  const areas = [
    { start: DATA.start, bytes: Buffer.alloc(DATA.end - DATA.start) },
    { start: C_HEAP, bytes: Buffer.alloc(8 * KIB) },
  ];
  const areaOf = (address: number, length: number) =>
    areas.find(({ start, bytes }) => address >= start && address + length <= start + bytes.length);
  const poke = (address: number, ...words: readonly number[]): void => {
    const area = areaOf(address, words.length * 8);
    for (const [index, word] of words.entries())
      area?.bytes.writeBigUInt64LE(BigInt(word), address - area.start + index * 8);
  };
  const memory: AddressSpace = {
    read: (address, length) => {
      const area = areaOf(address, length);
      return area?.bytes.subarray(address - area.start, address - area.start + length);
    },
  };
  for (const [index, places] of [OTHERS, CLASSES].entries()) {
    const { context, spaces, node, manager, name, start, headers } = places;
    const at = (chunk: number): number => headers[chunk] ?? 0;
    areas[1]?.bytes.write(index === 0 ? 'non-class-space' : 'class-space', name - C_HEAP);
    poke(DATA.start + 0x108 + index * 8, context);
    poke(context, name, spaces, manager);
    poke(spaces, DATA.start, name, node, 1);
    poke(node, 0, start, 4 * ROOT_BYTES);
    poke(manager, spaces, name);
    poke(manager + 16 + 3 * 24, at(2), at(1), 2);
    let next = start;
    for (const [chunk, level] of LEVELS.entries()) {
      const state = FREE.includes(chunk) ? 0 : 1;
      const used = USED_WORDS[chunk] ?? 0;
      poke(at(chunk), next, used, used, level | (state << 8), node, 0, 0, at(chunk - 1), at(chunk + 1));
      next += ROOT_BYTES / 2 ** level;
    }
    poke(at(2) + 48, at(1)); // the list's first
    poke(at(1) + 40, at(2));
  }
  return { memory, poke };
}

test('free chunks, and what lies above the used words of others, are free', () => {
  const ranges = [...freeOf(OTHERS), ...freeOf(CLASSES)];
  expect(findFreeMetaspace(makeMetaspace().memory, [DATA])).toEqual({ ranges });
});

test('without a space for classes the rest is free all the same', () => {
  const { memory, poke } = makeMetaspace();
  poke(DATA.start + 0x110, 0);
  expect(findFreeMetaspace(memory, [DATA])).toEqual({ ranges: freeOf(OTHERS) });
});

test('memory of which no chunk is in a list is left alone', () => {
  const { memory, poke } = makeMetaspace();
  poke(CLASSES.manager + 16 + 3 * 24, 0, 0, 0);
  expect(findFreeMetaspace(memory, [DATA])).toEqual({ ranges: freeOf(OTHERS) });
});

test('where no chunk was ever split nothing tells how large it is', () => {
  const { memory, poke } = makeMetaspace();
  const whole = CLASSES.headers[0] ?? 0;
  poke(whole, CLASSES.start, 0, 0, 0, CLASSES.node, 0, 0, 0, 0);
  poke(CLASSES.manager + 16, whole, whole, 1);
  poke(CLASSES.manager + 16 + 3 * 24, 0, 0, 0);
  expect(findFreeMetaspace(memory, [DATA])).toEqual({ ranges: [], unknown: expect.stringMatching(/how large/) });
});

const at = (chunk: number): number => CLASSES.headers[chunk] ?? 0;
const list = CLASSES.manager + 16 + 3 * 24;
test.each<[string, number, number, RegExp]>([
  ['no context', DATA.start + 0x108, 0, /no metaspace of the form that is known/],
  ['a context under another name', OTHERS.name, 0x65737561, /no metaspace of the form that is known/],
  ['a manager of other spaces', OTHERS.manager, CLASSES.spaces, /no metaspace of the form that is known/],
  ['spaces under another name', OTHERS.spaces + 8, CLASSES.name, /no metaspace of the form that is known/],
  ['a context twice', DATA.start + 0x118, OTHERS.context, /more metaspaces than it should/],
  ['a context nowhere near its node', CLASSES.node + 8, CLASSES.start + 8, /is no part of metaspace/],
  ['nodes without end', CLASSES.node, CLASSES.node, /is no part of metaspace/],
  ['a chunk in use in the list', at(1) + 24, 3 | (1 << 8), /is no free chunk of level 3/],
  ['a chunk of another level in the list', at(1) + 24, 4, /is no free chunk of level 3/],
  ['a chunk of no level', at(1) + 24, 15, /is no chunk of metaspace/],
  ['a chunk of no state', at(0) + 24, 2 | (2 << 8), /is no chunk of metaspace/],
  ['more words in use than there are', at(0) + 8, ROOT_BYTES / 8, /is no chunk of metaspace/],
  ['more words committed than there are', at(0) + 16, ROOT_BYTES / 8, /is no chunk of metaspace/],
  ['a chunk at an odd place', at(1), CLASSES.start + 8, /is no chunk of metaspace/],
  ['a chunk outside of its node', at(1), CLASSES.start + 8 * ROOT_BYTES, /is no chunk of metaspace/],
  ['a chunk of an unknown node', at(1) + 32, OTHERS.node, /is no chunk of metaspace/],
  ['a list that does not lead back', at(1) + 40, at(0), /is no free chunk of level 3/],
  ['a list without end', at(1) + 48, at(2), /is no free chunk of level 3/],
  ['a list with another end', list + 8, at(2), /the list of free chunks of level 3 is another/],
  ['a list with another length', list + 16, 3, /the list of free chunks of level 3 is another/],
  ['a header nowhere', list, 0x1000, /is not in the dump/],
  ['a free chunk in no list', at(0) + 24, 2, /is free, but the list of free chunks tells otherwise/],
  ['a gap below a chunk', at(1) + 56, 0, /does not follow the chunk below it/],
  ['another chunk below', at(1) + 56, at(3), /has another chunk below it/],
  ['a gap above a chunk', at(2) + 64, 0, /there is a gap behind the chunk/],
  ['a chunk above that is not the next', at(0) + 64, at(2), /does not follow the chunk below it/],
])('%s: nothing is free', (_, address, value, reason) => {
  const { memory, poke } = makeMetaspace();
  poke(address, value);
  expect(findFreeMetaspace(memory, [DATA])).toEqual({ ranges: [], unknown: expect.stringMatching(reason) });
});

test('a free chunk with words in use, and two metaspaces at one place: nothing is free', () => {
  const used = makeMetaspace();
  used.poke(at(1) + 8, 1, 1);
  expect(findFreeMetaspace(used.memory, [DATA]).unknown).toMatch(/is no free chunk of level 3/);
  const twice = makeMetaspace();
  twice.poke(CLASSES.node + 8, OTHERS.start);
  for (const [index, header] of OTHERS.headers.entries())
    twice.poke(at(index), Number(twice.memory.read(header, 8)?.readBigUInt64LE()));
  expect(findFreeMetaspace(twice.memory, [DATA])).toEqual({ ranges: [], unknown: expect.stringMatching(/overlap/) });
});
