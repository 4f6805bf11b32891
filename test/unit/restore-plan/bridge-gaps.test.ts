import { VMA } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { type AreaMemory, bridgeGaps, countMappings } from '../../../src/restore-plan/bridge-gaps.ts';
import { encodeMessage } from './criu-encoder.ts';
import { anonymous } from './sample-dump.ts';

const PAGE = 4096;
const START = 0x10000000;

/** `pages`: "#" kept, "." not; an area of its own. */
function area(start: number, pages: string, more: Partial<AreaMemory> = {}): AreaMemory {
  const kept = [...pages.matchAll(/#+/g)].map((match) => ({
    address: start + match.index * PAGE,
    length: match[0].length * PAGE,
    source: { file: 'pages', offset: match.index * PAGE },
  }));
  const vma = decodeMessage(VMA, encodeMessage(anonymous(start, pages.length)));
  return { vma, strategy: 'map', kept, ...more };
}

/** "0" is kept as zeros, "f" as the file's own. */
function show({ vma, kept }: AreaMemory): string {
  const pages = Array.from({ length: (vma.end - vma.start) / PAGE }, () => '.');
  for (const { address, length, source } of kept) {
    const at = (address - vma.start) / PAGE;
    pages.fill(source === undefined ? '0' : source.file === 'pages' ? '#' : 'f', at, at + length / PAGE);
  }
  return pages.join('');
}

test.each([
  ['', 0],
  ['.', 1],
  ['#', 1],
  ['#.', 2],
  ['.#', 2],
  ['.#.', 3],
  ['#.#', 3],
  ['.#.##.', 5],
])('"%s" needs %d mappings', (pages, expected) => {
  expect(countMappings(area(START, pages))).toBe(expected);
});

test('what is mapped again is a mapping of its own, and so may be what follows', () => {
  const { kept, ...rest } = area(START, '#');
  const again = [1, 2].map((page) => ({ address: START + page * PAGE, length: PAGE, sameAs: START }));
  const after = { address: START + 3 * PAGE, length: PAGE, source: { file: 'pages', offset: 0 } };
  const vma = { ...rest.vma, end: START + 4 * PAGE };
  expect(countMappings({ ...rest, vma, kept: [...kept, ...again, after] })).toBe(5);
});

test('what is read needs one mapping, and stretches that meet are one', () => {
  expect(countMappings(area(START, '.#.##.', { strategy: 'read' }))).toBe(1);
  const [first, second] = [area(START, '##').kept, area(START + 2 * PAGE, '##').kept];
  expect(countMappings({ ...area(START, '####'), kept: [...first, ...second] })).toBe(1);
});

test('as long as there are enough mappings nothing is added', () => {
  const areas = [area(START, '#.#.#')];
  expect(bridgeGaps(areas, [], 5)).toBe(areas);
});

test('the smallest gaps go first, no more than needed, wherever they are', () => {
  const areas = [area(START, '#...#.#'), area(2 * START, '#..#.#')];
  const at = (limit: number) => bridgeGaps(areas, [], limit).map(show);
  expect(at(8)).toEqual(['#...#0#', '#..#.#']);
  expect(at(6)).toEqual(['#...#0#', '#..#0#']);
  expect(at(5)).toEqual(['#...#0#', '#00#0#']);
  expect(at(2)).toEqual(['#000#0#', '#00#0#']);
  expect(at(1)).toEqual(['#000#0#', '#00#0#']);
});

test('what is not between two stretches of one area stays as it is', () => {
  const areas = [area(START, '.#.'), area(START + 3 * PAGE, '.#.'), area(3 * START, '#.#', { strategy: 'read' })];
  expect(bridgeGaps(areas, [], 1).map(show)).toEqual(['.#.', '.#.', '#.#']);
});

test('a gap with a guard stays a gap', () => {
  const guard = { start: START + 3 * PAGE, end: START + 4 * PAGE };
  expect(bridgeGaps([area(START, '#.#.#')], [guard], 1).map(show)).toEqual(['#0#.#']);
});

test('between changed pages of a file lie its own, as far as it has any', () => {
  const original = { file: 'library', offset: 7 * PAGE, sizeBytes: 9 * PAGE };
  const [bridged] = bridgeGaps([area(START, '#.#.#', { original })], [], 1);
  expect(bridged && show(bridged)).toBe('#f#.#');
  expect(bridged?.kept[1]).toEqual({
    address: START + PAGE,
    length: PAGE,
    source: { file: 'library', offset: 8 * PAGE },
  });
});
