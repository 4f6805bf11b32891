import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import { type CheckpointSizes, type Kept, listDropped, listGivenBack, listKept, sumKept } from './checkpoint-sizes.ts';

/** Tables for people: what a checkpoint holds, and what was left out of it. */
export function renderSizes(facts: CheckpointSizes): string {
  const kept = listKept(facts);
  const total = sumKept('together', kept);
  return [
    `${facts.name}: Java ${facts.javaVersion}, ${facts.gc}`,
    '',
    ...renderTable([['kept', 'raw', '', 'compressed, about'], ...renderKept([...kept, total], total, '  ')]),
    '',
    ...renderTable([
      ['given back in the JVM', '', 'took'],
      ...listGivenBack(facts).map(({ step, bytes, ms }) => [step, renderChange(bytes), renderDuration(ms ?? 0)]),
    ]),
    ...listNotes(facts),
    '',
    ...renderTable([
      ['left out in the compile step', ''],
      ...listDropped(facts).map(({ step, bytes }) => [step, renderBytes(bytes)]),
    ]),
    ...renderClasses(facts),
    ...(facts.skippedSteps.length === 0 ? [] : ['', `skipped steps: ${facts.skippedSteps.join(', ')}`]),
    '',
  ].join('\n');
}

function renderClasses({ classes }: CheckpointSizes): readonly string[] {
  if (classes === null) return [];
  const rows = classes.top.map(({ name, instances, bytes }) => [name, String(instances), renderBytes(bytes)]);
  const all = ['all classes', String(classes.instances), renderBytes(classes.bytes)];
  return ['', ...renderTable([['live objects, by class', 'objects', 'size'], ...rows, all])];
}

/** What the JVM told of its steps. */
export function listNotes(facts: CheckpointSizes): readonly string[] {
  return listGivenBack(facts).flatMap(({ step, note }) => (note === undefined ? [] : [`${step}: ${note}`]));
}

export function renderChange(bytes: number): string {
  return bytes < 0 ? `-${renderBytes(-bytes)}` : renderBytes(bytes);
}

/** Rows of cells; those of parts, below their sum, begin with `indent`. */
export function renderKept(kept: readonly Kept[], total: Kept, indent: string): readonly (readonly string[])[] {
  return kept.flatMap((row) => [
    [row.name, renderBytes(row.rawBytes), renderShare(row, total), renderBytes(row.compressedBytes)],
    ...renderKept(row.parts ?? [], total, indent).map(([name, ...sizes]) => [`${indent}${name}`, ...sizes]),
  ]);
}

function renderShare({ rawBytes }: Kept, total: Kept): string {
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
