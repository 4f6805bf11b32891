import { relative } from 'node:path';
import { count, type Imported } from '../init/imported.ts';
import type { AppFindings } from '../init/inspect-app.ts';
import { PLACEHOLDER } from '../init/secrets.ts';

/** The end of `init` for people: what was found, what was written, what comes next. */
export function renderInit(result: {
  readonly findings: AppFindings;
  readonly imports: readonly Imported[];
  readonly yaml: string;
  /** As it is shown. */
  readonly file: string;
  readonly dockerfile?: string;
  readonly next: string;
  readonly cwd: string;
}): string {
  const { findings, imports, yaml, file, dockerfile, next, cwd } = result;
  const { source, framework, endpoints } = findings;
  const version = framework.version === undefined ? '' : ` ${framework.version}`;
  const { port, health, notes } = endpoints;
  const lines = [
    `found ${relative(cwd, source.path) || '.'}: ${framework.title}${version} (${framework.evidence})`,
    `  port ${port.value}: ${port.reason}`,
    ...(source.layers.length < 2 ? [] : [`  ${source.layers.length} layers: ${source.title}`]),
    ...(health === undefined ? [] : [`  readiness ${health.path} on port ${health.port}: ${health.reason}`]),
    ...notes.map((note) => `  ${note}`),
    ...imports.flatMap((imported) => [
      `${count(imported.scenarios.length, 'scenario')} from ${imported.source}`,
      ...imported.notes.map((note) => `  ${note}`),
    ]),
    ...(dockerfile === undefined ? [] : [`wrote ${dockerfile}`]),
    `wrote ${file}`,
    '',
    'next:',
    `  look through ${file}${port.reason.startsWith('a guess') ? ', the port above all' : ''}`,
    ...(yaml.includes(PLACEHOLDER) ? [`  put synthetic values where ${PLACEHOLDER} stands`] : []),
    `  ${next}`,
  ];
  return `${lines.join('\n')}\n`;
}
