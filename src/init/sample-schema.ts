import { isNode, type Node, type OpenApiDocument, resolveRef } from './openapi-document.ts';

/** Nobody nests deeper by hand. */
const MAX_DEPTH = 8;

/** What the author of the document says that a value can be; undefined where nothing is said. */
export function statedValue(
  document: OpenApiDocument,
  schema: unknown,
  place: string,
  around: readonly unknown[] = [],
): unknown {
  const node = resolveRef(document, schema, place);
  if (!isNode(node) || around.includes(node) || around.length > MAX_DEPTH) return undefined;
  const { example, examples, default: otherwise, const: only, enum: words } = node;
  const stated = [example, listOf(examples)[0], otherwise, only, listOf(words)[0]].find((value) => value !== undefined);
  if (stated !== undefined) return stated;
  for (const part of listOf(node['allOf'])) {
    const value = statedValue(document, part, place, [...around, node]);
    if (value !== undefined) return value;
  }
  if (typesOf(node)[0] !== 'array') return undefined;
  const item = statedValue(document, node['items'], place, [...around, node]);
  return item === undefined ? undefined : [item];
}

/**
 * A value that fits the schema, made up where the document gives none: for bodies, whose requests were asked for. `around`: the
 * schemas in which this one stands; one that stands in itself ends there.
 */
export function sampleSchema(
  document: OpenApiDocument,
  schema: unknown,
  place: string,
  around: readonly unknown[] = [],
): unknown {
  const node = resolveRef(document, schema, place);
  if (!isNode(node) || around.includes(node) || around.length > MAX_DEPTH) return null;
  const stated = statedValue(document, node, place);
  if (stated !== undefined && !isNode(node['properties'])) return stated;
  if (node['example'] !== undefined) return node['example'];
  const sample = (part: unknown) => sampleSchema(document, part, place, [...around, node]);
  const parts = listOf(node['allOf']).map(sample);
  if (parts.length > 0 && parts.every(isNode))
    return Object.assign({}, ...parts, sampleProperties(document, node, place, sample));
  const [choice] = [...listOf(node['oneOf']), ...listOf(node['anyOf'])];
  if (choice !== undefined) return sample(choice);
  const type = typesOf(node)[0] ?? (isNode(node['properties']) ? 'object' : 'string');
  if (type === 'object') return sampleProperties(document, node, place, sample);
  if (type === 'array') return [sample(node['items'] ?? {})].filter((item) => item !== null);
  if (type === 'integer' || type === 'number') return Number(node['minimum'] ?? 1);
  if (type === 'boolean') return true;
  return type === 'null' ? null : sampleText(node);
}

function sampleProperties(
  document: OpenApiDocument,
  node: Node,
  place: string,
  sample: (schema: unknown) => unknown,
): Node {
  const required = listOf(node['required']);
  const properties = isNode(node['properties']) ? Object.entries(node['properties']) : [];
  return Object.fromEntries(
    properties
      .filter(([name, schema]) => required.includes(name) || statedValue(document, schema, place) !== undefined)
      .filter(([, schema]) => !isReadOnly(resolveRef(document, schema, place)))
      .map(([name, schema]) => [name, sample(schema)]),
  );
}

function isReadOnly(schema: unknown): boolean {
  return isNode(schema) && schema['readOnly'] === true;
}

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  time: '12:00:00Z',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
  email: 'someone@example.org',
  uri: 'https://example.org/',
  url: 'https://example.org/',
  hostname: 'example.org',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  byte: 'dGV4dA==',
};

function sampleText(node: Node): string {
  const text = FORMATS[String(node['format'])] ?? 'text';
  return text
    .padEnd(Number(node['minLength'] ?? 0), 'x')
    .slice(0, Number(node['maxLength'] ?? Number.POSITIVE_INFINITY));
}

/** OpenAPI 3.0 has one type, 3.1 may have several: "null" among them is not the one to show. */
function typesOf(node: Node): readonly string[] {
  return [node['type']]
    .flat()
    .flatMap((type) => (typeof type === 'string' ? type : []))
    .sort((a, b) => Number(a === 'null') - Number(b === 'null'));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
