import { escapeXml } from './render-page.ts';

/** A panel of a chart over time; panels below each other share the axis of time. */
export interface Panel {
  readonly title: string;
  readonly scale: 'linear' | 'logarithmic';
  readonly series: readonly Series[];
  /** "12.5 ms" for a value at the axis. */
  readonly renderValue: (value: number) => string;
}

export interface Series {
  readonly name: string;
  readonly kind: 'line' | 'faint-line' | 'bars';
  /** Of a class `hueN`. */
  readonly hue: number;
  /** The n-th belongs to [n, n + 1) widths; null: a gap. */
  readonly values: readonly (number | null)[];
}

const WIDTH = 960;
const LEFT = 70;
const RIGHT = 10;
const PANEL_HEIGHT = 190;
const TOP = 26;
const BOTTOM = 14;
const AXIS_HEIGHT = 24;
const TICKS = [1, 2, 5];

/** SVG. `widthMs`: how long each value stands for. */
export function renderChart(panels: readonly Panel[], widthMs: number, renderTime: (ms: number) => string): string {
  const count = Math.max(1, ...panels.flatMap(({ series }) => series.map(({ values }) => values.length)));
  const x = (index: number) => round(LEFT + (index / count) * (WIDTH - LEFT - RIGHT));
  const height = panels.length * PANEL_HEIGHT + AXIS_HEIGHT;
  const times = chooseTicks(count * widthMs, 8).map((ms) => {
    const at = x(ms / widthMs);
    return `<line class="grid" x1="${at}" y1="0" x2="${at}" y2="${height - AXIS_HEIGHT}" /><text class="tick" x="${at}" y="${height - 6}" text-anchor="middle">${escapeXml(renderTime(ms))}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(panels.map(({ title }) => title).join('; '))}">
${times.join('\n')}
${panels.map((panel, index) => renderPanel(panel, index * PANEL_HEIGHT, x)).join('\n')}
</svg>`;
}

function renderPanel({ title, scale, series, renderValue }: Panel, top: number, x: (index: number) => number): string {
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const [low, high] = chooseRange(known, scale);
  const bottomY = top + PANEL_HEIGHT - BOTTOM;
  const space = PANEL_HEIGHT - TOP - BOTTOM;
  const measure = (value: number) => (scale === 'linear' ? value : Math.log(Math.max(value, low)));
  const y = (value: number) =>
    round(bottomY - ((measure(value) - measure(low)) / (measure(high) - measure(low) || 1)) * space);
  const ticks = scale === 'linear' ? chooseTicks(high, 4) : chooseDecades(low, high);
  const grid = ticks.map(
    (value) =>
      `<line class="grid" x1="${LEFT}" y1="${y(value)}" x2="${WIDTH - RIGHT}" y2="${y(value)}" /><text class="tick" x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${escapeXml(renderValue(value))}</text>`,
  );
  const drawn = series.map((one) => (one.kind === 'bars' ? renderBars(one, x, y, bottomY) : renderLine(one, x, y)));
  return `<g><text class="title" x="${LEFT}" y="${top + 16}">${escapeXml(title)}</text>
${grid.join('\n')}
${drawn.join('\n')}</g>`;
}

/** Broken where there is no value; a value between two gaps is a short stroke. */
function renderLine({ name, kind, hue, values }: Series, x: (index: number) => number, y: (value: number) => number) {
  let path = '';
  let isOpen = false;
  for (const [index, value] of values.entries()) {
    if (value !== null) path += `${isOpen ? 'L' : 'M'}${round(x(index + 0.5))} ${y(value)}${isOpen ? '' : 'h.5'}`;
    isOpen = value !== null;
  }
  return `<path class="${kind} hue${hue}" d="${path}"><title>${escapeXml(name)}</title></path>`;
}

function renderBars(
  { name, hue, values }: Series,
  x: (index: number) => number,
  y: (value: number) => number,
  bottomY: number,
): string {
  const bars = values.map((value, index) => {
    if (value === null || value === 0) return '';
    const width = Math.max(1, round(x(index + 1) - x(index) - 1));
    return `<rect x="${x(index)}" y="${y(value)}" width="${width}" height="${round(bottomY - y(value))}" />`;
  });
  return `<g class="bars hue${hue}"><title>${escapeXml(name)}</title>${bars.join('')}</g>`;
}

function chooseRange(values: readonly number[], scale: Panel['scale']): readonly [number, number] {
  const high = Math.max(0, ...values);
  if (scale === 'linear') return [0, high === 0 ? 1 : high];
  const positive = values.filter((value) => value > 0);
  return positive.length === 0 ? [0.1, 1] : [Math.min(...positive) / 1.2, high * 1.2];
}

/** Round numbers from 0 to `high`, about `count` of them. */
function chooseTicks(high: number, count: number): readonly number[] {
  const rough = high / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (TICKS.find((tick) => tick * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, index) => index * step);
}

/** 1, 2 and 5 of each power of ten; only powers where that is too many. */
function chooseDecades(low: number, high: number): readonly number[] {
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) powers.push(power);
  const all = powers.flatMap((power) => TICKS.map((tick) => tick * 10 ** power));
  const inside = all.filter((value) => value >= low && value <= high);
  return inside.length <= 6 ? inside : inside.filter((value) => Number.isInteger(Math.log10(value)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
