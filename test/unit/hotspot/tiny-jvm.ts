/** A libjvm.so that exports its tables, and the heap that they describe, in memory of 64 KiB. */
import type { AddressSpace, Range } from '../../../src/hotspot/address-space.ts';

export const LIBJVM = 0x7f0000000000;
export const RESERVED: Range = { start: 0x80000000, end: 0x80400000 };
const SIZE = 64 << 10;
/** A heap of the code cache, and its map of segments. */
export const CODE: Range = { start: LIBJVM + 0xc000, end: LIBJVM + 0xe000 };
export const SEGMENT_BYTES = 128;
export const CODE_MAP = LIBJVM + 0xe000;
/** Classes lie here, at compressed pointers from 0 on. */
export const KLASSES = LIBJVM + 0xf000;

/** A number: the field's offset; otherwise it is static, and there. */
type FieldPlace = number | { readonly at: number };

const FLAGS = [
  ...['UseSerialGC', 'UseParallelGC', 'UseG1GC', 'UseShenandoahGC', 'UseNUMA'],
  ...['UseCompressedClassPointers', 'UseCompactObjectHeaders'],
];

export interface TinyJvm {
  readonly memory: AddressSpace;
  readonly bytes: Buffer;
  /** Exported symbols and values that a test may overwrite. */
  readonly places: Map<string, number>;
  readonly poke: (place: string, value: number) => void;
}

export interface Shape {
  readonly collector: 'Serial' | 'Parallel' | 'G1' | 'Shenandoah' | 'Epsilon';
  /** Names of JDK 17 or of JDK 25. */
  readonly version: 17 | 25;
  /** In address order; of G1: one a region of 1 MiB, undefined: never committed. */
  readonly spaces: readonly (readonly [bottom: number, top: number, end: number] | undefined)[];
  readonly flags?: readonly string[];
  /** Of regions of G1; free where it is left out. */
  readonly types?: readonly number[];
  /** The first blocks of the code cache. */
  readonly code?: readonly (readonly [segments: number, isUsed: boolean])[];
  /** Not described. */
  readonly missing?: string;
}

export function makeJvm({ collector, version, spaces, flags = [], types = [], code = [], missing }: Shape): TinyJvm {
  const bytes = Buffer.alloc(SIZE);
  const places = new Map<string, number>();
  let next = 0x4000;
  const put = (address: number, value: number): void => {
    bytes.writeBigUInt64LE(BigInt(value), address - LIBJVM);
  };
  const allocate = (words: readonly number[]): number => {
    const address = LIBJVM + next;
    for (const [index, word] of words.entries()) put(address + index * 8, word);
    next += words.length * 8;
    return address;
  };
  const text = (value: string): number => {
    const address = LIBJVM + next;
    next += Math.ceil((bytes.write(`${value}\0`, next) || 1) / 8) * 8;
    return address;
  };

  const space = (...[index, words]: [number, readonly number[] | undefined]): number => {
    if (words === undefined) return 0;
    const address = allocate([types[index] ?? 0, ...words]);
    places.set(`type ${index}`, address);
    for (const [field, name] of ['bottom', 'top', 'end'].entries())
      places.set(`${name} ${index}`, address + 8 + field * 8);
    return address;
  };
  const spaceAddresses = spaces.map((words, index) => space(index, words));
  const [eden = 0, from = 0, to = 0, old = 0] = spaceAddresses;
  const young = allocate([0, eden, from, to]);
  const oldGeneration = allocate([0, old]);
  const regionTable = allocate(spaceAddresses);
  const hasRegions = collector === 'G1' || collector === 'Shenandoah';
  // CollectedHeap: vtable, reserved start and words, is active; then what the collector has: two pointers or a table.
  const heap = allocate([
    ...[0, RESERVED.start, (RESERVED.end - RESERVED.start) / 8, 0],
    ...(hasRegions ? [0, regionTable, spaces.length] : [young, oldGeneration]),
  ]);
  places
    .set('reserved start', heap + 8)
    .set('active', heap + 24)
    .set('region count', heap + 48);
  places.set('young generation', heap + 32);
  const values = FLAGS.flatMap((name) => [
    text(name),
    allocate([name === `Use${collector}GC` || flags.includes(name) ? 1 : 0]),
  ]);
  const variable = (name: string, value: number): { readonly at: number } => {
    const at = allocate([value]);
    places.set(name, at);
    return { at };
  };

  const former = version === 17;
  const headerBytes = former ? 16 : 8;
  const map = bytes.subarray(CODE_MAP - LIBJVM, CODE_MAP - LIBJVM + (CODE.end - CODE.start) / SEGMENT_BYTES).fill(255);
  let segment = 0;
  for (const [index, [length, isUsed]] of code.entries()) {
    const block = CODE.start + segment * SEGMENT_BYTES;
    const used = former ? block + 8 : block + 4;
    bytes.writeUInt32LE(length, block - LIBJVM);
    bytes[used - LIBJVM] = isUsed ? 1 : 0;
    for (let part = 0; part < length; part++) map[segment + part] = Math.min(part, 254);
    places.set(`block ${index}`, block).set(`map ${index}`, CODE_MAP + segment);
    segment += length;
  }
  const codeEnd = [CODE.start, CODE.end, CODE.start, CODE.end];
  const codeHeap = allocate([0, ...codeEnd, CODE_MAP, CODE_MAP + 0x1000, CODE_MAP, CODE_MAP + map.length, 7]);
  places
    .set('code end', codeHeap + 32)
    .set('map end', codeHeap + 64)
    .set('segment size', codeHeap + 72);
  const heaps = allocate([1, allocate([codeHeap])]);
  places.set('heap count', heaps);
  const region = former ? 'HeapRegion' : 'G1HeapRegion';
  const serial = former ? 'GenCollectedHeap' : 'SerialHeap';
  const places17 = { 'Space::_bottom': 8, 'Space::_end': 24, 'ImmutableSpace::_bottom': 8, 'ImmutableSpace::_end': 24 };
  const places25 = {
    ...{ 'ContiguousSpace::_bottom': 8, 'ContiguousSpace::_end': 24 },
    ...{ 'MutableSpace::_bottom': 8, 'MutableSpace::_end': 24 },
  };
  const fields: Record<string, FieldPlace> = {
    'Universe::_collectedHeap': variable('heap', heap),
    'CollectedHeap::_reserved': 8,
    [`CollectedHeap::${former ? '_is_gc_active' : '_is_stw_gc_active'}`]: 24,
    'MemRegion::_start': 0,
    'MemRegion::_word_size': 8,
    'JVMFlag::flags': variable('flags', allocate(values)),
    'JVMFlag::numFlags': variable('flag count', values.length / 2),
    'JVMFlag::_name': 0,
    'JVMFlag::_addr': 8,
    [`${serial}::_young_gen`]: 32,
    [`${serial}::_old_gen`]: 40,
    'ParallelScavengeHeap::_young_gen': variable('parallel young', young),
    'ParallelScavengeHeap::_old_gen': variable('parallel old', oldGeneration),
    ...fieldsOf(['DefNewGeneration', 'PSYoungGen'], { _eden_space: 8, _from_space: 16, _to_space: 24 }),
    'TenuredGeneration::_the_space': 8,
    'PSOldGen::_object_space': 8,
    ...(former ? places17 : places25),
    'ContiguousSpace::_top': 16,
    'MutableSpace::_top': 16,
    'G1CollectedHeap::_hrm': 32,
    [`${region}Manager::_regions`]: 8,
    'G1HeapRegionTable::_base': 0,
    'G1HeapRegionTable::_length': 8,
    ...fieldsOf([region], { _type: 0, _bottom: 8, _top: 16, _end: 24 }),
    [`${region}Type::_tag`]: 0,
    'Klass::_layout_helper': 8,
    [`CompressedKlassPointers::${former ? '_narrow_klass.' : ''}_base`]: variable('klass base', KLASSES),
    [`CompressedKlassPointers::${former ? '_narrow_klass.' : ''}_shift`]: variable('klass shift', 3),
    [`${region}::GrainBytes`]: variable('region bytes', 1 << 20),
    ...fieldsOf(['ShenandoahHeap'], { _regions: 40, _num_regions: 48 }),
    ...fieldsOf(['ShenandoahHeapRegion'], { _bottom: 8, _top: 16, _end: 24 }),
    'ShenandoahHeapRegion::RegionSizeBytes': variable('Shenandoah region bytes', 1 << 20),
    'CodeCache::_heaps': variable('heaps', heaps),
    'CodeCache::_low_bound': variable('code low', CODE.start),
    'CodeCache::_high_bound': variable('code high', CODE.end),
    'GrowableArrayBase::_len': 0,
    'GrowableArray<int>::_data': 8,
    ...fieldsOf(['CodeHeap'], { _memory: 8, _segmap: 40, _log2_segment_size: 72 }),
    ...fieldsOf(['VirtualSpace'], { _low_boundary: 0, _high_boundary: 8, _low: 16, _high: 24 }),
    ...fieldsOf(['HeapBlock::Header'], { _length: 0, _used: former ? 8 : 4 }),
  };
  const structs = Object.entries(fields).flatMap(([name, place]) => {
    const [, type = '', field = ''] = /^(.*)::(.*)$/.exec(name) ?? [];
    if (name === missing) return [];
    return typeof place === 'number' ? [text(type), text(field), place, 0] : [text(type), text(field), 77, place.at];
  });
  const exported: Record<string, number> = {
    ...{ gHotSpotVMStructs: allocateTable(structs, 4), gHotSpotVMStructEntryArrayStride: 32 },
    ...{ gHotSpotVMStructEntryTypeNameOffset: 0, gHotSpotVMStructEntryFieldNameOffset: 8 },
    ...{ gHotSpotVMStructEntryOffsetOffset: 16, gHotSpotVMStructEntryAddressOffset: 24 },
    ...{
      gHotSpotVMTypes: allocateTable([text('JVMFlag'), 16, text('HeapBlock'), headerBytes], 2),
      gHotSpotVMTypeEntryArrayStride: 16,
    },
    ...{ gHotSpotVMTypeEntryTypeNameOffset: 0, gHotSpotVMTypeEntrySizeOffset: 8 },
  };
  for (const [name, value] of Object.entries(exported)) variable(name, value);
  if (LIBJVM + next > CODE.start) throw new Error('there is no room for the code');
  writeElf(
    bytes,
    new Map(Object.keys(exported).flatMap((name) => (name === missing ? [] : [[name, places.get(name) ?? 0]]))),
  );
  const read = (address: number, length: number): Buffer | undefined => {
    const at = address - LIBJVM;
    return at >= 0 && at + length <= SIZE ? bytes.subarray(at, at + length) : undefined;
  };
  const poke = (place: string, value: number): void => {
    const address = places.get(place);
    if (address === undefined) throw new Error(`there is no ${place}`);
    put(address, value);
  };
  return { memory: { read }, bytes, places, poke };

  /** Its end is an entry of zeros. */
  function allocateTable(words: readonly number[], wordsInEntry: number): number {
    return allocate([...words, ...Array<number>(wordsInEntry).fill(0)]);
  }
}

function fieldsOf(types: readonly string[], fields: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    types.flatMap((type) => Object.entries(fields).map(([field, offset]) => [`${type}::${field}`, offset])),
  );
}

/** A dynamic symbol table, and its addresses as glibc's loader leaves them. */
function writeElf(elf: Buffer, symbols: ReadonlyMap<string, number>): void {
  const dynamic = 0x200;
  const symbolsAt = 0x300;
  const namesAt = symbolsAt + (symbols.size + 1) * 24;
  elf.writeUInt32BE(0x7f454c46, 0);
  elf[4] = 2;
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(2, 64);
  elf.writeBigUInt64LE(BigInt(dynamic), 64 + 16);
  let name = namesAt + 1;
  for (const [index, [text, address]] of [...symbols].entries()) {
    const at = symbolsAt + (index + 1) * 24;
    elf.writeUInt32LE(name - namesAt, at);
    elf.writeUInt16LE(1, at + 6);
    elf.writeBigUInt64LE(BigInt(address - LIBJVM), at + 8);
    name += elf.write(`${text}\0`, name);
  }
  const tags = [5, LIBJVM + namesAt, 6, LIBJVM + symbolsAt, 10, name - namesAt, 0, 0];
  for (const [index, word] of tags.entries()) elf.writeBigUInt64LE(BigInt(word), dynamic + index * 8);
}
