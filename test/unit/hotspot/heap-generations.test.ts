/** Of which generation a part of the heap is, as far as its collector has such and tells. */
import { findFreeHeap } from '../../../src/hotspot/free-heap.ts';
import { LIBJVM, makeJvm, RESERVED, type Shape } from './tiny-jvm.ts';

const AT = RESERVED.start;
const MIB = 1 << 20;
const EDEN = [AT, AT + 0x1000, AT + 0x10000] as const;
const TO = [AT + 0x14000, AT + 0x14000, AT + 0x18000] as const;
const OLD = [AT + 0x20000, AT + 0x30000, AT + 0x40000] as const;
const REGIONS = [0, 1, 2, 3].map((index) => [AT + index * MIB, AT + index * MIB + 8, AT + (index + 1) * MIB] as const);
const YOUNG_AND_OLD = ['00000-18000 young', '20000-40000 old'];

function find(shape: Shape) {
  const { memory } = makeJvm(shape);
  const { generations = [], ...free } = findFreeHeap(memory, LIBJVM, RESERVED);
  const hex = (address: number) => (address - AT).toString(16).padStart(5, '0');
  return { ...free, told: generations.map(({ start, end, generation }) => `${hex(start)}-${hex(end)} ${generation}`) };
}

test.each(['Serial', 'Parallel'] as const)('%s: eden and survivors are young, the rest is old', (collector) => {
  const spaces = [EDEN, [AT + 0x10000, AT + 0x14000, AT + 0x14000], TO, OLD] as const;
  for (const version of [17, 25] as const)
    expect(find({ collector, version, spaces })).toMatchObject({ told: YOUNG_AND_OLD });
});

test('a gap between the spaces of Parallel is of none', () => {
  const spaces = [EDEN, [AT + 0x12000, AT + 0x14000, AT + 0x14000], TO, OLD] as const;
  expect(find({ collector: 'Parallel', version: 25, spaces }).told).toEqual([
    '00000-10000 young',
    '12000-18000 young',
    '20000-40000 old',
  ]);
});

test.each<[17 | 25, readonly number[], readonly string[]]>([
  [17, [2, 3, 16, 16], ['00000-200000 young', '200000-400000 old']],
  [17, [12, 13, 40, 41], ['00000-200000 humongous', '200000-400000 archive']],
  [25, [2, 3, 8, 8], ['00000-200000 young', '200000-400000 old']],
  [25, [8, 4, 5, 3], ['00000-100000 old', '100000-300000 humongous', '300000-400000 young']],
  [25, [8, 0, 8, 64], ['00000-100000 old', '200000-300000 old']],
])('G1 of JDK %d with regions of types %j', (version, types, told) => {
  expect(find({ collector: 'G1', version, spaces: REGIONS, types }).told).toEqual(told);
});

test('a region that was never committed parts two of one generation', () => {
  const spaces = [REGIONS[0], undefined, REGIONS[2], REGIONS[3]];
  expect(find({ collector: 'G1', version: 25, spaces, types: [8, 8, 8, 8] }).told).toEqual([
    '00000-100000 old',
    '200000-400000 old',
  ]);
});

test('regions of no type that is described are free behind their objects all the same', () => {
  const shape: Shape = { collector: 'G1', version: 25, spaces: REGIONS, types: [8, 8, 8, 8] };
  const { told, ...free } = find({ ...shape, missing: 'G1HeapRegionType::_tag' });
  expect(told).toEqual([]);
  expect(free).toEqual({ ranges: find(shape).ranges });
});

test.each<[string, Shape]>([
  ['Shenandoah', { collector: 'Shenandoah', version: 25, spaces: REGIONS }],
  ['a heap of which nothing is told', { collector: 'Epsilon', version: 25, spaces: REGIONS }],
])('%s has none', (_, shape) => {
  expect(find(shape).told).toEqual([]);
});
