import { isNode, type Node, type OpenApiDocument, resolveRef } from './openapi-document.ts';
import { PLACEHOLDER } from './secrets.ts';

/** What a request must bring, with placeholders where the secrets belong. */
export interface Credentials {
  /** Of the schemes. */
  readonly names: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly string[];
}

/** Of the first alternative; undefined where none is needed: `{}` among the alternatives says so, too. */
export function findCredentials(document: OpenApiDocument, operation: Node, place: string): Credentials | undefined {
  const alternatives = operation['security'] ?? document.root['security'];
  const needed = Array.isArray(alternatives) ? alternatives.filter(isNode) : [];
  const [first] = needed;
  if (first === undefined || needed.some((schemes) => Object.keys(schemes).length === 0)) return undefined;
  const names = Object.keys(first);
  const headers: Record<string, string> = {};
  const query: string[] = [];
  for (const name of names) {
    const scheme = resolveRef(document, schemesOf(document)[name], `${place} security ${name}`);
    const { type, in: where, name: key, scheme: kind } = isNode(scheme) ? scheme : {};
    if (type !== 'apiKey')
      headers['authorization'] = `${kind === 'basic' || type === 'basic' ? 'Basic' : 'Bearer'} ${PLACEHOLDER}`;
    else if (where === 'header') headers[String(key).toLowerCase()] = PLACEHOLDER;
    else if (where === 'query') query.push(`${encodeURIComponent(String(key))}=${PLACEHOLDER}`);
    else headers['cookie'] = `${String(key)}=${PLACEHOLDER}`;
  }
  return { names, headers, query };
}

/** https://spec.openapis.org/oas/v3.1.1.html#security-scheme-object, https://spec.openapis.org/oas/v2.0.html#security-scheme-object */
function schemesOf({ root, major }: OpenApiDocument): Node {
  const { components } = root;
  const schemes = major === 2 ? root['securityDefinitions'] : isNode(components) ? components['securitySchemes'] : {};
  return isNode(schemes) ? schemes : {};
}
