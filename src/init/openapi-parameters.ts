import { z } from 'zod';
import { damaged, isNode, type Node, type OpenApiDocument, resolveRef } from './openapi-document.ts';
import { statedValue } from './sample-schema.ts';
import { isSecretName } from './secrets.ts';

/** https://spec.openapis.org/oas/v3.1.1.html#parameter-object; Swagger 2 has the schema's keys beside the others. */
const parameterSchema = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header', 'cookie', 'body', 'formData', 'querystring']),
  required: z.boolean().optional(),
  style: z.string().optional(),
  explode: z.boolean().optional(),
  collectionFormat: z.string().optional(),
});

export type Parameter = z.output<typeof parameterSchema>;

export interface FilledParameters {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Required parameters for which the document gives no value. */
  readonly missing: readonly string[];
  readonly body: Parameter | undefined;
  readonly formFields: readonly Parameter[];
}

/** Those of the path item and, over them, the operation's own. */
export function readParameters(
  document: OpenApiDocument,
  item: Node,
  operation: Node,
  place: string,
): readonly Parameter[] {
  const byKey = new Map<string, Parameter>();
  for (const list of [item['parameters'], operation['parameters']]) {
    if (list === undefined) continue;
    if (!Array.isArray(list)) throw damaged(`${document.path}: ${place}.parameters: expected a list`);
    for (const [index, value] of list.entries()) {
      const where = `${place}.parameters[${index}]`;
      const parsed = parameterSchema.safeParse(resolveRef(document, value, where));
      if (!parsed.success) {
        const key = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
        throw damaged(
          `${document.path}: ${where}: expected a parameter with name and in${key === '' ? '' : `, look at ${key}`}`,
        );
      }
      byKey.set(`${parsed.data.in} ${parsed.data.name}`, parsed.data);
    }
  }
  return [...byKey.values()];
}

/** The path with what the document gives as example, default or first of an enum; parameters that need not be there only where it gives one. */
export function fillParameters(
  document: OpenApiDocument,
  template: string,
  parameters: readonly Parameter[],
  place: string,
): FilledParameters {
  const missing: string[] = [];
  const query: string[] = [];
  const headers: Record<string, string> = {};
  let path = template;
  for (const parameter of parameters) {
    if (parameter.in === 'body' || parameter.in === 'formData') continue;
    const isSecret = (parameter.in === 'header' || parameter.in === 'cookie') && isSecretName(parameter.name);
    const value =
      isSecret || parameter.in === 'cookie'
        ? undefined
        : parameterValue(document, parameter, `${place} parameter ${parameter.name}`);
    if (value === undefined) {
      if (parameter.required === true || parameter.in === 'path') missing.push(parameter.name);
    } else if (parameter.in === 'path') {
      path = path.replaceAll(`{${parameter.name}}`, textsOf(value).map(encodeURIComponent).join(','));
    } else if (parameter.in === 'header') {
      /** https://spec.openapis.org/oas/v3.1.1.html#parameter-object: these are described elsewhere. */
      if (!/^(accept|content-type|authorization)$/i.test(parameter.name))
        headers[parameter.name.toLowerCase()] = textsOf(value).join(',');
    } else query.push(...composeQuery(parameter, value));
  }
  const undescribed = [...path.matchAll(/\{([^}]+)\}/g)]
    .map((match) => match[1] ?? '')
    .filter((name) => !missing.includes(name));
  return {
    path: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers,
    missing: [...missing, ...undescribed],
    body: parameters.find((parameter) => parameter.in === 'body'),
    formFields: parameters.filter((parameter) => parameter.in === 'formData'),
  };
}

export function parameterValue(document: OpenApiDocument, parameter: Parameter, place: string): unknown {
  const { example, 'x-example': swaggerExample, schema, content } = parameter;
  const stated = [example, swaggerExample, firstExample(document, parameter['examples'], place)].find(
    (value) => value !== undefined,
  );
  const media = isNode(content) ? Object.values(content).find(isNode) : undefined;
  return stated ?? statedValue(document, media?.['schema'] ?? schema ?? parameter, place);
}

/** https://spec.openapis.org/oas/v3.1.1.html#example-object */
export function firstExample(document: OpenApiDocument, examples: unknown, place: string): unknown {
  const [first] = isNode(examples) ? Object.values(examples) : [];
  const example = first === undefined ? undefined : resolveRef(document, first, `${place} examples`);
  return isNode(example) ? example['value'] : undefined;
}

/** Lists as `a=1&a=2`, or as one value where the document says so; objects as their own keys or as `a[key]`. */
function composeQuery({ name, style, explode, collectionFormat }: Parameter, value: unknown): readonly string[] {
  const encode = encodeURIComponent;
  if (isNode(value)) {
    return Object.entries(value).map(([key, item]) =>
      style === 'deepObject'
        ? `${encode(`${name}[${key}]`)}=${encode(String(item))}`
        : `${encode(key)}=${encode(String(item))}`,
    );
  }
  const texts = textsOf(value).map(encode);
  const isJoined = explode === false || (collectionFormat !== undefined && collectionFormat !== 'multi');
  const separator =
    style === 'spaceDelimited' || collectionFormat === 'ssv'
      ? '%20'
      : style === 'pipeDelimited' || collectionFormat === 'pipes'
        ? '%7C'
        : ',';
  return isJoined ? [`${encode(name)}=${texts.join(separator)}`] : texts.map((text) => `${encode(name)}=${text}`);
}

/** Dates of YAML come as such. */
function textsOf(value: unknown): readonly string[] {
  return [value]
    .flat()
    .map((item) => (typeof item === 'object' && item !== null ? JSON.stringify(item) : String(item)));
}
