import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, posix, relative } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { type AppSource, MAIN_JAR } from '../jar/app-source.ts';
import type { FrameworkName } from '../jar/detect-framework.ts';
import type { AppFindings } from './inspect-app.ts';

export const TEMPLATES = [
  'plain',
  'spring-boot',
  'quarkus',
  'micronaut',
  'helidon',
  'vertx',
  'jetty',
  'tomcat',
] as const;
export type TemplateName = (typeof TEMPLATES)[number];

/**
 * A Dockerfile for the app, from templates/dockerfile. A template has `{{jar}}` (what is started, from the context's folder),
 * `{{copies}}` (a COPY for each folder that a layer fills), `{{command}}` (exec form) and `{{port}}`.
 */
export async function composeDockerfile(
  findings: AppFindings,
  folder: string,
  template: TemplateName = chooseTemplate(findings),
): Promise<string> {
  const { source, endpoints } = findings;
  const isWar = /\.war$/i.test(source.path);
  if (isWar !== isForWar(template)) {
    throw new CracBuildError(
      'USAGE',
      `the template ${template} is for ${isWar ? 'a jar' : 'a WAR'}, and ${source.path} is ${isWar ? 'a WAR' : 'none'}`,
      {
        hint: `Choose another: --template ${isWar ? 'tomcat' : 'plain'}.`,
      },
    );
  }
  const text = await readTemplate(template);
  const values: Readonly<Record<string, string>> = {
    jar: inContext(folder, source.path),
    copies: composeCopies(findings, folder).join('\n'),
    command: composeCommand(findings),
    port: String(endpoints.port.value),
  };
  return text.replaceAll(/\{\{(\w+)\}\}/g, (all, name: string) => values[name] ?? all);
}

function isForWar(template: TemplateName): boolean {
  return template === 'tomcat' || template === 'jetty';
}

/** Tomcat and Jetty inside an executable jar are started by it. */
function chooseTemplate({ framework, source }: AppFindings): TemplateName {
  if (/\.war$/i.test(source.path)) return 'tomcat';
  if (framework.name === 'spring-boot') return isUnpackedByTools(source) ? 'spring-boot' : 'plain';
  const own: Partial<Record<FrameworkName, TemplateName>> = {
    quarkus: 'quarkus',
    micronaut: 'micronaut',
    helidon: 'helidon',
    vertx: 'vertx',
  };
  return own[framework.name] ?? 'plain';
}

/** The template copies these; the loader's is empty, as it is not extracted. */
const COPIED = ['dependencies', 'snapshot-dependencies', 'application'];

function isUnpackedByTools({ toolLayers = [] }: AppSource): boolean {
  const others = toolLayers.filter((name) => !COPIED.includes(name) && name !== 'spring-boot-loader');
  return COPIED.every((name) => toolLayers.includes(name)) && others.length === 0;
}

const APP_JAR = 'app.jar';

/** Files of a layer that keep their names and go to one folder are copied at once: each COPY is a layer of the image. */
function composeCopies({ source }: AppFindings, folder: string): readonly string[] {
  return source.layers.flatMap(({ parts }) => {
    const copies = new Map<string, string[]>();
    for (const part of parts) {
      /** By a template that takes nothing apart: the jar as it is. */
      if (part.kind === 'entries') continue;
      const to = posix.join('/app', part.to.replace(MAIN_JAR, APP_JAR));
      const from = inContext(folder, part.from);
      const isKept = part.kind !== 'folder' && posix.basename(to) === basename(from);
      const target = part.kind === 'folder' ? `${to}/` : isKept ? `${posix.dirname(to)}/` : to;
      const key = `${part.kind === 'folder'} ${target}`;
      copies.set(key, [...(copies.get(key) ?? []), part.kind === 'folder' ? `${from}/` : from]);
    }
    return [...copies].map(([key, from]) => `COPY ${renderWords([...from, key.slice(key.indexOf(' ') + 1)])}`);
  });
}

function composeCommand({ source }: AppFindings): string {
  const { start, javaOptions = [] } = source;
  const rest =
    start.kind === 'jar'
      ? ['-jar', `/app/${APP_JAR}`]
      : ['-cp', start.classPath.map((path) => (path === '' ? '/app' : `/app/${path}`)).join(':'), start.mainClass];
  return renderWords(['java', ...javaOptions, ...rest]);
}

/** The form that no shell reads. */
function renderWords(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}

/** COPY reaches what is below the context's folder. */
function inContext(folder: string, path: string): string {
  const inside = relative(folder, path);
  if (!inside.startsWith('..')) return inside;
  throw new CracBuildError('INPUT_INVALID', `${path} is not below ${folder}, where the Dockerfile is to lie`, {
    hint: 'Call init in a folder above the app.',
  });
}

/** Beside dist/crac-build.js, or where the source is. */
async function readTemplate(name: TemplateName): Promise<string> {
  const built = join(import.meta.dirname, 'templates');
  const folder = existsSync(built) ? built : join(import.meta.dirname, '../../templates');
  return await readFile(join(folder, `dockerfile/${name}.Dockerfile`), 'utf8');
}
