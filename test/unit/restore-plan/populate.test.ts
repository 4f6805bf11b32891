import { MEM, type MemRecord, NO_FILE } from '../../../src/restore-plan/format.ts';
import { planLater, planPopulate } from '../../../src/restore-plan/populate.ts';

const PAGE = 4096;
const MADV_POPULATE_WRITE = 23;
const PRIVATE = 2;
const SHARED = 1;
const READ_ONLY = 1;
const READ_WRITE = 3;

function area(kind: number, page: number, count: number, prot = READ_WRITE, flags = PRIVATE): MemRecord {
  return { kind, address: page * PAGE, length: count * PAGE, prot, flags, file: NO_FILE };
}

function pages(first: number, count: number) {
  return { start: first * PAGE, end: (first + count) * PAGE };
}

const HEAP = pages(0, 120_000);

/** [first page, number of pages] */
function populated(mem: readonly MemRecord[], ...written: readonly ReturnType<typeof pages>[]) {
  return planPopulate(mem, written, HEAP).map(({ kind, address, length, flags }) => {
    expect({ kind, flags }).toEqual({ kind: MEM.ADVISE, flags: MADV_POPULATE_WRITE });
    return [address / PAGE, length / PAGE];
  });
}

test('what was written comes in at once, of mem.bin before other memory', () => {
  const mem = [area(MEM.ANON, 100, 50), area(MEM.PAGES, 110, 5), area(MEM.PAGES, 130, 2), area(MEM.FILE, 200, 10)];
  expect(populated(mem, pages(108, 4), pages(131, 1), pages(205, 1))).toEqual([
    [110, 2],
    [131, 1],
    [108, 2],
    [205, 1],
  ]);
});

test('a run over several areas is cut where the memory of the process ends', () => {
  const mem = [area(MEM.ANON, 10, 5), area(MEM.ANON, 15, 5), area(MEM.ANON, 30, 5)];
  expect(populated(mem, pages(8, 30))).toEqual([
    [10, 10],
    [30, 5],
  ]);
});

test('what is read, shared, not to be written to or not of the plan stays as it is', () => {
  const mem = [
    area(MEM.ANON, 10, 10),
    area(MEM.READ, 12, 3),
    area(MEM.FILE, 30, 5, READ_WRITE, SHARED),
    area(MEM.PAGES, 40, 5, READ_ONLY),
    area(MEM.ADVISE, 50, 5),
  ];
  expect(populated(mem, pages(11, 5), pages(30, 5), pages(40, 5), pages(50, 5), pages(0x200000000, 3))).toEqual([
    [11, 1],
    [15, 1],
  ]);
  expect(planPopulate(mem, [], HEAP)).toEqual([]);
});

test('memory outside of the heap that holds nothing yet is left to who takes it, or does not', () => {
  const mem = [area(MEM.ANON, 10, 10), area(MEM.ANON, 200_000, 20), area(MEM.PAGES, 200_005, 2)];
  const written = [pages(12, 1), pages(200_003, 6)];
  expect(populated(mem, ...written)).toEqual([
    [200_005, 2],
    [12, 1],
  ]);
  expect(planPopulate(mem, written, undefined)).toHaveLength(1);
});

test('an app that writes much by itself gets 16 MiB', () => {
  const mem = [area(MEM.ANON, 0, 100_000), area(MEM.PAGES, 50_000, 4000)];
  expect(populated(mem, pages(0, 90_000))).toEqual([
    [50_000, 4000],
    [0, 96],
  ]);
});

test('what the first requests write to besides comes later, up to 8 MiB', () => {
  const mem = [area(MEM.ANON, 0, 100_000), area(MEM.PAGES, 50_000, 2000), area(MEM.READ, 60_000, 10)];
  const [first, written] = [
    [pages(200, 50), pages(50_000, 100)],
    [pages(0, 55_000), pages(60_000, 20)],
  ];
  const later = planLater(mem, first, written, HEAP);
  expect(later.map(({ kind, address, length }) => [kind, address / PAGE, length / PAGE])).toEqual([
    [MEM.LATER, 50_100, 1900],
    [MEM.LATER, 0, 148],
  ]);
  expect(planLater(mem, first, first, HEAP)).toEqual([]);
});
