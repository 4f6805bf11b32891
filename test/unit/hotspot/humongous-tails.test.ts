/** What fills the last region of a large G1 object is free behind its header, where object and filler make up the regions. */
import type { AddressSpace } from '../../../src/hotspot/address-space.ts';
import { findFreeHeap } from '../../../src/hotspot/free-heap.ts';
import { KLASSES, LIBJVM, makeJvm, RESERVED } from './tiny-jvm.ts';

const AT = RESERVED.start;
const MIB = 1 << 20;
const PAGE = 4096;
const OBJECT = AT + MIB;
const LENGTH = 1_300_000;
const FILLER = OBJECT + 16 + LENGTH;
const END = AT + 3 * MIB;
const BYTES = 0x10;
const INTS = 0x20;
const STRINGS = 0x30;
const INSTANCE = 0x40;
const TAIL = { start: FILLER + 16, end: END };
/** Free and young; an object over two regions; an old one. */
const REGIONS = [
  [AT, AT + MIB, AT + MIB],
  [AT + MIB, AT + 2 * MIB, AT + 2 * MIB],
  [AT + 2 * MIB, END, END],
  [END, AT + 4 * MIB, AT + 4 * MIB],
] as const;

function makeHeap(version: 17 | 25, flags: readonly string[] = ['UseCompressedClassPointers']) {
  const types = version === 17 ? [2, 12, 13, 16] : [2, 4, 5, 8];
  const jvm = makeJvm({ collector: 'G1', version, spaces: REGIONS, types, flags });
  const layouts = [
    [BYTES, 0xc0100800],
    [INTS, 0xc0100a02],
    [STRINGS, 0x80100c02],
    [INSTANCE, 0x140010],
  ] as const;
  for (const [klass, layout] of layouts) jvm.bytes.writeUInt32LE(layout, KLASSES - LIBJVM + klass * 8 + 8);
  const pages = new Map<number, Buffer>();
  const write = (object: number, klass: number, length: number): void => {
    const page = object - (object % PAGE);
    const bytes = pages.get(page) ?? Buffer.alloc(PAGE);
    pages.set(page, bytes);
    bytes.writeUInt32LE(klass, object - page + 8);
    bytes.writeInt32LE(length, object - page + 12);
  };
  write(OBJECT, BYTES, LENGTH);
  write(FILLER, INTS, (END - FILLER - 16) / 4);
  const memory: AddressSpace = {
    read: (address, length) => {
      const page = address - (address % PAGE);
      return pages.get(page)?.subarray(address - page, address - page + length) ?? jvm.memory.read(address, length);
    },
  };
  return { write, poke: jvm.poke, find };

  function find() {
    const { ranges, unknown } = findFreeHeap(memory, LIBJVM, RESERVED);
    return { ranges, unknown };
  }
}

test.each([17, 25] as const)(
  'the filler behind an object over two regions is free, by the names of JDK %d',
  (version) => {
    expect(makeHeap(version).find()).toEqual({ ranges: [TAIL] });
  },
);

test('there may be several fillers, which make up the region together', () => {
  const { write, find } = makeHeap(17);
  const second = FILLER + 512 * 1024;
  write(FILLER, INTS, (512 * 1024 - 16) / 4);
  write(second, INTS, (END - second - 16) / 4);
  expect(find()).toEqual({
    ranges: [
      { start: FILLER + 16, end: second },
      { start: second + 16, end: END },
    ],
  });
  write(second, STRINGS, (END - second - 16) / 4);
  expect(find()).toEqual({ ranges: [] });
});

test('an object that is no array may have a tail, too', () => {
  const { write, find } = makeHeap(25);
  write(OBJECT, INSTANCE, 0);
  write(OBJECT + 0x140010, INTS, (END - OBJECT - 0x140010 - 16) / 4);
  expect(find()).toEqual({ ranges: [{ start: OBJECT + 0x140020, end: END }] });
});

test.each<[string, (heap: ReturnType<typeof makeHeap>) => void]>([
  ['a filler that ends elsewhere', ({ write }) => write(FILLER, INTS, 7)],
  ['a filler of references', ({ write }) => write(FILLER, STRINGS, (END - FILLER - 16) / 4)],
  ['no filler', ({ write }) => write(FILLER, 0, 0)],
  ['an object of a class that is not in the dump', ({ write }) => write(OBJECT, 0x7fffffff, LENGTH)],
  ['an array of less than nothing', ({ write }) => write(OBJECT, BYTES, -1)],
  ['an object that ends in a region of another kind', ({ write }) => write(OBJECT, BYTES, 2 * MIB)],
  ['an object larger than the heap', ({ write }) => write(OBJECT, BYTES, 2 ** 31 - 1)],
  ['an object that ends in its first region', ({ write }) => write(OBJECT, BYTES, 100)],
  ['a last region that is not full', ({ poke }) => poke('top 2', END - 8)],
  ['a region that does not go on with it', ({ poke }) => poke('type 2', 8)],
  ['a region that begins another one', ({ poke }) => poke('type 2', 4)],
])('%s: the tail is kept, and nothing else is in doubt', (_, damage) => {
  const heap = makeHeap(25);
  damage(heap);
  expect(heap.find().unknown).toBeUndefined();
  expect(heap.find().ranges.filter(({ start, end }) => end - start > 8)).toEqual([]);
});

test('headers of another form are not read', () => {
  expect(makeHeap(25, []).find()).toEqual({ ranges: [] });
  expect(makeHeap(25, ['UseCompressedClassPointers', 'UseCompactObjectHeaders']).find()).toEqual({ ranges: [] });
});
