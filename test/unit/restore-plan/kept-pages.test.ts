import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PageRun } from '../../../src/criu/read-dump.ts';
import {
  type AreaPages,
  type FreeRange,
  makePageSorter,
  NOTHING_DROPPED,
  type Stretch,
} from '../../../src/restore-plan/kept-pages.ts';
import { placeStretches, writeMemFile } from '../../../src/restore-plan/mem-file.ts';
import { javascriptScanner } from '../../../src/restore-plan/page-scanner.ts';
import { ProcessMemory } from '../../../src/restore-plan/process-memory.ts';
import type { StepName } from '../../../src/steps.ts';

const PAGE = 4096;
const dir = mkdtempSync(join(tmpdir(), 'kept-pages-test-'));
const pagesFile = join(dir, 'pages');
const memFile = join(dir, 'mem.bin');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** `pages`: one character a page, "0" for zeros, in the order of the pages file. */
function sort(pages: string, runs: readonly PageRun[], area: AreaPages, free: readonly FreeRange[] = []) {
  writeFileSync(pagesFile, render(pages));
  using memory = new ProcessMemory(pagesFile, runs);
  const sorter = makePageSorter(memory, javascriptScanner, free);
  const kept = sorter.findKept(area);
  writeMemFile(memFile, placeStretches(kept), memory, javascriptScanner);
  return { kept, dropped: sorter.droppedPages, mem: readFileSync(memFile) };
}

function render(pages: string): Buffer {
  return Buffer.concat([...pages].map((page) => Buffer.alloc(PAGE, page === '0' ? 0 : page)));
}

function run(page: number, pageCount: number, offsetPages: number): PageRun {
  return { address: page * PAGE, pageCount, offset: offsetPages * PAGE };
}

function inPages(stretches: readonly Stretch[]): unknown[] {
  return stretches.map(({ address, length, source }) => [
    address / PAGE,
    length / PAGE,
    source && source.offset / PAGE,
  ]);
}

test('runs that follow each other in process and file become one stretch, cut off where the area ends', () => {
  const { kept, dropped, mem } = sort('abcde', [run(10, 2, 0), run(12, 3, 2)], { start: 11 * PAGE, end: 14 * PAGE });
  expect(inPages(kept)).toEqual([[11, 3, 1]]);
  expect(mem.equals(render('bcd'))).toBe(true);
  expect(dropped).toEqual(NOTHING_DROPPED);
});

test('a stretch ends where the process has a gap, where the file has one, and where a page is dropped', () => {
  const runs = [run(10, 1, 0), run(12, 1, 1), run(13, 1, 4), run(14, 3, 5)];
  const { kept, dropped, mem } = sort('ab--cd0e', runs, { start: 0, end: 100 * PAGE });
  expect(inPages(kept)).toEqual([
    [10, 1, 0],
    [12, 1, 1],
    [13, 2, 4],
    [16, 1, 7],
  ]);
  expect(mem.equals(render('abcde'))).toBe(true);
  expect(dropped).toMatchObject({ zero: 1 });
});

test('more than is read at once is one stretch', () => {
  const pageCount = 2500;
  const { kept } = sort('xy'.repeat(pageCount / 2), [run(1, pageCount, 0)], { start: 0, end: 1 << 30 });
  expect(inPages(kept)).toEqual([[1, pageCount, 0]]);
});

test('of many equal pages in a row some are stored, and mapped again', () => {
  const pages = `ab${'x'.repeat(41)}c${'y'.repeat(15)}d`;
  const { kept, dropped, mem } = sort(pages, [run(10, pages.length, 0)], { start: 0, end: 1 << 30 });
  const repeats = [19, 26, 33, 40, 47].map((page) => [page, page === 47 ? 6 : 7, undefined]);
  expect(inPages(kept)).toEqual([[10, 9, 0], ...repeats, [53, 17, 43]]);
  expect(kept.slice(1, -1).map(({ sameAs }) => sameAs)).toEqual(repeats.map(() => 12 * PAGE));
  expect(mem.equals(render(`abxxxxxxxc${'y'.repeat(15)}d`))).toBe(true);
  expect(dropped).toEqual({ ...NOTHING_DROPPED, duplicate: 34 });
  const seen = placeStretches(kept).map(({ memOffset, length }) => mem.subarray(memOffset, memOffset + length));
  expect(Buffer.concat(seen).equals(render(pages))).toBe(true);
});

test('below the stack pointer nothing is kept, zero or not', () => {
  const area = { start: 10 * PAGE, end: 14 * PAGE, deadBelow: 12 * PAGE };
  const { kept, dropped } = sort('a0cd', [run(10, 4, 0)], area);
  expect(inPages(kept)).toEqual([[12, 2, 2]]);
  expect(dropped).toEqual({ ...NOTHING_DROPPED, 'dead-stack': 2 });
});

test('of free heap nothing is kept, wherever areas and runs begin and end', () => {
  const free = (
    [
      [5, 11, 'free-heap'],
      [13, 14, 'free-malloc'],
      [16, 30, 'free-heap'],
    ] as const
  ).map(([start, end, cause]) => ({ start: start * PAGE - 8, end: end * PAGE + 8, cause }));
  const runs = [run(9, 4, 0), run(13, 4, 4)];
  const { kept, dropped } = sort('abc0efgh', runs, { start: 10 * PAGE, end: 17 * PAGE }, free);
  expect(inPages(kept)).toEqual([
    [11, 1, 2],
    [14, 2, 5],
  ]);
  expect(dropped).toEqual({ ...NOTHING_DROPPED, zero: 1, 'free-heap': 2, 'free-malloc': 1 });
  const after = sort('ab', [run(40, 2, 0)], { start: 40 * PAGE, end: 42 * PAGE }, free);
  expect(inPages(after.kept)).toEqual([[40, 2, 0]]);
});

test('of a mapped file nothing is free: its own bytes would come back', () => {
  const file = join(dir, 'archive');
  writeFileSync(file, render('-'));
  const area = { start: 10 * PAGE, end: 11 * PAGE, original: { file, offset: 0, sizeBytes: PAGE } };
  const { kept } = sort('x', [run(10, 1, 0)], area, [{ start: 0, end: 20 * PAGE, cause: 'free-heap' }]);
  expect(inPages(kept)).toEqual([[10, 1, 0]]);
});

test('pages of a private file are compared with the file, which is zero after its end', () => {
  const file = join(dir, 'library');
  writeFileSync(file, Buffer.concat([render('-ab'), Buffer.from('tail')]));
  const tail = Buffer.alloc(PAGE);
  tail.write('tail');
  const original = { file, offset: PAGE, sizeBytes: 3 * PAGE + 4 };
  const area = { start: 10 * PAGE, end: 20 * PAGE, original };
  expect(inPages(sort('aX', [run(10, 2, 0)], area).kept)).toEqual([[11, 1, 1]]);
  expect(inPages(sort('0', [run(11, 1, 0)], area).kept)).toEqual([[11, 1, 0]]);
  // What was compared before is no part of the file's end.
  writeFileSync(pagesFile, Buffer.concat([render('a'), tail]));
  using memory = new ProcessMemory(pagesFile, [run(10, 1, 0), run(12, 1, 1)]);
  const sorter = makePageSorter(memory, javascriptScanner);
  expect(sorter.findKept(area)).toEqual([]);
  expect(sorter.droppedPages).toMatchObject({ 'equal-to-file': 2 });
});

test('a step that is skipped leaves its pages in', () => {
  const file = join(dir, 'same');
  writeFileSync(file, render('a0'));
  writeFileSync(pagesFile, render('a0'));
  using memory = new ProcessMemory(pagesFile, [run(10, 2, 0)]);
  const area = { start: 10 * PAGE, end: 12 * PAGE };
  const copied = { ...area, original: { file, offset: 0, sizeBytes: 2 * PAGE } };
  const keep = (skip: readonly StepName[]) => {
    const sorter = makePageSorter(memory, javascriptScanner, [], new Set(skip));
    return [area, copied].map((pages) => inPages(sorter.findKept(pages)));
  };
  expect(keep([])).toEqual([[[10, 1, 0]], []]);
  expect(keep(['duplicates'])).toEqual(keep([]));
  expect(keep(['zero-pages'])).toEqual([[[10, 2, 0]], []]);
  expect(keep(['file-pages'])).toEqual([[[10, 1, 0]], [[10, 2, 0]]]);
});

test('a dump that was cut off is told of', () => {
  writeFileSync(pagesFile, render('ab'));
  using memory = new ProcessMemory(pagesFile, [run(10, 3, 0)]);
  const sorter = makePageSorter(memory, javascriptScanner);
  expect(() => sorter.findKept({ start: 0, end: 1 << 30 })).toThrow(
    expect.objectContaining({ code: 'CHECKPOINT_FAILED', message: `${pagesFile} is shorter than the dump says` }),
  );
  const stretches = [{ address: 10 * PAGE, length: 2 * PAGE, source: { file: pagesFile, offset: 0 } }];
  truncateSync(pagesFile, PAGE);
  expect(() => writeMemFile(memFile, placeStretches(stretches), memory, javascriptScanner)).toThrow(/is shorter/);
});

test('memory is read across runs, and not where a page is missing', () => {
  writeFileSync(pagesFile, render('abc'));
  using memory = new ProcessMemory(pagesFile, [run(10, 1, 0), run(11, 1, 2), run(13, 1, 1)]);
  expect(memory.read(11 * PAGE - 2, 4)?.toString('latin1')).toBe('aacc');
  expect(memory.read(12 * PAGE - 1, 2)).toBeUndefined();
  expect(memory.read(12 * PAGE, 1)).toBeUndefined();
});
