import { z } from 'zod';
import { STEP_NAMES } from '../steps.ts';
import { parseDuration } from './duration.ts';
import { parseBase, parseOutput, parseUser, parseWarmUpRequest } from './words.ts';

/** A string of one form, checked and converted at once. */
function word<T>(parse: (text: string) => T | undefined, expected: string) {
  return z.union([z.string(), z.number()], { error: `expected ${expected}` }).transform((value, context): T => {
    const parsed = parse(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: `expected ${expected}, found ${JSON.stringify(value)}` });
    return z.NEVER;
  });
}

const duration = word(parseDuration, 'a duration with its unit, such as "30s" or "500ms"');
/** YAML reads `8080` and `true` as number and boolean where a text is meant. */
const text = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected a text' })
  .transform((value) => String(value));
const port = z.int({ error: 'expected a port number' }).min(1).max(65_535);
const status = z.int({ error: 'expected an HTTP status' }).min(100).max(599);
const urlPath = z.string().startsWith('/', { error: 'expected a path that begins with "/"' });
const count = z.int({ error: 'expected a whole number' }).min(1);

const warmUpRequestObject = z.strictObject(
  {
    method: z
      .string()
      .regex(/^[A-Z]+$/, { error: 'expected an HTTP method in capitals' })
      .optional(),
    port: port.optional(),
    path: urlPath,
    headers: z.record(z.string(), text).optional(),
    body: z.string().optional(),
    count: count.optional(),
    concurrency: count.max(1000).optional(),
    status: status.optional(),
    contains: z.string().min(1, { error: 'expected a text' }).optional(),
  },
  { error: ({ code }) => (code === 'invalid_type' ? 'expected "GET /path x200" or keys and values' : undefined) },
);
/** Also in the flag's short form: "GET / x200". */
const warmUpRequest = z.preprocess(
  (value) => (typeof value === 'string' ? (parseWarmUpRequest(value) ?? value) : value),
  warmUpRequestObject,
);

/** crac-build.yaml. Every key can be left out; `planBuild` knows the defaults. Flags have the same shape and win. */
export const settingsSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, { error: 'expected lower-case letters, digits, ".", "_" and "-"' })
    .optional(),
  app: z
    .strictObject({
      jar: z.string().optional(),
      javaOptions: z.array(text).optional(),
      arguments: z.array(text).optional(),
      environment: z.record(z.string(), text).optional(),
      ports: z.array(port).optional(),
      user: word(parseUser, '"UID" or "UID:GID" in numbers').optional(),
    })
    .optional(),
  base: word(parseBase, '"jdk:PATH"').optional(),
  modules: z.array(z.string()).optional(),
  engine: z.enum(['auto', 'docker', 'oci']).optional(),
  network: z.enum(['isolated', 'host']).optional(),
  readiness: z
    .strictObject({
      port: port.optional(),
      path: urlPath.optional(),
      status: status.optional(),
      timeout: duration.optional(),
    })
    .optional(),
  warmUp: z
    .strictObject({
      requests: z.array(warmUpRequest).optional(),
      timeout: duration.optional(),
    })
    .optional(),
  checkpoint: z
    .strictObject({
      trigger: z.enum(['build', 'app']).optional(),
      memory: z.enum(['map', 'read']).optional(),
      timeout: duration.optional(),
      settle: duration.optional(),
      resources: z.enum(['transparent', 'strict']).optional(),
      policies: z.string().optional(),
      skip: z.array(z.enum(STEP_NAMES)).optional(),
    })
    .optional(),
  verify: z
    .strictObject({
      enabled: z.boolean().optional(),
      timeout: duration.optional(),
    })
    .optional(),
  image: z
    .strictObject({
      compression: z.enum(['gzip', 'zstd']).optional(),
      compressionLevel: z.int({ error: 'expected a whole number' }).min(1).max(19).optional(),
    })
    .optional(),
  outputs: z.array(word(parseOutput, '"oci:DIR" or "docker:REFERENCE"')).optional(),
});

/** Durations in milliseconds, `base` the JDK's path, outputs and user as objects. */
export type Settings = z.output<typeof settingsSchema>;
