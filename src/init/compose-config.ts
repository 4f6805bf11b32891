import { relative } from 'node:path';
import { nameOfJar } from '../plan/name-of-jar.ts';
import { composeWarmUp } from './compose-warm-up.ts';
import type { Imported, ImportedStep } from './imported.ts';
import type { AppFindings } from './inspect-app.ts';
import { indent, renderComment, renderValue } from './render-yaml.ts';

/** A whole crac-build.yaml for an app, every choice with its reason; `folder` is where it will lie. Pure. */
export function composeConfig(
  findings: AppFindings,
  imports: readonly Imported[],
  folder: string,
  /** Relative to `folder`, where the app is built by one. */
  dockerfile?: string,
): string {
  const lines = [
    ...renderComment('How crac-build makes an image of this app. `crac-build init` wrote it; it is yours to change.'),
    ...renderComment('`crac-build plan` shows what comes of it, `crac-build build` makes the image.'),
    '',
    ...composeApp(findings, folder, dockerfile),
    '',
    ...composeReadiness(findings, imports),
    '',
    ...(imports.length === 0 ? composeRequests(findings) : composeScenarios(findings, imports)),
    '',
    ...composeRest(findings),
  ];
  return `${lines.join('\n')}\n`;
}

function composeApp(
  { source, framework, endpoints }: AppFindings,
  folder: string,
  dockerfile: string | undefined,
): readonly string[] {
  const { port, health, notes } = endpoints;
  const ports = [...new Set([port.value, ...(health === undefined ? [] : [health.port])])];
  const name = nameOfJar(source.name);
  const version = framework.version === undefined ? '' : ` ${framework.version}`;
  return [
    dockerfile === undefined ? `# name: ${name}` : `name: ${name}`,
    'app:',
    ...indent([
      ...renderComment(
        framework.name === 'plain'
          ? `Plain Java: ${framework.evidence}.`
          : `${framework.title}${version}: ${framework.evidence}.`,
      ),
      ...(dockerfile === undefined
        ? [...composeLayersNote(source), `jar: ${renderValue(relative(folder, source.path) || '.').join('')}`]
        : ['# Built by Docker, or by buildah with the engine oci.', `dockerfile: ${renderValue(dockerfile).join('')}`]),
      ...renderComment(`${capitalise(port.reason)}.`),
      `ports: [${ports.join(', ')}]`,
      ...notes.flatMap((note) => renderComment(note)),
      ...renderComment('-Xmx above all: the JVM takes its default from the memory of the build machine.'),
      '# javaOptions: [-Xmx512m]',
      '# arguments: []',
      ...renderComment('No production secrets: what is in memory at the checkpoint is in the image.'),
      '# environment: { KEY: value }',
    ]),
    ...(dockerfile === undefined
      ? [
          ...renderComment('The JDK in the image; JAVA_HOME, else the java in PATH, where it is left out.'),
          '# base: jdk:/usr/lib/jvm/…',
        ]
      : []),
  ];
}

/** One layer needs no words. */
function composeLayersNote({ title, layers }: AppFindings['source']): readonly string[] {
  if (layers.length < 2) return [];
  const note = `It becomes ${layers.length} layers, ${layers.map(({ name }) => name).join(' and ')}: ${title}.`;
  const isExtracted = layers.some(({ parts }) => parts.some(({ kind }) => kind === 'thin-jar'));
  return [...renderComment(note), ...(isExtracted ? ['# extract: false # keeps the jar whole'] : [])];
}

const PACE =
  'Also: `concurrency: 4`, users at once, or `rate: 200`, how many begin each second; `until: settled`, `{ requests: 5000 }` or `{ duration: 30s }`, when it ends.';

/** Steps go to the port of the readiness where they name none. */
function composeScenarios(findings: AppFindings, imports: readonly Imported[]): readonly string[] {
  const { port, health } = findings.endpoints;
  const isElsewhere = health !== undefined && health.port !== port.value;
  const head = [...renderComment(PACE), ...composeTls(findings)];
  return composeWarmUp(imports, { head, ...(isElsewhere ? { port: port.value } : {}) });
}

function composeReadiness({ endpoints }: AppFindings, imports: readonly Imported[]): readonly string[] {
  const { port, health, tls } = endpoints;
  const imported = firstPlainGet(imports);
  const path = health?.path ?? imported?.path ?? '/';
  const reason =
    health?.reason ??
    (imported === undefined
      ? 'No page that tells whether the app is ready is known: / must answer 200'
      : 'No page that tells whether the app is ready is known: this is the first request of the warm-up');
  return [
    ...renderComment('The warm-up begins when this is answered with 200.'),
    ...renderComment(`${reason}.`),
    ...renderComment(
      "Instead of a path: `tcp: 8080`, `log: 'Started .* in'`, or `command: [program, argument]` with exit code 0.",
    ),
    'readiness:',
    ...indent([
      `path: ${renderValue(path).join('')}`,
      ...(health === undefined || health.port === port.value ? [] : [`port: ${health.port}`]),
      ...(tls !== undefined && health?.isPlain === true ? ['tls: false'] : []),
      'timeout: 60s',
    ]),
  ];
}

/** A readiness sends no headers; what a browser would like to be answered with makes no difference. */
function firstPlainGet(imports: readonly Imported[]): ImportedStep | undefined {
  return imports
    .flatMap(({ scenarios }) => scenarios.flatMap(({ steps }) => steps.slice(0, 1)))
    .find(
      ({ method, status, headers = {}, missing, comments }) =>
        method === 'GET' &&
        status === undefined &&
        Object.keys(headers).every((name) => name === 'accept') &&
        missing === undefined &&
        comments.length === 0,
    );
}

function composeTls({ endpoints: { tls } }: AppFindings): readonly string[] {
  return tls === undefined
    ? []
    : [...renderComment(`The app speaks TLS: ${tls}. Its certificate is not looked at.`), 'tls: { insecure: true }'];
}

function capitalise(text: string): string {
  return /^[a-z]+(?=[ :])/.test(text) ? `${text.slice(0, 1).toUpperCase()}${text.slice(1)}` : text;
}

/** What is known to be answered is warm; the rest only users of the app know. */
function composeRequests(findings: AppFindings): readonly string[] {
  const path = findings.endpoints.health?.path ?? '/';
  return [
    ...renderComment(
      'The image will be fast at what it was asked here, and slow at all else: put in what your users ask. `crac-build init` also takes it from a recording (--from-har), an API description (--from-openapi) or an access log (--from-access-log).',
    ),
    'warmUp:',
    ...indent([
      ...composeTls(findings),
      'requests:',
      ...indent([`- ${renderValue(`GET ${path} x100`).join('')}`, "# - 'GET /orders?limit=10 x500'"]),
      ...renderComment('Several steps of one user, with values from answers:'),
      '# scenarios:',
      '#   - name: order',
      '#     steps:',
      "#       - { method: POST, path: /orders, json: { item: 1 }, expect: { status: 201 }, capture: { id: { json: '$.id' } } }",
      "#       - 'GET /orders/{{id}}'",
    ]),
  ];
}

function composeRest({ source }: AppFindings): readonly string[] {
  const value = nameOfJar(source.name);
  return [
    ...renderComment('A local Docker daemon where one answers, else an OCI image layout.'),
    `# outputs: ['oci:${value}-image', 'docker:${value}:latest']`,
  ];
}
