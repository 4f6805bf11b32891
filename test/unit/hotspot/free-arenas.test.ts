/** Chunks in HotSpot's pools are told where the pools have the form that is known, and none of them elsewhere. */
import type { AddressSpace, Range } from '../../../src/hotspot/address-space.ts';
import { findFreeArenas } from '../../../src/hotspot/free-arenas.ts';

const DATA: Range = { start: 0x7f0000000000, end: 0x7f0000001000 };
const C_HEAP = 0x7e0000000000;
const POOLS = DATA.start + 0x108;
const COUNTING = C_HEAP + 0x40;
const LARGE = [C_HEAP + 0x1010, C_HEAP + 0x20010, C_HEAP + 0xa010];
const MEDIUM = C_HEAP + 0x30010;
const FREE = [
  ...[LARGE[0], LARGE[2], LARGE[1]].map((at = 0) => ({ start: at + 16, end: at + 16 + 32_728 })),
  { start: MEDIUM + 16, end: MEDIUM + 16 + 10_200 },
];

/** With three large chunks in their pool, and one of medium size. */
function makeArenas(version: 17 | 25) {
  const areas = [
    { start: DATA.start, bytes: Buffer.alloc(DATA.end - DATA.start) },
    { start: C_HEAP, bytes: Buffer.alloc(0x40000, 0x5a) },
  ];
  const poke = (address: number, ...words: readonly number[]): void => {
    for (const [index, word] of words.entries())
      for (const { start, bytes } of areas)
        if (address >= start && address < start + bytes.length)
          bytes.writeBigUInt64LE(BigInt(word), address - start + index * 8);
  };
  for (const [index, chunk] of LARGE.entries()) poke(chunk, LARGE[index + 1] ?? 0, 32_728);
  poke(MEDIUM, 0, 10_200);
  if (version === 17) {
    poke(POOLS, COUNTING, COUNTING + 0x40);
    poke(COUNTING, LARGE[0] ?? 0, 3, 5, 32_744);
    poke(COUNTING + 0x40, MEDIUM, 1, 0, 10_216);
  } else poke(POOLS, LARGE[0] ?? 0, 32_728, MEDIUM, 10_200, 0, 984, 0, 216);
  const memory: AddressSpace = {
    read: (address, length) => {
      const area = areas.find(({ start, bytes }) => address >= start && address + length <= start + bytes.length);
      return area?.bytes.subarray(address - area.start, address - area.start + length);
    },
  };
  return { memory, poke };
}

test.each([17, 25] as const)('what chunks of JDK %d hold behind their header is free', (version) => {
  expect(findFreeArenas(makeArenas(version).memory, [DATA])).toEqual({ ranges: FREE });
});

test.each<[string, 17 | 25, number, number, RegExp]>([
  ['no pools', 25, POOLS + 24, 10_216, /no pools/],
  ['a chunk of another size', 25, (LARGE[1] ?? 0) + 8, 32_736, /is no chunk of 32728 bytes/],
  ['chunks without end', 25, LARGE[2] ?? 0, LARGE[0] ?? 0, /is no chunk of 32728 bytes/],
  ['a chunk at an odd place', 25, POOLS, (LARGE[0] ?? 0) + 1, /is no chunk of 32728 bytes/],
  ['a chunk nowhere', 25, POOLS, 0x1000, /is not in the dump/],
  ['more chunks than are counted', 17, COUNTING + 8, 2, /a pool has 3 chunks, not 2/],
  ['a pool twice', 17, POOLS + 16, COUNTING, /more pools of chunks than it should/],
])('%s: nothing is free', (_, version, address, value, reason) => {
  const { memory, poke } = makeArenas(version);
  poke(address, value);
  expect(findFreeArenas(memory, [DATA])).toEqual({ ranges: [], unknown: expect.stringMatching(reason) });
});

test('chunks that overlap: nothing is free', () => {
  const { memory, poke } = makeArenas(25);
  const within = (LARGE[0] ?? 0) + 0x1000;
  poke(within, 0, 10_200);
  poke(POOLS + 16, within);
  expect(findFreeArenas(memory, [DATA])).toEqual({ ranges: [], unknown: expect.stringMatching(/overlap/) });
});
