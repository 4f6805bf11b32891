/**
 * What of a dumped JVM's metaspace holds nothing (src/hotspot/share/memory/metaspace, JDK 17 and newer): free chunks, of
 * which HotSpot gives back to the kernel only those of 64 KiB and more, and what lies above the used words of those in use.
 * All that is handed out is cleared first. No table describes any of it: it is told only where all lists agree on every chunk.
 *
 *   context, one without classes and one of classes, a pointer to each in libjvm's data: name | spaces | manager
 *   spaces: pointer to its functions | name | first node
 *   node: next | start | bytes reserved
 *   manager: spaces | name | for each level, the largest chunks first: first | last | how many, int
 *   header of a chunk: start | words used | words committed | level, byte | state, byte | node | previous and next in its
 *     list | previous and next by address, of the chunks that make up what was once one chunk of level 0
 */
import { type AddressSpace, type Range, readBytes, readText, readWord, UnknownJvm } from './address-space.ts';
import { type FreeRanges, unlessUnknown } from './free-ranges.ts';

const NAMES: readonly string[] = ['non-class-space', 'class-space'];
const WORD_BYTES = 8;
const LEVELS = 15;
/** Of a chunk of level 0; each level halves it. */
const ROOT_BYTES = 2 ** 24;
const LIST_BYTES = 24;
const HEADER_BYTES = 72;
const STATES = ['free', 'in use'] as const;
const MOST_CHUNKS = 1_000_000;
const MOST_NODES = 10_000;
const HIGHEST_ADDRESS = 2 ** 47;

interface Context {
  readonly name: string;
  readonly spaces: number;
  readonly manager: number;
}

interface Chunk extends Range {
  readonly header: number;
  readonly top: number;
  readonly level: number;
  readonly state: (typeof STATES)[number];
  readonly node: number;
  readonly previous: number;
  readonly next: number;
  readonly below: number;
  readonly above: number;
}

/** `data`: memory of libjvm.so that is written. */
export function findFreeMetaspace(memory: AddressSpace, data: readonly Range[]): FreeRanges {
  return unlessUnknown(() => {
    const contexts = data.flatMap((range) => findContexts(memory, range));
    const names = contexts.map(({ name }) => name);
    if (!names.includes('non-class-space')) throw new UnknownJvm('it has no metaspace of the form that is known');
    if (new Set(names).size < names.length) throw new UnknownJvm('it has more metaspaces than it should');
    return { ranges: inOrder(contexts.flatMap((context) => readContext(memory, context))) };
  });
}

function findContexts(memory: AddressSpace, { start, end }: Range): readonly Context[] {
  const bytes = readBytes(memory, start, end - start);
  const contexts: Context[] = [];
  for (let at = 0; at + WORD_BYTES <= bytes.length; at += WORD_BYTES) {
    const address = Number(bytes.readBigUInt64LE(at));
    if (address === 0 || address % WORD_BYTES !== 0 || address > HIGHEST_ADDRESS) continue;
    const [nameAt = 0, spaces = 0, manager = 0] = readWords(memory, address, 3);
    if (nameAt === 0 || spaces === 0 || manager === 0) continue;
    const [ofManager, nameOfManager] = readWords(memory, manager, 2);
    const [, nameOfSpaces] = readWords(memory, spaces, 2);
    if (ofManager !== spaces || nameOfManager !== nameAt || nameOfSpaces !== nameAt) continue;
    const name = readText(memory, nameAt);
    if (NAMES.includes(name)) contexts.push({ name, spaces, manager });
  }
  return contexts;
}

/** None where not all of them are in the dump. */
function readWords(memory: AddressSpace, address: number, count: number): readonly number[] {
  const bytes = address > HIGHEST_ADDRESS ? undefined : memory.read(address, count * WORD_BYTES);
  return bytes ? Array.from({ length: count }, (_, index) => Number(bytes.readBigUInt64LE(index * WORD_BYTES))) : [];
}

function readContext(memory: AddressSpace, { spaces, manager }: Context): readonly Range[] {
  const nodes = readNodes(memory, spaces);
  const free = new Map<number, Chunk>();
  for (let level = 0; level < LEVELS; level++)
    for (const chunk of readList(memory, manager + 2 * WORD_BYTES + level * LIST_BYTES, level, nodes)) {
      if (free.has(chunk.header)) throw new UnknownJvm(`${hex(chunk.header)} is in two lists of free chunks`);
      free.set(chunk.header, chunk);
    }
  const seen = new Set<number>();
  const ranges: Range[] = [];
  let isSplit = false;
  for (const chunk of free.values()) {
    if (seen.has(chunk.header)) continue;
    const neighbours = readNeighbours(memory, chunk, nodes);
    isSplit ||= neighbours.length > 1;
    for (const { header, state, top, end } of neighbours) {
      if ((state === 'free') !== free.has(header))
        throw new UnknownJvm(`${hex(header)} is ${state}, but the list of free chunks tells otherwise`);
      seen.add(header);
      if (top < end) ranges.push({ start: top, end });
    }
  }
  // Where chunks are smaller than they are here (JDK 17 had 4 MiB at level 0 once) no two of them follow each other.
  if (ranges.length > 0 && !isSplit) throw new UnknownJvm('nothing tells how large its chunks of metaspace are');
  return ranges;
}

function readNodes(memory: AddressSpace, spaces: number): ReadonlyMap<number, Range> {
  const nodes = new Map<number, Range>();
  for (let node = readWord(memory, spaces + 2 * WORD_BYTES); node !== 0; node = readWord(memory, node)) {
    const start = readWord(memory, node + WORD_BYTES);
    const sizeBytes = readWord(memory, node + 2 * WORD_BYTES);
    if (nodes.has(node) || nodes.size === MOST_NODES || sizeBytes === 0 || start % ROOT_BYTES || sizeBytes % ROOT_BYTES)
      throw new UnknownJvm(`${hex(node)} is no part of metaspace`);
    nodes.set(node, { start, end: start + sizeBytes });
  }
  return nodes;
}

function readList(
  memory: AddressSpace,
  list: number,
  level: number,
  nodes: ReadonlyMap<number, Range>,
): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let previous = 0;
  for (let header = readWord(memory, list); header !== 0; ) {
    const chunk = readChunk(memory, header, nodes);
    const isFree = chunk.state === 'free' && chunk.top === chunk.start;
    if (!isFree || chunk.level !== level || chunk.previous !== previous || chunks.length === MOST_CHUNKS)
      throw new UnknownJvm(`${hex(header)} is no free chunk of level ${level}`);
    chunks.push(chunk);
    previous = header;
    header = chunk.next;
  }
  const count = readBytes(memory, list + 2 * WORD_BYTES, 4).readInt32LE();
  if (readWord(memory, list + WORD_BYTES) !== previous || count !== chunks.length)
    throw new UnknownJvm(`the list of free chunks of level ${level} is another than it tells`);
  return chunks;
}

/** All that `chunk` makes up one of level 0 with, which they must do exactly. */
function readNeighbours(memory: AddressSpace, chunk: Chunk, nodes: ReadonlyMap<number, Range>): readonly Chunk[] {
  const root = chunk.start - (chunk.start % ROOT_BYTES);
  let first = chunk;
  while (first.below !== 0) {
    const below = readChunk(memory, first.below, nodes);
    if (below.end !== first.start) throw new UnknownJvm(`${hex(first.header)} has another chunk below it`);
    first = below;
  }
  const chunks: Chunk[] = [];
  let [end, below] = [root, 0];
  for (let header = first.header; header !== 0; ) {
    const next = readChunk(memory, header, nodes);
    if (next.start !== end || next.below !== below || next.node !== chunk.node || next.end > root + ROOT_BYTES)
      throw new UnknownJvm(`${hex(header)} does not follow the chunk below it`);
    chunks.push(next);
    end = next.end;
    below = header;
    header = next.above;
  }
  if (end !== root + ROOT_BYTES) throw new UnknownJvm(`there is a gap behind the chunk at ${hex(end)}`);
  return chunks;
}

function readChunk(memory: AddressSpace, header: number, nodes: ReadonlyMap<number, Range>): Chunk {
  const bytes = readBytes(memory, header, HEADER_BYTES);
  const wordAt = (index: number): number => Number(bytes.readBigUInt64LE(index * WORD_BYTES));
  const [start, usedWords, committedWords, node] = [wordAt(0), wordAt(1), wordAt(2), wordAt(4)];
  const level = bytes[24] ?? LEVELS;
  const state = STATES[bytes[25] ?? STATES.length];
  const sizeBytes = ROOT_BYTES / 2 ** level;
  const within = nodes.get(node);
  const isInside = within !== undefined && start >= within.start && start + sizeBytes <= within.end;
  const isFilled = usedWords <= committedWords && committedWords * WORD_BYTES <= sizeBytes;
  if (header % WORD_BYTES || level >= LEVELS || state === undefined || start % sizeBytes || !isInside || !isFilled)
    throw new UnknownJvm(`${hex(header)} is no chunk of metaspace`);
  return {
    ...{ header, start, end: start + sizeBytes, top: start + usedWords * WORD_BYTES },
    ...{ level, state, node },
    ...{ previous: wordAt(5), next: wordAt(6), below: wordAt(7), above: wordAt(8) },
  };
}

/** Nothing is free in two contexts at once. */
function inOrder(ranges: readonly Range[]): readonly Range[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  for (const [index, { start }] of sorted.entries())
    if (start < (sorted[index - 1]?.end ?? 0)) throw new UnknownJvm(`chunks overlap at ${hex(start)}`);
  return sorted;
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
