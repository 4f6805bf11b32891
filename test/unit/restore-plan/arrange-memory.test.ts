import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrangeMemory } from '../../../src/restore-plan/arrange-memory.ts';
import { Blob } from '../../../src/restore-plan/blob.ts';
import { MEM, type MemRecord, NO_FILE } from '../../../src/restore-plan/format.ts';
import { NOTHING_DROPPED } from '../../../src/restore-plan/kept-pages.ts';
import { parsePlanHeader } from '../../../src/restore-plan/read-plan.ts';
import type { RestoreImage } from '../../../src/restore-plan/restore-image.ts';
import { mergeRuns, type Run } from '../../../src/restore-plan/touches.ts';
import { SAMPLE_SIZES } from '../../support/sample-sizes.ts';
import { anonymous, compileSample, makeSample } from './sample-dump.ts';

const PAGE = 4096;
const DIR = '/opt/crac/checkpoint';
const dir = mkdtempSync(join(tmpdir(), 'arrange-test-'));
const outDir = mkdtempSync(join(tmpdir(), 'arrange-test-out-'));
afterAll(() => {
  for (const folder of [dir, outDir]) rmSync(folder, { recursive: true });
});

const pages = (count: number) => count * PAGE;

/** Page i of mem.bin holds the byte i. */
function makeImage(mem: readonly MemRecord[], pageCount: number, files: readonly string[] = []): RestoreImage {
  const memFile = join(dir, 'mem.bin');
  writeFileSync(memFile, Buffer.concat(Array.from({ length: pageCount }, (_, page) => Buffer.alloc(PAGE, page))));
  const sections = {
    ...{ mem, file: files.map(() => ({})), thread: [], sigact: [], fd: [], epoll: [], time: [] },
    ...{ tidfix: [], vdso_symbol: [], cpu: [], prefetch: [], socket: [], sockopt: [] },
  };
  return {
    ...{ planFile: join(dir, 'plan.bin'), memFile, planBytes: 0, memBytes: pages(pageCount) },
    ...{ readAheadBytes: 0, populatedBytes: 0 },
    ...{
      threadCount: 1,
      mappingCount: mem.length,
      droppedPages: NOTHING_DROPPED,
    },
    requiredCpu: { features: [], because: '' },
    byCause: SAMPLE_SIZES,
    allocators: [],
    carriedFiles: [],
    contents: { header: { mem_size: pages(pageCount) }, sections, blob: new Blob(), heap: undefined, filePaths: files },
  };
}

function stored(kind: number, address: number, offset: number, length: number): MemRecord {
  return { kind, address, offset: pages(offset), length: pages(length), prot: 3, flags: 2, file: NO_FILE };
}

/** Address of each page → the byte it holds. */
function memoryOf({ contents, memFile }: RestoreImage): ReadonlyMap<number, number | undefined> {
  const bytes = readFileSync(memFile);
  const memory = new Map<number, number | undefined>();
  for (const { kind, address, offset, length } of contents.sections.mem)
    if (kind === MEM.PAGES || kind === MEM.READ)
      for (let at = 0; at < length; at += PAGE) memory.set(address + at, bytes[Number(offset) + at]);
  return memory;
}

test('what was touched comes first, and every page keeps its address', async () => {
  const image = makeImage(
    [
      stored(MEM.PAGES, 0x100000, 0, 160),
      { kind: MEM.ANON, address: 0x200000, length: PAGE, file: NO_FILE },
      stored(MEM.PAGES, 0x300000, 160, 2),
      { kind: MEM.ADVISE, address: 0x300000, length: PAGE, flags: 14, file: NO_FILE },
    ],
    162,
    ['/lib/a.so', '/lib/untouched.so', '/lib/b.so'],
  );
  const files = new Map([
    [`${DIR}/mem.bin`, [run(80, 1), run(83, 1), run(161, 1)]],
    ['/lib/b.so', [run(100, 2), run(7, 1)]],
    ['/lib/a.so', [run(0, 1), run(3, 1)]],
    ['/not/in/the/plan', [run(0, 9)]],
  ]);
  const touches = { files, written: [{ start: 0x300000, end: 0x300000 + pages(2) }] };
  const arranged = await arrangeMemory(image, { first: touches }, DIR, outDir);
  expect(memoryOf(arranged)).toEqual(memoryOf(image));
  expect([...readFileSync(arranged.memFile)].filter((_, at) => at % PAGE === 0).slice(0, 6)).toEqual([
    ...[80, 81, 82, 83], // a short gap comes along
    161,
    0,
  ]);
  expect(arranged.contents.sections.mem.map(({ kind, address, length }) => [kind, address, length / PAGE])).toEqual([
    [MEM.PAGES, 0x100000, 80],
    [MEM.PAGES, 0x100000 + pages(80), 4],
    [MEM.PAGES, 0x100000 + pages(84), 76],
    [MEM.ANON, 0x200000, 1],
    [MEM.PAGES, 0x300000, 1],
    [MEM.PAGES, 0x300000 + PAGE, 1],
    [MEM.ADVISE, 0x300000, 1],
    [MEM.ADVISE, 0x300000, 2], // what was written to comes in
  ]);
  expect(arranged.mappingCount).toBe(image.mappingCount + 3);
  expect(arranged.contents.sections.prefetch).toEqual([
    { offset: 0, length: pages(5), file: NO_FILE },
    { ...run(0, 4), file: 0 },
    { ...run(7, 1), file: 2 },
    { ...run(100, 2), file: 2 },
  ]);
  expect(arranged.readAheadBytes).toBe(pages(5 + 4 + 1 + 2));
  expect(arranged.populatedBytes).toBe(pages(2));
  const plan = readFileSync(arranged.planFile);
  expect(parsePlanHeader(plan)).toMatchObject({ mem_size: BigInt(pages(162)), file_size: BigInt(plan.length) });
});

test('what the first requests write to comes after all, and nothing else is done for them', async () => {
  const image = makeImage([stored(MEM.PAGES, 0x100000, 0, 160)], 160);
  const range = (page: number, count: number) => ({
    start: 0x100000 + pages(page),
    end: 0x100000 + pages(page + count),
  });
  const first = { files: new Map([[`${DIR}/mem.bin`, [run(2, 1)]]]), written: [range(2, 1)] };
  const later = { files: new Map([[`${DIR}/mem.bin`, [run(2, 90)]]]), written: [range(2, 3)] };
  const alone = await arrangeMemory(image, { first }, DIR, outDir);
  const { contents, ...arranged } = await arrangeMemory(image, { first, later }, DIR, outDir);
  expect(contents.sections.mem).toEqual([
    ...alone.contents.sections.mem,
    { kind: MEM.LATER, address: 0x100000 + pages(3), length: pages(2), file: NO_FILE },
  ]);
  expect(contents.sections.prefetch).toEqual(alone.contents.sections.prefetch);
  expect(arranged.populatedBytes).toBe(pages(1));
});

test('pages that are mapped again are still stored once, touched or not', async () => {
  const image = makeImage(
    [
      stored(MEM.PAGES, 0x100000, 0, 100),
      stored(MEM.PAGES, 0x200000, 60, 40),
      stored(MEM.PAGES, 0x300000, 60, 7),
      stored(MEM.PAGES, 0x400000, 100, 1),
    ],
    101,
  );
  const files = new Map([[`${DIR}/mem.bin`, [run(63, 2), run(100, 1)]]]);
  const arranged = await arrangeMemory(image, { first: { files, written: [] } }, DIR, outDir);
  expect(memoryOf(arranged)).toEqual(memoryOf(image));
  expect(readFileSync(arranged.memFile).length).toBe(pages(101));
  expect(arranged.contents.sections.prefetch).toEqual([{ offset: 0, length: pages(3), file: NO_FILE }]);
});

test.each([16, 17, 25, 41])(
  '%d equal pages before others stay what they are when all is put in order',
  async (count) => {
    const sample = makeSample();
    const area = 0x50000000;
    sample.vmas.push(anonymous(area, count + 3));
    const held = ['a', ...Array<string>(count).fill('='), 'b', 'c'].map((byte) => Buffer.alloc(PAGE, byte));
    sample.pages.set(area, Buffer.concat(held));
    const { image } = await compileSample(sample);
    expect(image.droppedPages.duplicate).toBeGreaterThan(10);
    const files = new Map([[`${DIR}/mem.bin`, [run(0, 1)]]]);
    const arranged = await arrangeMemory(image, { first: { files, written: [] } }, DIR, outDir);
    expect(memoryOf(arranged)).toEqual(memoryOf(image));
    expect(readFileSync(arranged.memFile).length).toBe(image.memBytes);
    rmSync(sample.dir, { recursive: true });
  },
);

test('memory that is read at once is all read ahead', async () => {
  const image = makeImage([stored(MEM.READ, 0x100000, 0, 3), stored(MEM.PAGES, 0x200000, 3, 1)], 4);
  const arranged = await arrangeMemory(image, { first: { files: new Map(), written: [] } }, DIR, outDir);
  expect(memoryOf(arranged)).toEqual(memoryOf(image));
  expect(arranged.contents.sections.prefetch).toEqual([{ offset: 0, length: pages(3), file: NO_FILE }]);
});

test('the number of mappings stays below what the kernel allows', async () => {
  const image = makeImage([stored(MEM.PAGES, 0x100000, 0, 500)], 500);
  const scattered = Array.from({ length: 10 }, (_, index) => run(index * 50, 1));
  const touches = { files: new Map([[`${DIR}/mem.bin`, scattered]]), written: [] };
  const crowded = { ...image, mappingCount: 39_990 };
  const arranged = await arrangeMemory(crowded, { first: touches }, DIR, outDir);
  expect(arranged.mappingCount).toBeLessThan(40_000);
  expect(memoryOf(arranged)).toEqual(memoryOf(image));
});

test('runs are merged over gaps', () => {
  expect(mergeRuns([run(5, 1), run(0, 2), run(1, 3), run(8, 1)], pages(2))).toEqual([run(0, 9)]);
  expect(mergeRuns([run(5, 1), run(0, 2)], pages(2))).toEqual([run(0, 2), run(5, 1)]);
  expect(mergeRuns([], 1)).toEqual([]);
});

function run(page: number, count: number): Run {
  return { offset: pages(page), length: pages(count) };
}
