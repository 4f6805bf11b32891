import type { Measurements } from './bench.ts';
import type { Machine } from './machine.ts';
import { quantile, roundFigure } from './statistics.ts';

/** The one form of all benches: a single JSON object. */
export function renderJson(bench: string, machine: Machine, { figures, runs }: Measurements): string {
  return `${JSON.stringify({ bench, machine, figures, runs })}\n`;
}

/** Figures with the spread of their runs, for people. */
export function renderTable(bench: string, machine: Machine, { figures, runs }: Measurements): string {
  const rows = Object.entries(figures).map(([key, figure]) => {
    const values = runs[key] ?? [];
    const spread = [0.05, 0.95].map((fraction) => (values.length > 1 ? show(quantile(values, fraction)) : ''));
    return [key, show(figure), ...spread, values.length > 0 ? String(values.length) : ''];
  });
  const table = [['figure', 'median', '5 %', '95 %', 'runs'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const { cpu, cpus, memoryMb, kernel, os } = machine;
  return `${bench} on ${cpus} × ${cpu}, ${memoryMb} MB, Linux ${kernel}, ${os}\n\n${lines.join('\n')}\n`;
}

function show(value: number): string {
  return String(roundFigure(value));
}
