import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawBars, drawLines } from '../../../bench/draw-table.ts';
import { writePage } from '../../../bench/write-page.ts';

const TABLE = {
  columns: ['cold_ms', 'aot_ms', 'crac_build_ms'],
  rows: [
    { name: 'quarkus', values: [1000, Number.NaN, 10] },
    { name: 'petclinic', values: [5000, 800, 20] },
  ],
};
const LINES = {
  columns: ['1_ms', '200_ms'],
  rows: [
    { name: 'quarkus_cold', values: [1000, 1500] },
    { name: 'quarkus_crac_build', values: [10, 100] },
    { name: 'petclinic_cold', values: [5000, 9000] },
  ],
};
const MACHINE = { cpu: 'Some CPU', cpus: 2, memoryMb: 8000, kernel: '6.1', os: 'Some Linux', node: '20.19.0' };

const widths = (svg: string) =>
  [...svg.matchAll(/<rect x="[^"]+" y="[^"]+" width="([^"]+)"/g)].map(([, w]) => Number(w));

test('bars are as long as their logarithm, and what was not measured has none', () => {
  const svg = drawBars(TABLE, 'startup');
  const [cold = 0, restored = 0, ...more] = widths(svg);
  expect(more).toHaveLength(3);
  // From 10 ms, where the axis begins, to 1000 ms: two of its three decades.
  expect(restored).toBe(0);
  expect(cold / (more[0] ?? 0)).toBeCloseTo(2 / Math.log10(500), 2);
  expect(svg).toContain('800 ms aot');
});

test('lines begin and end where their values are', () => {
  const svg = drawLines(LINES, 'operations');
  const [first = ''] = [...svg.matchAll(/points="([^"]+)"/g)].map(([, points]) => points);
  expect(first?.split(' ')).toHaveLength(2);
  expect(svg).toContain('quarkus_crac_build');
});

test('a page has table, pictures, machine and command; operations have a picture for each app', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'page-'));
  try {
    const about = { dir, command: 'npm run -s bench -- operations', date: '2026-01-02' };
    const bench = { name: 'operations', summary: 'time until', run: async () => ({ figures: {}, runs: {} }) };
    await writePage({ ...bench, chart: 'lines' }, MACHINE, { figures: { a_ms: 1 }, runs: {}, table: LINES }, about);
    const page = readFileSync(join(dir, 'operations.md'), 'utf8');
    expect(page).toContain('| quarkus_cold | 1000 | 1500 |');
    expect(page).toContain('Measured on 2026-01-02 by `npm run -s bench -- operations` on 2 × Some CPU');
    expect(readFileSync(join(dir, 'operations-petclinic.svg'), 'utf8')).toContain('cold');
    expect(JSON.parse(readFileSync(join(dir, 'operations.json'), 'utf8'))).toMatchObject({ figures: { a_ms: 1 } });
    await expect(writePage(bench, MACHINE, { figures: {}, runs: {} }, about)).rejects.toThrow('no table');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
