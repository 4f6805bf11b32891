import { renderJson, renderTable } from '../../../bench/render.ts';
import { median, quantile, roundFigure } from '../../../bench/statistics.ts';

const machine = { cpu: 'Some CPU', cpus: 2, memoryMb: 8000, kernel: '6.1', os: 'Some Linux', node: '20.19.0' };

test('median and quantiles lie between neighbours and do not disturb their input', () => {
  const values = [9, 1, 5, 3];
  expect(median(values)).toBe(4);
  expect(median([7, 100, 1])).toBe(7);
  expect(quantile([0, 10], 0.05)).toBeCloseTo(0.5);
  expect(quantile([2], 0.95)).toBe(2);
  expect(median([])).toBeNaN();
  expect(values).toEqual([9, 1, 5, 3]);
});

test('figures keep two digits below a hundred and one above', () => {
  expect([9.4567, 187.456].map(roundFigure)).toEqual([9.46, 187.5]);
});

test('JSON is one line with bench, machine, figures and runs', () => {
  const text = renderJson('restore', machine, { figures: { a_ms: 1 }, runs: { a_ms: [1, 1] } });
  expect(text.endsWith('}\n')).toBe(true);
  expect(text.trimEnd()).not.toContain('\n');
  expect(JSON.parse(text)).toEqual({ bench: 'restore', machine, figures: { a_ms: 1 }, runs: { a_ms: [1, 1] } });
});

test('the table shows the spread of what was measured more than once', () => {
  const text = renderTable('restore', machine, {
    figures: { cold_ms: 200, layer_mb: 19.5 },
    runs: { cold_ms: [190, 200, 300] },
  });
  expect(text).toBe(
    `restore on 2 × Some CPU, 8000 MB, Linux 6.1, Some Linux

figure    median  5 %  95 %  runs
cold_ms      200  191   290     3
layer_mb    19.5
`,
  );
});

test('a table of two dimensions comes before the figures, in both forms', () => {
  const measurements = {
    figures: { a_mb: 1 },
    runs: {},
    table: { columns: ['Serial MB', 'G1 MB'], rows: [{ name: 'nothing', values: [100.44, 9.876] }] },
  };
  expect(JSON.parse(renderJson('size', machine, measurements)).table).toEqual(measurements.table);
  expect(renderTable('size', machine, measurements)).toContain(`
         Serial MB  G1 MB
nothing      100.4   9.88

figure  median  5 %  95 %  runs
`);
});
