import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zeroFreeBytes } from '../../../src/restore-plan/zero-free-bytes.ts';

const PAGE = 4096;
const dir = mkdtempSync(join(tmpdir(), 'zero-free-bytes-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Bytes of mem.bin that are zero afterwards, as ranges. */
function zero(pages: number, stretches: readonly [page: number, count: number][], free: readonly [number, number][]) {
  const memFile = join(dir, 'mem.bin');
  writeFileSync(memFile, Buffer.alloc(pages * PAGE, 'x'));
  let memOffset = 0;
  const placed = stretches.map(([page, count]) => {
    const stretch = { address: page * PAGE, length: count * PAGE, memOffset };
    memOffset += stretch.length;
    return stretch;
  });
  zeroFreeBytes(
    memFile,
    placed,
    free.map(([start, end]) => ({ start, end })),
  );
  const bytes = readFileSync(memFile);
  expect(bytes.length).toBe(pages * PAGE);
  const zeros: [number, number][] = [];
  for (const [at, byte] of bytes.entries()) {
    const last = zeros.at(-1);
    if (byte === 0 && last?.[1] === at) last[1]++;
    else if (byte === 0) zeros.push([at, at + 1]);
  }
  return zeros;
}

test('what is free in a page is zeroed, and nothing beside it', () => {
  const free: [number, number][] = [
    [5 * PAGE, 10 * PAGE + 3],
    [10 * PAGE + 100, 10 * PAGE + 117],
    [11 * PAGE + 4000, 20 * PAGE + 50],
    [21 * PAGE - 1, 21 * PAGE],
    [40 * PAGE, 41 * PAGE],
  ];
  const kept: [number, number][] = [
    [10, 2],
    [20, 1],
    [30, 1],
  ];
  expect(zero(4, kept, free)).toEqual([
    [0, 3],
    [100, 117],
    [PAGE + 4000, 2 * PAGE + 50],
    [3 * PAGE - 1, 3 * PAGE],
  ]);
});

test('one free range may reach over several stretches, and be longer than what is written at once', () => {
  const pages = 40;
  expect(
    zero(
      pages + 1,
      [
        [10, 1],
        [12, pages],
      ],
      [[10 * PAGE + 8, 60 * PAGE]],
    ),
  ).toEqual([[8, (pages + 1) * PAGE]]);
  expect(zero(1, [[10, 1]], [])).toEqual([]);
});

test('what several places share stays as it is', () => {
  const memFile = join(dir, 'mem.bin');
  writeFileSync(memFile, Buffer.alloc(3 * PAGE, 'x'));
  const stretches = [
    { address: 10 * PAGE, length: 3 * PAGE, memOffset: 0 },
    { address: 13 * PAGE, length: PAGE, memOffset: PAGE, sameAs: 11 * PAGE },
  ];
  const free = [10, 11, 13].map((page) => ({ start: page * PAGE + 5, end: page * PAGE + 9 }));
  zeroFreeBytes(memFile, stretches, free);
  const zeros = [...readFileSync(memFile).entries()].flatMap(([at, byte]) => (byte === 0 ? [at] : []));
  expect(zeros).toEqual([5, 6, 7, 8]);
});
