import { basename } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { count, type Imported, type ImportedScenario, type ImportedStep, isSafe } from './imported.ts';
import { composeBody } from './openapi-body.ts';
import { damaged, isNode, type Node, type OpenApiDocument, parseOpenApi, resolveRef } from './openapi-document.ts';
import { fillParameters, readParameters } from './openapi-parameters.ts';
import { findCredentials } from './openapi-security.ts';

const READS = ['get', 'head'];
const WRITES = ['post', 'put', 'patch', 'delete'];

/** An OpenAPI document → a scenario for each GET, and for what may write only where that is asked for. Pure; `path` is for messages. */
export function importOpenApi(
  text: string,
  path: string,
  { includeWrites }: { readonly includeWrites: boolean },
): Imported {
  const document = parseOpenApi(text, path);
  const prefix = basePath(document);
  const scenarios: ImportedScenario[] = [];
  let writes = 0;
  for (const [template, value] of Object.entries(document.root['paths'] as Node)) {
    if (!template.startsWith('/')) continue;
    const item = resolveRef(document, value, `paths.${template}`);
    if (!isNode(item)) throw damaged(`${path}: paths.${template}: expected the operations of a path`);
    for (const method of [...READS, ...WRITES]) {
      if (item[method] === undefined) continue;
      if (!READS.includes(method) && !includeWrites) writes++;
      else scenarios.push(composeScenario(document, { template, method, item, prefix }));
    }
  }
  const incomplete = scenarios.filter(({ steps }) => steps.some(({ missing }) => missing !== undefined)).length;
  const notes = [
    ...(writes === 0 ? [] : [`${count(writes, 'operation')} left out: they may write (--include-writes keeps them)`]),
    ...(incomplete === 0
      ? []
      : [`${count(incomplete, 'operation')} written as comments: the document does not say all that is needed`]),
  ];
  if (scenarios.length > 0) return { source: `OpenAPI ${basename(path)}`, scenarios, notes };
  throw new CracBuildError('INPUT_INVALID', `${path}: paths: expected at least one GET, found none`, {
    hint: includeWrites ? 'Give a document that describes requests.' : 'Let what may write in, too: --include-writes.',
    details: notes,
  });
}

interface Operation {
  readonly template: string;
  readonly method: string;
  readonly item: Node;
  readonly prefix: string;
}

function composeScenario(document: OpenApiDocument, { template, method, item, prefix }: Operation): ImportedScenario {
  const place = `paths.${template}.${method}`;
  const operation = item[method];
  if (!isNode(operation)) throw damaged(`${document.path}: ${place}: expected an operation`);
  const filled = fillParameters(document, template, readParameters(document, item, operation, place), place);
  const status = successStatus(document, operation, place);
  const body = isSafe(method.toUpperCase()) ? {} : composeBody(document, operation, filled, place);
  const credentials = findCredentials(document, operation, place);
  const headers = {
    ...filled.headers,
    ...credentials?.headers,
    ...('contentType' in body ? { 'content-type': body.contentType } : {}),
  };
  const missing = [
    ...filled.missing.map((name) => `a value for ${name}`),
    ...(credentials === undefined ? [] : [`synthetic credentials (${credentials.names.join(' and ')})`]),
    ...('missing' in body ? [body.missing] : []),
  ];
  const step: ImportedStep = {
    method: method.toUpperCase(),
    path: appendQuery(`${prefix}${filled.path}`, credentials?.query ?? []),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...('body' in body ? { body: body.body } : {}),
    ...('form' in body ? { form: body.form } : {}),
    ...(status === 200 ? {} : { status }),
    comments: [],
    ...(missing.length === 0 ? {} : { missing: missing.join(', ') }),
  };
  const { operationId, summary } = operation;
  return {
    name: typeof operationId === 'string' && operationId !== '' ? operationId : `${method.toUpperCase()} ${template}`,
    comments: typeof summary === 'string' && summary.trim() !== '' ? [summary.trim().split('\n')[0] ?? ''] : [],
    steps: [step],
  };
}

function appendQuery(path: string, pairs: readonly string[]): string {
  return pairs.length === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}

/** The path below which the API lies, by the first server: its host is that of production. */
function basePath({ root, major }: OpenApiDocument): string {
  if (major === 2) return trimPath(typeof root['basePath'] === 'string' ? root['basePath'] : '');
  const [server] = Array.isArray(root['servers']) ? root['servers'] : [];
  if (!isNode(server) || typeof server['url'] !== 'string') return '';
  const variables = isNode(server['variables']) ? server['variables'] : {};
  const url = server['url'].replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const variable = variables[name];
    return isNode(variable) ? String(variable['default'] ?? '') : '';
  });
  return URL.canParse(url, 'http://app/') ? trimPath(new URL(url, 'http://app/').pathname) : '';
}

function trimPath(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' || trimmed.startsWith('/') ? trimmed : `/${trimmed}`;
}

/** The first success that is described: 200 where none is. */
function successStatus(document: OpenApiDocument, operation: Node, place: string): number {
  const responses = resolveRef(document, operation['responses'], `${place}.responses`);
  const codes = isNode(responses) ? Object.keys(responses) : [];
  return Number(codes.filter((code) => /^2\d\d$/.test(code)).sort()[0] ?? 200);
}
