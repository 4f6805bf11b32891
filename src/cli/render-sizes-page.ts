import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import { type CheckpointSizes, type Kept, listDropped, listGivenBack, listKept, sumKept } from './checkpoint-sizes.ts';
import { escapeXml, renderPage, renderTable } from './render-page.ts';
import { renderChange, renderKept } from './render-sizes.ts';
import { layOutTreemap, type Tile } from './treemap.ts';

const WIDTH = 960;
const HEIGHT = 480;
/** Of a character of the labels, on average. */
const CHARACTER_WIDTH = 7.5;
const LABEL_HEIGHT = 40;
/** Hues of the tiles, in turn; lightness is the scheme's. */
const HUES = [215, 25, 145, 280, 0, 185, 50, 325, 95];

/** Em spaces: ordinary ones do not count in HTML. */
const INDENT = '\u2003\u2003';

const STYLE = `
:root { --tile: 85%; }
@media (prefers-color-scheme: dark) { :root { --tile: 28%; } }
svg { font-size: 13px; }
rect { stroke: var(--back); stroke-width: 2; }
.part { stroke-width: .7; }
.frame { fill: none; pointer-events: none; }
th, td:not(.words) { white-space: nowrap; }
.words { text-align: left; }
td:first-child { white-space: normal; overflow-wrap: anywhere; }
${HUES.map((hue, index) => `.hue${index} { fill: hsl(${hue} 55% var(--tile)); }`).join('\n')}
`;

export function renderSizesPage(facts: CheckpointSizes): string {
  const kept = listKept(facts);
  const total = sumKept('together', kept);
  const title = `Checkpoint of ${facts.name}`;
  const tiles = layOutTreemap(kept, ({ rawBytes }) => rawBytes, { x: 0, y: 0, width: WIDTH, height: HEIGHT });
  const rows = renderKept([...kept, total], total, INDENT);
  const givenBack = listGivenBack(facts).map(({ step, does, bytes, ms, note }) => [
    step,
    renderChange(bytes),
    renderDuration(ms ?? 0),
    note ?? does ?? '',
  ]);
  const dropped = listDropped(facts).map(({ step, does, bytes }) => [step, renderBytes(bytes), does ?? '']);
  return renderPage(
    title,
    STYLE,
    `<p>Java ${escapeXml(facts.javaVersion)}, ${escapeXml(facts.gc)}: ${renderBytes(total.rawBytes)} raw, about ${renderBytes(total.compressedBytes)} compressed.</p>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Raw size by cause">
${tiles.map((tile, index) => renderTile(tile, index % HUES.length)).join('\n')}
</svg>
${renderTable(['kept', 'raw', 'share', 'compressed, about'], rows)}
${renderTable(['given back in the JVM', 'size', 'took', ''], givenBack)}
${renderTable(['left out in the compile step', 'size', ''], dropped)}${renderSkipped(facts)}${renderClasses(facts)}`,
  );
}

function renderSkipped({ skippedSteps }: CheckpointSizes): string {
  return skippedSteps.length === 0 ? '' : `\n<p>Skipped steps: ${skippedSteps.join(', ')}</p>`;
}

function renderClasses({ classes }: CheckpointSizes): string {
  if (classes === null) return '';
  const rows = [...classes.top, { name: 'all classes', ...classes }].map(({ name, instances, bytes }) => [
    name,
    String(instances),
    renderBytes(bytes),
  ]);
  return `\n${renderTable(['live objects, by class', 'objects', 'size'], rows)}`;
}

/** What is made of parts is a group of their tiles in one frame. */
function renderTile(tile: Tile<Kept>, hue: number): string {
  const { item, ...space } = tile;
  if (item.parts === undefined) return renderLeaf(tile, item.name, `hue${hue}`);
  const parts = layOutTreemap(item.parts, ({ rawBytes }) => rawBytes, space).map((part) =>
    renderLeaf(part, `${item.name}, ${part.item.name}`, `hue${hue} part`),
  );
  return `<g>${renderTitle(item.name, item)}${parts.join('')}<rect class="frame" ${renderPlace(tile)} /></g>`;
}

/** `name`: in full; where there is no room for it the item's own will do. */
function renderLeaf(tile: Tile<Kept>, name: string, classes: string): string {
  const { item, x, y, width, height } = tile;
  const raw = renderBytes(item.rawBytes);
  const hasRoom = (text: string) =>
    Math.max(text.length, raw.length) * CHARACTER_WIDTH + 12 <= width && height >= LABEL_HEIGHT;
  const text = [name, item.name].find(hasRoom);
  const label = text
    ? `<text x="${round(x + 6)}" y="${round(y + 17)}">${escapeXml(text)}<tspan x="${round(x + 6)}" dy="16">${raw}</tspan></text>`
    : '';
  return `<g>${renderTitle(name, item)}<rect class="${classes}" ${renderPlace(tile)} />${label}</g>`;
}

function renderTitle(name: string, { rawBytes, compressedBytes }: Kept): string {
  return `<title>${escapeXml(name)}: ${renderBytes(rawBytes)}, about ${renderBytes(compressedBytes)} compressed</title>`;
}

function renderPlace({ x, y, width, height }: Tile<Kept>): string {
  return `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
