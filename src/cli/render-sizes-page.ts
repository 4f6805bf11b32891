import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import { type CheckpointSizes, type Kept, listDropped, listGivenBack, listKept, sumKept } from './checkpoint-sizes.ts';
import { renderChange, renderShare } from './render-sizes.ts';
import { layOutTreemap, type Tile } from './treemap.ts';

const WIDTH = 960;
const HEIGHT = 480;
/** Of a character of the labels, on average. */
const CHARACTER_WIDTH = 7.5;
const LABEL_HEIGHT = 40;
/** Hues of the tiles, in turn; lightness is the scheme's. */
const HUES = [215, 25, 145, 280, 0, 185, 50, 325, 95];

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --back: #fff; --line: #d0d5db; --tile: 85%; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --back: #14171b; --line: #3a4048; --tile: 28%; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 2rem auto; max-width: 960px; padding: 0 1rem; }
svg { width: 100%; height: auto; font-size: 13px; }
rect { stroke: var(--back); stroke-width: 2; }
text { fill: var(--text); }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: right; padding: .2rem .8rem; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
${HUES.map((hue, index) => `.hue${index} { fill: hsl(${hue} 55% var(--tile)); }`).join('\n')}
`;

/** One page with all that it needs: also well-formed XML. */
export function renderSizesPage(facts: CheckpointSizes): string {
  const kept = listKept(facts);
  const total = sumKept(kept);
  const title = `Checkpoint of ${facts.name}`;
  const tiles = layOutTreemap(kept, ({ rawBytes }) => rawBytes, { x: 0, y: 0, width: WIDTH, height: HEIGHT });
  const rows = [...kept, total].map((row) => [
    row.name,
    renderBytes(row.rawBytes),
    renderShare(row, total),
    renderBytes(row.compressedBytes),
  ]);
  const givenBack = listGivenBack(facts).map(({ step, does, bytes, ms, note }) => [
    step,
    renderChange(bytes),
    renderDuration(ms ?? 0),
    note ?? does ?? '',
  ]);
  const dropped = listDropped(facts).map(({ step, does, bytes }) => [step, renderBytes(bytes), does ?? '']);
  return `<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeXml(title)}</h1>
<p>Java ${escapeXml(facts.javaVersion)}, ${escapeXml(facts.gc)}: ${renderBytes(total.rawBytes)} raw, about ${renderBytes(total.compressedBytes)} compressed.</p>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Raw size by cause">
${tiles.map(renderTile).join('\n')}
</svg>
${renderTable(['kept', 'raw', 'share', 'compressed, about'], rows)}
${renderTable(['given back in the JVM, by step', 'size', 'in', ''], givenBack)}
${renderTable(['left out in the compile step', 'size', ''], dropped)}
</body>
</html>
`;
}

function renderTile({ item, x, y, width, height }: Tile<Kept>, index: number): string {
  const { name, rawBytes, compressedBytes } = item;
  const sizes = `${renderBytes(rawBytes)}, about ${renderBytes(compressedBytes)} compressed`;
  const raw = renderBytes(rawBytes);
  const hasRoom = Math.max(name.length, raw.length) * CHARACTER_WIDTH + 12 <= width && height >= LABEL_HEIGHT;
  const label = hasRoom
    ? `<text x="${round(x + 6)}" y="${round(y + 17)}">${escapeXml(name)}<tspan x="${round(x + 6)}" dy="16">${raw}</tspan></text>`
    : '';
  const place = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
  return `<g><title>${escapeXml(name)}: ${sizes}</title><rect class="hue${index % HUES.length}" ${place} />${label}</g>`;
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeXml(cell)}</td>`).join('')}</tr>`).join('\n');
  const cells = head.map((cell) => `<th>${escapeXml(cell)}</th>`).join('');
  return `<table>\n<thead><tr>${cells}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
