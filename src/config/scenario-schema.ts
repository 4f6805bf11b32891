/** `warmUp` in crac-build.yaml. */
import parseJsonPath from 'jsonpath-rfc9535/parser';
import { z } from 'zod';
import { BUILT_IN_NAMES, findNames, isTemplateName } from '../warm-up/template.ts';
import { closestWord } from './closest-word.ts';
import { count, duration, port, regex, status, text, urlPath } from './schema-words.ts';
import { servicesSchema } from './service-schema.ts';
import { parseStep, parseWarmUpRequest } from './words.ts';

const containedText = z.string().min(1, { error: 'expected a text' });
const method = z.string().regex(/^[A-Z]+$/, { error: 'expected an HTTP method in capitals' });
const formFile = z.strictObject({ file: z.string(), type: z.string().optional() });

/** What a request is made of. */
const requestShape = {
  method: method.optional(),
  port: port.optional(),
  headers: z.record(z.string(), text).optional(),
  body: z.string().optional(),
  bodyFile: z.string().optional(),
  json: z.unknown().optional(),
  form: z.record(z.string(), z.union([text, formFile], { error: 'expected a text, or {file: PATH}' })).optional(),
};
const BODIES = ['body', 'bodyFile', 'json', 'form'] as const;

const warmUpRequestObject = z
  .strictObject(
    {
      ...requestShape,
      path: urlPath,
      count: count.optional(),
      concurrency: count.max(1000).optional(),
      status: status.optional(),
      contains: containedText.optional(),
    },
    { error: ({ code }) => (code === 'invalid_type' ? 'expected "GET /path x200" or keys and values' : undefined) },
  )
  .superRefine((request, context) => {
    requireOneBody(request, context);
    requireKnownNames(request, [], [], context);
  });
/** Also in the flag's short form: "GET / x200". */
const warmUpRequest = z.preprocess(
  (value) => (typeof value === 'string' ? (parseWarmUpRequest(value) ?? value) : value),
  warmUpRequestObject,
);

const jsonPath = z.string().superRefine((path, context) => {
  try {
    parseJsonPath(path);
  } catch (error) {
    const message = `expected a JSON path such as "$.items[0].id": ${(error as Error).message}`;
    context.addIssue({ code: 'custom', message });
  }
});
const capture = z
  .strictObject({ json: jsonPath.optional(), header: z.string().optional(), regex: regex.optional() })
  .superRefine((value, context) => {
    if (Object.keys(value).length !== 1)
      context.addIssue({ code: 'custom', message: 'expected one of json, header, regex' });
  });

const stepObject = z
  .strictObject(
    {
      ...requestShape,
      path: z.string().regex(/^(\/|\{\{)/, { error: 'expected a path that begins with "/" or with a captured value' }),
      expect: z
        .strictObject({
          status: status.optional(),
          contains: containedText.optional(),
          headers: z.record(z.string(), text).optional(),
          json: z
            .union([z.string(), z.record(z.string(), z.unknown())], { error: 'expected a JSON schema or its file' })
            .optional(),
        })
        .optional(),
      capture: z.record(z.string(), capture).optional(),
      think: duration.optional(),
    },
    { error: ({ code }) => (code === 'invalid_type' ? 'expected "GET /path" or keys and values' : undefined) },
  )
  .superRefine(requireOneBody);
const step = z.preprocess((value) => (typeof value === 'string' ? (parseStep(value) ?? value) : value), stepObject);

/** What a scenario is made of: one of them. */
const WORKS = ['steps', 'script', 'command', 'javaClass'] as const;
const FOR_SCRIPTS = ['port', 'options'] as const;

const scenario = z
  .strictObject({
    name: z.string().min(1, { error: 'expected a text' }).optional(),
    weight: count.max(1000).optional(),
    count: count.optional(),
    concurrency: count.max(1000).optional(),
    steps: z.array(step).min(1).optional(),
    script: z.string().min(1, { error: 'expected the name of a file' }).optional(),
    port: port.optional(),
    options: z.record(z.string(), z.unknown()).optional(),
    command: z.array(text).min(1).optional(),
    javaClass: z
      .string()
      .regex(/^[\w$.]{1,255}$/, { error: 'expected the name of a class, such as com.example.Warm' })
      .optional(),
  })
  .superRefine((given, context) => {
    const works = WORKS.filter((key) => given[key] !== undefined);
    if (works.length !== 1) {
      const found = works.length === 0 ? '' : `, found ${works.join(' and ')}`;
      context.addIssue({
        code: 'custom',
        path: works.slice(1, 2),
        message: `expected one of ${WORKS.join(', ')}${found}`,
      });
    }
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    for (const key of FOR_SCRIPTS)
      if (given[key] !== undefined && given.script === undefined) refuse(key, 'goes with a script');
    if (given.weight !== undefined && given.count !== undefined) refuse('count', 'expected weight or count, not both');
    if (given.concurrency !== undefined && given.count === undefined) refuse('concurrency', 'goes with count');
  })
  .superRefine(({ steps = [] }, context) => {
    const captured = new Set<string>();
    for (const [index, { capture = {}, ...rest }] of steps.entries()) {
      requireKnownNames(rest, [...captured], ['steps', index], context);
      for (const name of Object.keys(capture)) {
        const path = ['steps', index, 'capture', name];
        if (!isTemplateName(name))
          context.addIssue({ code: 'custom', path, message: 'expected a name of letters, digits and "_"' });
        if (BUILT_IN_NAMES.some((taken) => taken === name))
          context.addIssue({ code: 'custom', path, message: `${brace(name)} has a value already: take another name` });
        captured.add(name);
      }
    }
  });

const extent = z.strictObject({ duration: duration.optional(), requests: count.optional() });

export const tlsSchema = z.union(
  [
    z.boolean(),
    z.strictObject({
      ca: z.string().optional(),
      serverName: z.string().optional(),
      insecure: z.boolean().optional(),
    }),
  ],
  { error: 'expected true, or keys and values: ca, serverName, insecure' },
);

export const warmUpSchema = z
  .strictObject({
    requests: z.array(warmUpRequest).optional(),
    scenarios: z.array(scenario).superRefine(requireOwnNames).optional(),
    concurrency: count.max(1000).optional(),
    rate: z
      .number({ error: 'expected how many begin each second' })
      .positive({ error: 'expected more than 0' })
      .max(10_000)
      .optional(),
    seed: z.int({ error: 'expected a whole number' }).optional(),
    protocol: z.enum(['http/1.1', 'h2']).optional(),
    tls: tlsSchema.optional(),
    until: z
      .union([z.literal('settled'), z.strictObject({ requests: count }), z.strictObject({ duration })], {
        error: 'expected settled, {requests: 1000} or {duration: 30s}',
      })
      .optional(),
    min: extent.optional(),
    max: extent.optional(),
    timeout: duration.optional(),
    services: servicesSchema.optional(),
  })
  .superRefine(({ concurrency, rate }, context) => {
    if (concurrency !== undefined && rate !== undefined)
      context.addIssue({ code: 'custom', path: ['rate'], message: 'expected concurrency or rate, not both' });
  });

type Context = z.core.$RefinementCtx;

function requireOneBody(request: object, context: Context): void {
  const given = BODIES.filter((body) => body in request);
  if (given.length > 1)
    context.addIssue({
      code: 'custom',
      path: [given[1] ?? ''],
      message: `expected one body, found ${given.join(' and ')}`,
    });
}

/** In `bodyFile` and files of a form nothing is filled in: there {{name}} is sent as it is. */
function requireKnownNames(
  request: Readonly<Record<string, unknown>>,
  captured: readonly string[],
  path: readonly (string | number)[],
  context: Context,
): void {
  const known = [...BUILT_IN_NAMES, ...captured];
  const { bodyFile: _, ...texts } = request;
  for (const [key, value] of Object.entries(texts)) {
    const unknown = findNames(key === 'expect' ? withoutSchema(value) : value).find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    const near = closestWord(unknown, known);
    const hint = near === undefined ? `known here: ${known.map(brace).join(', ')}` : `did you mean ${brace(near)}?`;
    const message = `${brace(unknown)} is captured by no step before; ${hint}`;
    context.addIssue({ code: 'custom', path: [...path, key], message });
  }
}

function brace(name: string): string {
  return `{{${name}}}`;
}

function withoutSchema(expected: unknown): object {
  const { json: _, ...rest } = expected as { readonly json?: unknown };
  return rest;
}

function requireOwnNames(scenarios: readonly { readonly name?: string | undefined }[], context: Context): void {
  for (const [index, { name }] of scenarios.entries()) {
    if (name === undefined || scenarios.findIndex((other) => other.name === name) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: `there is another scenario "${name}"` });
  }
}
