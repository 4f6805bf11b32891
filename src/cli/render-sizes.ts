import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import { type CheckpointSizes, type Kept, listDropped, listKept, sumKept } from './checkpoint-sizes.ts';

/** Tables for people: what a checkpoint holds, and what was left out of it. */
export function renderSizes(facts: CheckpointSizes): string {
  const kept = listKept(facts);
  const total = sumKept(kept);
  const dropped = listDropped(facts);
  const steps = Object.entries(facts.stepsMs).map(([step, ms]) => `${step} ${renderDuration(ms)}`);
  return [
    `${facts.name}: Java ${facts.javaVersion}, ${facts.gc}`,
    '',
    ...renderTable([
      ['kept', 'raw', '', 'compressed, about'],
      ...[...kept, total].map((row) => [
        row.name,
        renderBytes(row.rawBytes),
        renderShare(row, total),
        renderBytes(row.compressedBytes),
      ]),
    ]),
    '',
    ...renderTable([['left out', ''], ...dropped.map(({ name, bytes }) => [name, renderBytes(bytes)])]),
    '',
    `in the JVM: ${steps.join(', ')}`,
    '',
  ].join('\n');
}

export function renderShare({ rawBytes }: Kept, total: Kept): string {
  return total.rawBytes === 0 ? '' : `${((100 * rawBytes) / total.rawBytes).toFixed(1)} %`;
}

/** The first column to the left, the others to the right. */
function renderTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
