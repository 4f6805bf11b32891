import type { Table } from './bench.ts';

const WIDTH = 900;
const LEFT = 130;
const RIGHT = 150;
const ROW_GAP = 18;
const BAR = 14;
const PLOT_HEIGHT = 420;
const COLOURS = ['#5b6770', '#9a6fb0', '#c9852c', '#3b7dd8', '#2a9d5c'];

/** SVG: a group of bars a row, on a logarithmic axis of milliseconds, each with its value. NaN: left out. */
export function drawBars({ columns, rows }: Table, title: string): string {
  const [low, high] = decades(rows.flatMap(({ values }) => values));
  const x = (value: number) => LEFT + (Math.log10(value / low) / Math.log10(high / low)) * (WIDTH - LEFT - RIGHT);
  const groupHeight = columns.length * BAR + ROW_GAP;
  const top = 34;
  const height = top + rows.length * groupHeight + 24;
  const ticks = listDecades(low, high).map((value) => drawTick(x(value), top, height - 24, value));
  const bars = rows.flatMap(({ name, values }, row) => {
    const y = top + row * groupHeight + ROW_GAP / 2;
    const label = `<text x="${LEFT - 8}" y="${y + (columns.length * BAR) / 2 + 4}" text-anchor="end">${name}</text>`;
    const drawn = values.map((value, column) =>
      Number.isNaN(value)
        ? ''
        : `<rect x="${LEFT}" y="${y + column * BAR}" width="${round(x(value) - LEFT)}" height="${BAR - 2}" fill="${COLOURS[column % COLOURS.length]}"/><text x="${round(x(value) + 4)}" y="${y + column * BAR + BAR - 4}" class="value">${show(value)} ms ${nameOf(columns[column])}</text>`,
    );
    return [label, ...drawn];
  });
  return wrap(height, title, [...ticks, ...bars]);
}

/** SVG: a line a row over the numbers that begin the columns' names, both axes logarithmic. */
export function drawLines({ columns, rows }: Table, title: string): string {
  const counts = columns.map((column) => Number.parseFloat(column));
  const [low, high] = decades(rows.flatMap(({ values }) => values));
  const [first, last] = decades(counts);
  const top = 34;
  const bottom = top + PLOT_HEIGHT;
  const x = (count: number) => LEFT + (Math.log10(count / first) / Math.log10(last / first)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => bottom - (Math.log10(value / low) / Math.log10(high / low)) * PLOT_HEIGHT;
  const grid = [
    ...listDecades(low, high).map(
      (value) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(value))}" y2="${round(y(value))}" class="grid"/><text x="${LEFT - 8}" y="${round(y(value) + 4)}" text-anchor="end">${show(value)} ms</text>`,
    ),
    ...counts.map((count) => `<text x="${round(x(count))}" y="${bottom + 18}" text-anchor="middle">${count}</text>`),
  ];
  const lines = rows.map(({ name, values }, row) => {
    const known = values.flatMap((value, index) => (Number.isNaN(value) ? [] : [[counts[index] ?? 1, value] as const]));
    const [endCount = 1, endValue = 1] = known.at(-1) ?? [];
    const colour = COLOURS[row % COLOURS.length];
    const points = known.map(([count, value]) => `${round(x(count))},${round(y(value))}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${round(x(endCount) + 6)}" y="${round(y(endValue) + 4)}" class="value" fill="${colour}">${name}</text>`;
  });
  return wrap(bottom + 30, title, [...grid, ...lines]);
}

function wrap(height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
<style>text{font:12px sans-serif;fill:#333}.value{font-size:10px}.grid{stroke:#ddd}.title{font-weight:bold;font-size:14px}</style>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="20" class="title">${title}</text>
${parts.filter((part) => part !== '').join('\n')}
</svg>
`;
}

function drawTick(x: number, top: number, bottom: number, value: number): string {
  return `<line x1="${round(x)}" x2="${round(x)}" y1="${top}" y2="${bottom}" class="grid"/><text x="${round(x)}" y="${bottom + 16}" text-anchor="middle">${show(value)} ms</text>`;
}

/** The powers of ten around all values. */
function decades(values: readonly number[]): readonly [number, number] {
  const known = values.filter((value) => value > 0);
  return [10 ** Math.floor(Math.log10(Math.min(...known))), 10 ** Math.ceil(Math.log10(Math.max(...known)))];
}

function listDecades(low: number, high: number): readonly number[] {
  const count = Math.round(Math.log10(high / low));
  return Array.from({ length: count + 1 }, (_, index) => low * 10 ** index);
}

function nameOf(column = ''): string {
  return column.replace(/_ms$/, '');
}

function show(value: number): string {
  return value < 10 ? value.toFixed(1).replace(/\.0$/, '') : String(Math.round(value));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
