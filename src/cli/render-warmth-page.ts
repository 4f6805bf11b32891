import type { BuildResult } from '../build.ts';
import { renderDuration } from '../report/render-duration.ts';
import type { Latency } from '../warm-up/latency.ts';
import type { FirstRequests } from '../warm-up/warmth.ts';
import type { WarmthCurve } from '../warm-up/warmth-curve.ts';
import { type Panel, renderChart, type Series } from './chart.ts';
import { escapeXml, renderPage, renderTable } from './render-page.ts';
import { renderStateTables } from './render-state.ts';
import { renderStopped } from './render-warmth.ts';

/** Of the endpoints, in turn; the compilers have the first. */
const HUES = [215, 25, 145, 280, 0, 185, 50, 325, 95];

const STYLE = `
:root { --line-light: 45%; }
@media (prefers-color-scheme: dark) { :root { --line-light: 65%; } }
svg { font-size: 12px; }
.title { font-weight: 600; }
.tick { fill-opacity: .7; }
.grid { stroke: var(--line); stroke-width: .6; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.faint-line { fill: none; stroke-width: 1; stroke-opacity: .6; stroke-dasharray: 4 3; }
.bars { stroke: none; fill-opacity: .75; }
.key { display: inline-block; margin-right: 1.2rem; }
.key svg { width: 1.4rem; height: .7rem; }
${HUES.map((hue, index) => `.hue${index} { stroke: hsl(${hue} 60% var(--line-light)); } .bars.hue${index} { fill: hsl(${hue} 60% var(--line-light)); }`).join('\n')}
`;

const LATENCY_HEAD = ['p50', 'p90', 'p99', 'max'];

/** How the app became warm, and what the first users get: as a page. */
export function renderWarmthPage({
  plan,
  ready,
  warmth,
  state,
  verified,
}: Pick<BuildResult, 'plan' | 'ready' | 'warmth' | 'state' | 'verified'>): string {
  const first = verified !== undefined && 'firstRequests' in verified ? verified.firstRequests : undefined;
  const parts = [
    `<p>Java ${escapeXml(ready.javaVersion)}, ${escapeXml(ready.gc)}.</p>`,
    ...(warmth === undefined ? ['<p>The app asked for its checkpoint by itself.</p>'] : renderWarming(warmth)),
    ...(first === undefined ? [] : renderFirst(first, warmth?.atEnd)),
    ...renderStateTables(state),
  ];
  return renderPage(`Warm-up of ${plan.name}`, STYLE, parts.join('\n'));
}

function renderWarming(warmth: NonNullable<BuildResult['warmth']>): readonly string[] {
  const { endpoints, curve, requestCount, durationMs, stopped } = warmth;
  const why = renderStopped(stopped, durationMs).map((line) => `; ${line.trim()}`);
  const rows = endpoints.flatMap(({ method, path, count, first, last }) => [
    [`${method} ${path}, first`, `${first.count} of ${count}`, ...renderLatency(first)],
    [`${method} ${path}, last`, `${last.count} of ${count}`, ...renderLatency(last)],
  ]);
  return [
    `<p>${requestCount} requests in ${escapeXml(renderDuration(durationMs) + why.join(''))}.</p>`,
    `<p>${curve.endpoints.map(renderKey).join('\n')}</p>`,
    renderChart(composePanels(curve), curve.widthMs, renderTime),
    renderTable(['answers', 'requests', ...LATENCY_HEAD], rows),
  ];
}

function renderKey({ method, path }: WarmthCurve['endpoints'][number], index: number): string {
  return `<span class="key"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><line class="line hue${index % HUES.length}" x1="1" y1="5" x2="19" y2="5" /></svg> ${escapeXml(`${method} ${path}`)}</span>`;
}

function composePanels({ endpoints, jit, widthMs }: WarmthCurve): readonly Panel[] {
  const perSecond = (values: readonly (number | null)[]) =>
    values.map((value) => (value === null ? null : (value * 1000) / widthMs));
  const latencies = endpoints.flatMap(({ method, path, p50Ms, p99Ms }, index): readonly Series[] => {
    const hue = index % HUES.length;
    return [
      { name: `${method} ${path}, p99`, kind: 'faint-line', hue, values: p99Ms },
      { name: `${method} ${path}, p50`, kind: 'line', hue, values: p50Ms },
    ];
  });
  const bars = (name: string, hue: number, values: readonly (number | null)[]): readonly Series[] => [
    { name, kind: 'bars', hue, values },
  ];
  const plain = (value: number) => String(Math.round(value * 100) / 100);
  const panels: readonly Panel[] = [
    {
      title: 'Answers: median, and 99th percentile (dashed)',
      scale: 'logarithmic',
      series: latencies,
      renderValue: renderDuration,
    },
    {
      title: 'CPU time of the compilers, of one CPU',
      scale: 'linear',
      series: bars('CPU of the compilers', 0, jit.compilerShare),
      renderValue: (value) => `${Math.round(value * 100)} %`,
    },
    {
      title: 'Methods compiled a second',
      scale: 'linear',
      series: bars('compilations', 2, perSecond(jit.compilations)),
      renderValue: plain,
    },
    {
      title: 'Compiled code that was thrown away, a second',
      scale: 'linear',
      series: bars('discarded code', 4, perSecond(jit.discardedCode)),
      renderValue: plain,
    },
    {
      title: 'Classes loaded a second',
      scale: 'linear',
      series: bars('classes', 3, perSecond(jit.loadedClasses)),
      renderValue: plain,
    },
    {
      title: 'Pauses of garbage collections, ms a second',
      scale: 'linear',
      series: bars('collections', 1, perSecond(jit.collectionMs)),
      renderValue: plain,
    },
  ];
  return panels.filter(({ series }) => series.some(({ values }) => values.some((value) => value !== null)));
}

function renderFirst(
  { restored, cold }: { readonly restored: FirstRequests; readonly cold: FirstRequests },
  atEnd: FirstRequests | undefined,
): readonly string[] {
  const kinds = [
    ['cold', cold],
    ...(atEnd === undefined ? [] : [['at the end of the warm-up', atEnd] as const]),
    ['restored', restored],
  ] as const;
  const rows = kinds.map(([name, requests]) => [name, String(requests.count), ...renderLatency(requests)]);
  const byEndpoint = restored.endpoints.flatMap(({ method, path }) =>
    kinds.flatMap(([name, { endpoints }]) => {
      const own = endpoints.find((one) => one.method === method && one.path === path);
      return own === undefined ? [] : [[`${method} ${path}, ${name}`, String(own.count), ...renderLatency(own)]];
    }),
  );
  return [
    '<h2>The first requests</h2>',
    '<p>Sent one after the other right after a start of the finished image.</p>',
    renderTable(['start', 'requests', ...LATENCY_HEAD], rows),
    renderTable(['by endpoint', 'requests', ...LATENCY_HEAD], byEndpoint),
  ];
}

function renderLatency({ p50Ms, p90Ms, p99Ms, maxMs }: Latency): readonly string[] {
  return [p50Ms, p90Ms, p99Ms, maxMs].map(renderDuration);
}

function renderTime(ms: number): string {
  return ms === 0 ? '0' : `${Math.round(ms / 100) / 10} s`;
}
