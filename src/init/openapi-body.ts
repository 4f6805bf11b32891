import { MAX_CHARACTERS } from './har-body.ts';
import { isNode, type Node, type OpenApiDocument, resolveRef } from './openapi-document.ts';
import { type FilledParameters, firstExample, parameterValue } from './openapi-parameters.ts';
import { sampleSchema } from './sample-schema.ts';

export type ComposedBody =
  | { readonly body: string; readonly contentType: string }
  | { readonly form: Readonly<Record<string, string>> }
  | { readonly missing: string }
  | object;

/** An example of the document, else what fits its schema. JSON and forms; for other types, what is missing. */
export function composeBody(
  document: OpenApiDocument,
  operation: Node,
  filled: FilledParameters,
  place: string,
): ComposedBody {
  return document.major === 2
    ? composeSwaggerBody(document, filled, place)
    : composeRequestBody(document, operation, `${place}.requestBody`);
}

/** https://spec.openapis.org/oas/v3.1.1.html#request-body-object */
function composeRequestBody(document: OpenApiDocument, operation: Node, place: string): ComposedBody {
  const requestBody = resolveRef(document, operation['requestBody'], place);
  const content = isNode(requestBody) && isNode(requestBody['content']) ? Object.entries(requestBody['content']) : [];
  if (content.length === 0) return {};
  const [type = '', media] =
    content.find(([name]) => isJson(name)) ?? content.find(([name]) => isForm(name)) ?? content[0] ?? [];
  if (!isNode(media) || (!isJson(type) && !isForm(type))) return { missing: `a body of ${type}` };
  const value =
    media['example'] ??
    firstExample(document, media['examples'], place) ??
    sampleSchema(document, media['schema'] ?? {}, `${place} schema`);
  return composeValue(type, value);
}

/** https://spec.openapis.org/oas/v2.0.html#parameter-object */
function composeSwaggerBody(
  document: OpenApiDocument,
  { body, formFields }: FilledParameters,
  place: string,
): ComposedBody {
  if (body !== undefined) {
    return composeValue('application/json', sampleSchema(document, body['schema'] ?? {}, `${place} body`));
  }
  if (formFields.length === 0) return {};
  if (formFields.some(({ type }) => type === 'file')) return { missing: 'a form with a file' };
  return composeValue(
    'application/x-www-form-urlencoded',
    Object.fromEntries(
      formFields
        .filter((field) => field.required === true || parameterValue(document, field, place) !== undefined)
        .map((field) => [field.name, sampleSchema(document, field, `${place} parameter ${field.name}`)]),
    ),
  );
}

function composeValue(type: string, value: unknown): ComposedBody {
  if (isForm(type) && isNode(value)) {
    return { form: Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)])) };
  }
  const body = JSON.stringify(value);
  if (body.length > MAX_CHARACTERS) return { missing: `a body of ${type}, too long to be written here (bodyFile)` };
  return { body, contentType: type === '*/*' ? 'application/json' : type };
}

function isJson(type: string): boolean {
  return /[/+]json\b/i.test(type) || type === '*/*';
}

function isForm(type: string): boolean {
  return /^application\/x-www-form-urlencoded/i.test(type);
}
