import { LineCounter, parseDocument } from 'yaml';
import { CracBuildError } from '../errors.ts';
import { parseJson } from './parse-json.ts';

/** An object of the document, of which nothing is known yet. */
export type Node = Readonly<Record<string, unknown>>;

export interface OpenApiDocument {
  /** As it was given: messages show it. */
  readonly path: string;
  readonly root: Node;
  /** OpenAPI 3 or Swagger 2. */
  readonly major: 2 | 3;
}

/** JSON or YAML → the document, or INPUT_INVALID with the place and what was expected there. `path` is for messages. */
export function parseOpenApi(text: string, path: string): OpenApiDocument {
  const root = /^\s*\{/.test(text) ? readJson(text, path) : readYaml(text, path);
  if (!isNode(root)) throw damaged(`${path}: expected keys and values, such as openapi and paths`);
  const version = String(root['openapi'] ?? root['swagger'] ?? '');
  const major = /^3\.[0-2](\.|$)/.test(version) ? 3 : version === '2.0' || version === '2' ? 2 : undefined;
  if (major === undefined) {
    const found = version === '' ? 'neither' : `version ${version}`;
    throw damaged(`${path}: expected "openapi: 3.0" to "3.2", or "swagger: 2.0", found ${found}`);
  }
  if (!isNode(root['paths'])) throw damaged(`${path}: paths: expected the paths of an API`);
  return { path, root, major };
}

export function damaged(
  message: string,
  hint = 'Give --from-openapi an OpenAPI document, in YAML or JSON.',
): CracBuildError {
  return new CracBuildError('INPUT_INVALID', message, { hint });
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readJson(text: string, path: string): unknown {
  const parsed = parseJson(text);
  if ('value' in parsed) return parsed.value;
  /** YAML, too, can begin with a brace. */
  const document = /\.json$/i.test(path) ? undefined : parseDocument(text, { prettyErrors: false });
  if (document?.errors.length === 0) return document.toJS();
  const { line, column, expected } = parsed.error;
  throw damaged(`${path}:${line}:${column}: expected ${expected}`);
}

function readYaml(text: string, path: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw damaged(`${path}:${line}:${col}: expected YAML: ${error.message}`);
  }
  try {
    return document.toJS();
  } catch (cause) {
    /** Aliases that unfold to too much. */
    throw damaged(`${path}: expected YAML that can be unfolded: ${(cause as Error).message}`);
  }
}

/** Follows `$ref`s inside the document: https://spec.openapis.org/oas/v3.1.1.html#reference-object. `place` is for messages. */
export function resolveRef(document: OpenApiDocument, value: unknown, place: string): unknown {
  const seen = new Set<string>();
  let node = value;
  while (isNode(node) && typeof node['$ref'] === 'string') {
    const ref = node['$ref'];
    if (!ref.startsWith('#')) {
      throw damaged(
        `${document.path}: ${place}: $ref leads out of the document, to ${ref}`,
        'Make one document of all first, for instance with `redocly bundle openapi.yaml -o bundled.yaml`.',
      );
    }
    if (seen.has(ref)) throw damaged(`${document.path}: ${place}: $ref ${ref} leads back to itself`);
    seen.add(ref);
    node = lookUp(document.root, ref);
    if (node === undefined) throw damaged(`${document.path}: ${place}: $ref ${ref} leads to nothing`);
  }
  return node;
}

/** https://www.rfc-editor.org/rfc/rfc6901#section-6 */
function lookUp(root: Node, ref: string): unknown {
  let node: unknown = root;
  for (const part of ref.slice(1).split('/').slice(1)) {
    if (typeof node !== 'object' || node === null) return undefined;
    const key = decodePart(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (!Object.hasOwn(node, key)) return undefined;
    node = (node as Record<string, unknown>)[key];
  }
  return node;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
