/**
 * Asks everything that an app's own OpenAPI document (3.x or 2.0, JSON) lets one GET, one after the other.
 *
 * options: { document: /v3/api-docs, values: { id: 17 }, skip: [/admin] }
 * `values`: of path and required query parameters that the document has no example for, by name. What has none is left out,
 * and said so once. Answers of 5xx fail the build; what is asked with made-up values may well be unknown.
 */
import type { App, WarmUp } from 'crac-build/warm-up';

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly schema?: { readonly example?: unknown; readonly default?: unknown; readonly enum?: readonly unknown[] };
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
}

interface Operation {
  readonly parameters?: readonly Parameter[];
}

interface Document {
  readonly paths?: Readonly<Record<string, Operation & { readonly get?: Operation }>>;
  readonly servers?: readonly { readonly url: string }[];
  readonly basePath?: string;
}

/** Of this thread: it is asked for once. */
let known: Promise<readonly Endpoint[]> | undefined;

interface Endpoint {
  readonly template: string;
  readonly path: string;
}

const warmUp: WarmUp = async (app) => {
  known ??= readEndpoints(app);
  for (const { template, path } of await known) {
    const { status } = await app.request('GET', path, { endpoint: template, expect: false });
    if (status >= 500) throw new Error(`GET ${path} answered ${status}`);
  }
};

export default warmUp;

async function readEndpoints(app: App): Promise<readonly Endpoint[]> {
  const { document: place = '/v3/api-docs', values = {}, skip = [] } = app.options;
  const answer = await app.request('GET', String(place), { headers: { accept: 'application/json' } });
  const document = answer.json() as Document;
  const base = basePath(document);
  const endpoints: Endpoint[] = [];
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    if (item.get === undefined || (skip as readonly string[]).some((prefix) => path.startsWith(prefix))) continue;
    const parameters = [...(item.parameters ?? []), ...(item.get.parameters ?? [])].map((one) => follow(document, one));
    const filled = fill(base + path, parameters, values as Readonly<Record<string, unknown>>);
    if ('missing' in filled) app.log(`GET ${path} is left out: options.values has no ${filled.missing}`);
    else endpoints.push({ template: base + path, path: filled.path });
  }
  if (endpoints.length === 0) throw new Error(`${place} has nothing that can be asked with GET`);
  return endpoints;
}

function basePath({ servers, basePath = '' }: Document): string {
  const url = servers?.[0]?.url ?? basePath;
  return new URL(url, 'http://app').pathname.replace(/\/$/, '');
}

function follow(document: Document, parameter: Parameter): Parameter {
  if (parameter.$ref === undefined) return parameter;
  const keys = parameter.$ref.replace(/^#\//, '').split('/');
  return keys.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], document) as Parameter;
}

function fill(
  path: string,
  parameters: readonly Parameter[],
  values: Readonly<Record<string, unknown>>,
): { readonly path: string } | { readonly missing: string } {
  let filled = path;
  const query = new URLSearchParams();
  for (const parameter of parameters) {
    const isPath = parameter.in === 'path';
    if (!isPath && !(parameter.in === 'query' && parameter.required)) continue;
    const value = values[parameter.name] ?? findExample(parameter);
    if (value === undefined) return { missing: parameter.name };
    if (isPath) filled = filled.replaceAll(`{${parameter.name}}`, encodeURIComponent(String(value)));
    else query.set(parameter.name, String(value));
  }
  const missing = /\{(.*?)\}/.exec(filled)?.[1];
  if (missing !== undefined) return { missing };
  return { path: query.size === 0 ? filled : `${filled}?${query}` };
}

function findExample({ example, examples = {}, schema = {}, ...old }: Parameter): unknown {
  return (
    example ??
    Object.values(examples)[0]?.value ??
    schema.example ??
    schema.default ??
    schema.enum?.[0] ??
    old.default ??
    old.enum?.[0]
  );
}
