import { renderDuration } from '../report/render-duration.ts';
import {
  type Expectation,
  type Extent,
  type Load,
  nameEndpoint,
  type Scenario,
  type Step,
  type WarmUpPlan,
} from '../warm-up/scenario.ts';
import type { BuildPlan } from './build-plan.ts';
import { quoteWord } from './quote-word.ts';

export function renderWarmUp({ warmUp, checkpoint }: BuildPlan): readonly string[] {
  const { scenarios, timeoutMs } = warmUp;
  return [
    renderTitle(scenarios, timeoutMs, checkpoint.trigger),
    ...renderConnection(warmUp),
    ...renderMix(warmUp),
    ...scenarios.flatMap(renderScenario),
  ];
}

function renderTitle(
  scenarios: readonly Scenario[],
  timeoutMs: number,
  trigger: BuildPlan['checkpoint']['trigger'],
): string {
  const limit = renderDuration(timeoutMs);
  if (trigger === 'app') {
    const requests = scenarios.length === 0 ? '' : '; when the image is verified it is asked';
    return `warm-up: the app's own, it asks for its checkpoint within ${limit}${requests}`;
  }
  return scenarios.length === 0 ? 'warm-up: none' : `warm-up: within ${limit}`;
}

function renderConnection({ connection: { protocol, tls } }: WarmUpPlan): readonly string[] {
  if (protocol === 'http/1.1' && tls === undefined) return [];
  const trust = tls?.insecure ? ', any certificate' : tls?.ca === undefined ? '' : `, certificates of ${tls.ca}`;
  return [`  over ${protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1'}${tls === undefined ? '' : ` and TLS${trust}`}`];
}

function renderMix({ pace, until, min, max, seed }: WarmUpPlan): readonly string[] {
  if (until === undefined) return [];
  const who = pace.kind === 'rate' ? `${pace.perSecond} begin each second` : renderUsers(pace.concurrency);
  const end = {
    settled: () => `until the app has settled, ${renderLimits(min, max)}`,
    requests: () => `until ${(until as { count: number }).count} requests are answered`,
    duration: () => `for ${renderDuration((until as { durationMs: number }).durationMs)}`,
  }[until.kind]();
  return [`  ${who}, ${end}; seed ${seed}`];
}

function renderUsers(concurrency: number): string {
  return concurrency === 1 ? 'one user' : `${concurrency} users at once`;
}

function renderLimits(min: Extent, max: Extent): string {
  const texts = [
    ...renderExtent(min).map((text) => `not before ${text}`),
    ...renderExtent(max).map((text) => `after ${text} at the latest`),
  ];
  return texts.join(', ');
}

function renderExtent({ durationMs, requests }: Extent): readonly string[] {
  return [
    ...(durationMs === undefined ? [] : [renderDuration(durationMs)]),
    ...(requests === undefined ? [] : [`${requests} requests`]),
  ];
}

function renderScenario(scenario: Scenario): readonly string[] {
  const { name, load } = scenario;
  if (scenario.kind === 'script') {
    const { path, port, options } = scenario;
    const given = Object.keys(options).length === 0 ? '' : `, with ${JSON.stringify(options)}`;
    return [`  ${name}, ${renderLoad(load)}`, `    the script ${path}, at port ${port}${given}`];
  }
  if (scenario.kind === 'command')
    return [
      `  ${name}, ${renderLoad(load)}`,
      `    \`${scenario.argv.map(quoteWord).join(' ')}\` in the build container`,
    ];
  if (scenario.kind === 'java')
    return [`  ${name}, ${renderLoad(load)}`, `    the class ${scenario.className} in the app's JVM`];
  const { steps } = scenario;
  const [only] = steps;
  const isPlain = only !== undefined && (load.kind === 'fixed' || name === nameEndpoint(only));
  if (steps.length === 1 && isPlain) return [renderStep(only, renderLoad(load), '  ')];
  return [`  ${name}, ${renderLoad(load)}`, ...steps.map((step) => renderStep(step, undefined, '    '))];
}

function renderLoad(load: Load): string {
  if (load.kind === 'mixed') return `weight ${load.weight}`;
  return load.count === 1 ? 'once' : `${load.count} times, ${load.concurrency} at once`;
}

function renderStep(
  { method, port, path, expect, capture, thinkMs }: Step,
  load: string | undefined,
  indent: string,
): string {
  const names = Object.keys(capture).map((name) => `{{${name}}}`);
  return [
    `${indent}${method} :${port}${path}`,
    ...(load === undefined ? [] : [load]),
    renderExpectation(expect),
    ...(names.length === 0 ? [] : [`gives ${names.join(', ')}`]),
    ...(thinkMs === 0 ? [] : [`then ${renderDuration(thinkMs)} of thinking`]),
  ].join(', ');
}

function renderExpectation({ status, contains, headers, json }: Expectation): string {
  const parts = [
    ...(contains === undefined ? [] : [JSON.stringify(contains)]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(json === undefined ? [] : ['JSON of its schema']),
  ];
  return `answered ${status}${parts.length === 0 ? '' : ` with ${parts.join(' and ')}`}`;
}
