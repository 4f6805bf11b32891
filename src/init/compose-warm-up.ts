import type { Imported, ImportedScenario, ImportedStep } from './imported.ts';
import { asItem, indent, renderComment, renderValue } from './render-yaml.ts';

/** The scenarios as the `warmUp` section of crac-build.yaml, in lines. */
export function composeWarmUp(
  imports: readonly Imported[],
  {
    head = [],
    port,
  }: {
    /** Lines that come first in the section. */
    readonly head?: readonly string[];
    /** Of every step, where it is not that of the readiness. */
    readonly port?: number;
  } = {},
): readonly string[] {
  const taken = new Set<string>();
  const named = imports.map((imported) => ({
    ...imported,
    scenarios: imported.scenarios.map((scenario) => ({
      ...guardTemplates(scenario),
      name: takeName(scenario.name, taken),
    })),
  }));
  const isEmpty = named.every(({ scenarios }) => scenarios.every((scenario) => whatIsMissing(scenario) !== undefined));
  const section = [
    'warmUp:',
    ...indent(head),
    isEmpty ? '  # scenarios:' : '  scenarios:',
    ...separate(
      named.flatMap(({ source, notes, scenarios }) => [
        [
          ...indent(renderComment(`From ${source}${notes.length === 0 ? '.' : ':'}`), 4),
          ...indent(
            notes.flatMap((note) => renderComment(note, '- ')),
            4,
          ),
        ],
        ...scenarios.map((scenario) => indent(renderScenario(scenario, port), 4)),
      ]),
    ),
  ];
  /** A key without a value would be a mistake. */
  return isEmpty && head.every((line) => line.startsWith('#'))
    ? section.map((line) => (line === 'warmUp:' ? `# ${line}` : line))
    : section;
}

function separate(blocks: readonly (readonly string[])[]): readonly string[] {
  return blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function takeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let index = 2; taken.has(free); index++) free = `${name} (${index})`;
  taken.add(free);
  return free;
}

/** What cannot work as it is becomes a comment, whole. */
function renderScenario(scenario: ImportedScenario, port: number | undefined): readonly string[] {
  const missing = whatIsMissing(scenario);
  const { name, weight = 1, steps, comments } = scenario;
  const lines = [
    ...renderValue({ name, ...(weight === 1 ? {} : { weight }) }),
    'steps:',
    ...steps.flatMap((step) =>
      indent([...step.comments.flatMap((comment) => renderComment(comment)), ...asItem(renderStep(step, port))]),
    ),
  ];
  const item = asItem(lines);
  return [
    ...comments.flatMap((comment) => renderComment(comment)),
    ...(missing === undefined ? [] : renderComment(`missing: ${missing}`)),
    ...(missing === undefined ? item : item.map((line) => `# ${line}`.trimEnd())),
  ];
}

function whatIsMissing({ steps }: ImportedScenario): string | undefined {
  return steps.find(({ missing }) => missing !== undefined)?.missing;
}

function renderStep(
  { method, path, headers, body, form, status, thinkMs }: ImportedStep,
  port: number | undefined,
): readonly string[] {
  const isShort =
    port === undefined &&
    headers === undefined &&
    body === undefined &&
    form === undefined &&
    status === undefined &&
    thinkMs === undefined;
  if (isShort && !/\s/.test(path)) return renderValue(`${method} ${path}`);
  return renderValue({
    ...(method === 'GET' ? {} : { method }),
    ...(port === undefined ? {} : { port }),
    path,
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    ...(form === undefined ? {} : { form }),
    ...(status === undefined ? {} : { expect: { status } }),
    ...(thinkMs === undefined ? {} : { think: `${thinkMs}ms` }),
  });
}

/** The warm-up would fill in "{{name}}". */
function guardTemplates(scenario: ImportedScenario): ImportedScenario {
  return {
    ...scenario,
    steps: scenario.steps.map((step) => {
      const texts = [step.body, ...Object.values(step.headers ?? {}), ...Object.values(step.form ?? {})];
      const hasTemplate = texts.some((text) => text?.includes('{{'));
      return {
        ...step,
        path: step.path.replaceAll('{{', '%7B%7B').replaceAll('}}', '%7D%7D'),
        ...(hasTemplate
          ? { missing: 'a text without {{…}}, which would be filled in: put it into a file (bodyFile)' }
          : {}),
      };
    }),
  };
}
