/** Free parts of a heap are told where all that is read of the JVM fits together, and none of them elsewhere. */
import { findFreeHeap } from '../../../src/hotspot/free-heap.ts';
import { LIBJVM, makeJvm, RESERVED, type Shape, type TinyJvm } from './tiny-jvm.ts';

const AT = RESERVED.start;
const MIB = 1 << 20;
/** Eden, from, to, old: bottom, top, end. */
const GENERATIONS = [
  [AT, AT + 0x1008, AT + 0x10000],
  [AT + 0x10000, AT + 0x14000, AT + 0x14000],
  [AT + 0x14000, AT + 0x14000, AT + 0x18000],
  [AT + 0x20000, AT + 0x30000, AT + 0x40000],
] as const;
const FREE_OF_GENERATIONS = [
  { start: AT + 0x1008, end: AT + 0x10000 },
  { start: AT + 0x14000, end: AT + 0x18000 },
  { start: AT + 0x30000, end: AT + 0x40000 },
];
const REGIONS = [
  [AT, AT + MIB, AT + MIB],
  [AT + MIB, AT + MIB + 0x800, AT + 2 * MIB],
  undefined,
  [AT + 3 * MIB, AT + 3 * MIB, AT + 4 * MIB],
] as const;
const FREE_OF_REGIONS = [
  { start: AT + MIB + 0x800, end: AT + 2 * MIB },
  { start: AT + 3 * MIB, end: AT + 4 * MIB },
];
const SHAPES = {
  Serial: { collector: 'Serial', version: 17, spaces: GENERATIONS },
  Parallel: { collector: 'Parallel', version: 25, spaces: GENERATIONS },
  G1: { collector: 'G1', version: 25, spaces: REGIONS },
  Shenandoah: { collector: 'Shenandoah', version: 25, spaces: REGIONS },
} as const satisfies Record<string, Shape>;

function find(jvm: TinyJvm) {
  const { ranges, unknown } = findFreeHeap(jvm.memory, LIBJVM, RESERVED);
  return { ranges, unknown };
}

test.each([17, 25] as const)('what lies between top and end is free, by the names of JDK %d', (version) => {
  for (const collector of ['Serial', 'Parallel'] as const)
    expect(find(makeJvm({ collector, version, spaces: GENERATIONS }))).toEqual({ ranges: FREE_OF_GENERATIONS });
  for (const collector of ['G1', 'Shenandoah'] as const)
    expect(find(makeJvm({ collector, version, spaces: REGIONS }))).toEqual({ ranges: FREE_OF_REGIONS });
});

test('so are gaps that Parallel leaves between the spaces of its young generation', () => {
  const [eden, , to, old] = GENERATIONS;
  const from = [AT + 0x12000, AT + 0x14000, AT + 0x14000] as const;
  expect(find(makeJvm({ collector: 'Parallel', version: 17, spaces: [eden, from, to, old] }))).toEqual({
    ranges: [FREE_OF_GENERATIONS[0], { start: AT + 0x10000, end: AT + 0x12000 }, ...FREE_OF_GENERATIONS.slice(1)],
  });
});

test.each<[string, keyof typeof SHAPES, string, number, RegExp]>([
  ['a top below its bottom', 'Serial', 'top 3', AT + 0x1fff8, /no bottom, top and end/],
  ['a top above its end', 'Parallel', 'top 0', AT + 0x10008, /no bottom, top and end/],
  ['a top that is no multiple of 8', 'G1', 'top 1', AT + MIB + 0x801, /no bottom, top and end/],
  ['an end above the heap', 'Serial', 'end 3', RESERVED.end + 8, /no bottom, top and end/],
  ['a bottom below the heap', 'Parallel', 'bottom 0', AT - 8, /no bottom, top and end/],
  ['spaces that overlap', 'Serial', 'end 2', AT + 0x20008, /no bottom, top and end/],
  ['a region at the place of another', 'G1', 'bottom 1', AT, /region 1 is not at its place/],
  ['a region of another size', 'G1', 'end 3', AT + 3 * MIB + 0x1000, /region 3 is not at its place/],
  ['regions that make no heap', 'G1', 'region count', 3, /3 regions of 1048576 bytes/],
  ['regions without length', 'G1', 'region bytes', 0, /regions of 0 bytes/],
  ['a region at the place of another', 'Shenandoah', 'bottom 1', AT, /region 1 is not at its place/],
  ['a top above its end', 'Shenandoah', 'top 1', AT + 2 * MIB + 8, /no bottom, top and end/],
  ['regions that make no heap', 'Shenandoah', 'region count', 3, /3 regions of 1048576 bytes/],
  ['regions without length', 'Shenandoah', 'Shenandoah region bytes', 0, /regions of 0 bytes/],
  ['a heap elsewhere', 'Serial', 'reserved start', AT + MIB, /its heap is at 0x80100000/],
  ['a collection under way', 'G1', 'active', 1, /a collection is under way/],
  ['neither active nor not', 'Serial', 'active', 2, /neither true nor false/],
  ['a pointer to nowhere', 'Serial', 'young generation', 0x1000, /is not in the dump/],
  ['a pointer that is none', 'Serial', 'heap', Number.MAX_SAFE_INTEGER - 1, /is not in the dump/],
  ['more flags than there are', 'Serial', 'flag count', 10_001, /are too many/],
  ['flags without end', 'Serial', 'flag count', 9_999, /is not in the dump|holds no/],
  ['a table of another place', 'Serial', 'gHotSpotVMStructs', LIBJVM - 8, /is not in the dump/],
  ['a table of entries without length', 'Serial', 'gHotSpotVMStructEntryArrayStride', 0, /has no end/],
])('%s: nothing is free', (_, shape, place, value, reason) => {
  const jvm = makeJvm(SHAPES[shape]);
  expect(find(jvm).unknown).toBeUndefined();
  jvm.poke(place, value);
  expect(find(jvm)).toEqual({ ranges: [], unknown: expect.stringMatching(reason) });
});

test.each<[string, Shape, RegExp]>([
  ['another collector', { ...SHAPES.Serial, collector: 'Epsilon' }, /none of Serial, Parallel, G1 and Shenandoah/],
  ['an eden of several spaces', { ...SHAPES.Parallel, flags: ['UseNUMA'] }, /UseNUMA/],
  ['a table that is not exported', { ...SHAPES.Serial, missing: 'gHotSpotVMStructs' }, /not export gHotSpotVMStructs/],
  [
    'a field that nobody describes',
    { ...SHAPES.G1, missing: 'G1HeapRegionTable::_length' },
    /G1HeapRegionTable::_length/,
  ],
])('%s: nothing is free', (_, shape, reason) => {
  expect(find(makeJvm(shape))).toEqual({ ranges: [], unknown: expect.stringMatching(reason) });
});

test('a library that is damaged in any word tells either the truth or nothing', () => {
  const { memory, bytes } = makeJvm(SHAPES.Serial);
  const generations = [
    { start: AT, end: AT + 0x18000, generation: 'young' },
    { start: AT + 0x20000, end: AT + 0x40000, generation: 'old' },
  ];
  const told = JSON.stringify({ ranges: FREE_OF_GENERATIONS, generations });
  expect(JSON.stringify(findFreeHeap(memory, LIBJVM, RESERVED))).toBe(told);
  for (let at = 0; at < 0x400; at += 8) {
    const word = bytes.readBigUInt64LE(at);
    bytes.writeBigUInt64LE(word ^ 0xffn, at);
    const found = findFreeHeap(memory, LIBJVM, RESERVED);
    if (JSON.stringify(found) !== told) expect(found).toEqual({ ranges: [], unknown: expect.any(String) });
    bytes.writeBigUInt64LE(word, at);
  }
});
