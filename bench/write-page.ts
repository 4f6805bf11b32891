import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Measurements, Table } from './bench.ts';
import { drawBars, drawLines } from './draw-table.ts';
import type { Machine } from './machine.ts';
import { renderJson } from './render.ts';
import { roundFigure } from './statistics.ts';

/** NAME.json, NAME.md with the table, the machine and the command, and NAME.svg, in `dir`. */
export async function writePage(
  { name, summary, chart }: Bench,
  machine: Machine,
  measurements: Measurements,
  { dir, command, date }: { readonly dir: string; readonly command: string; readonly date: string },
): Promise<void> {
  const { table } = measurements;
  if (chart === undefined || table === undefined) throw new Error(`${name} has no table that could be drawn`);
  const named = distinctParts(table).size > 1 && chart === 'lines' ? splitByApp(table) : new Map([['', table]]);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${name}.json`), renderJson(name, machine, measurements));
  const pictures: string[] = [];
  for (const [app, part] of named) {
    const file = app === '' ? `${name}.svg` : `${name}-${app.replaceAll('_', '-')}.svg`;
    const title = app === '' ? summary : `${app}: ${summary}`;
    await writeFile(join(dir, file), chart === 'bars' ? drawBars(part, title) : drawLines(part, title));
    pictures.push(`![${title}](${file})`);
  }
  const { cpu, cpus, memoryMb, kernel, os, node } = machine;
  const page = [
    `# ${name}`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}. Medians, in milliseconds.`,
    renderMarkdown(table),
    ...pictures,
    `Measured on ${date} by \`${command}\` on ${cpus} × ${cpu}, ${memoryMb} MB, Linux ${kernel}, ${os}, Node.js ${node}. [${name}.json](${name}.json) has each measurement.`,
  ];
  await writeFile(join(dir, `${name}.md`), `${page.join('\n\n')}\n`);
}

function renderMarkdown({ columns, rows }: Table): string {
  const lines = [
    ['', ...columns.map((column) => column.replace(/_ms$/, ''))],
    ['---', ...columns.map(() => '---:')],
    ...rows.map(({ name, values }) => [
      name,
      ...values.map((value) => (Number.isNaN(value) ? '–' : String(roundFigure(value)))),
    ]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Rows are called APP_WAY. */
function distinctParts({ rows }: Table): ReadonlySet<string> {
  return new Set(rows.map(({ name }) => appOf(name)));
}

function splitByApp({ columns, rows }: Table): ReadonlyMap<string, Table> {
  const apps = [...new Set(rows.map(({ name }) => appOf(name)))];
  return new Map(
    apps.map((app) => {
      const own = rows.filter(({ name }) => appOf(name) === app);
      return [app, { columns, rows: own.map(({ name, values }) => ({ name: name.slice(app.length + 1), values })) }];
    }),
  );
}

function appOf(name: string): string {
  return name.replace(/_(?:cold|appcds|aot|criu|crac_build)$/, '');
}
