import type { Measurements, Table } from './bench.ts';
import type { Machine } from './machine.ts';
import { quantile, roundFigure } from './statistics.ts';

/** The one form of all benches: a single JSON object. */
export function renderJson(bench: string, machine: Machine, { figures, runs, table }: Measurements): string {
  return `${JSON.stringify({ bench, machine, figures, runs, table })}\n`;
}

/** Figures with the spread of their runs, for people. */
export function renderTable(bench: string, machine: Machine, { figures, runs, table }: Measurements): string {
  const rows = Object.entries(figures).map(([key, figure]) => {
    const values = runs[key] ?? [];
    const spread = [0.05, 0.95].map((fraction) => (values.length > 1 ? show(quantile(values, fraction)) : ''));
    return [key, show(figure), ...spread, values.length > 0 ? String(values.length) : ''];
  });
  const { cpu, cpus, memoryMb, kernel, os } = machine;
  const parts = [
    `${bench} on ${cpus} × ${cpu}, ${memoryMb} MB, Linux ${kernel}, ${os}`,
    ...(table === undefined ? [] : [alignColumns(listCells(table))]),
    alignColumns([['figure', 'median', '5 %', '95 %', 'runs'], ...rows]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function listCells({ columns, rows }: Table): readonly (readonly string[])[] {
  return [['', ...columns], ...rows.map(({ name, values }) => [name, ...values.map(show)])];
}

function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function show(value: number): string {
  return String(roundFigure(value));
}
