import { z } from 'zod';
import { PLACE_FORMS, parsePlace } from '../oci/place.ts';
import { STEP_NAMES } from '../steps.ts';
import { tlsSchema, warmUpSchema } from './scenario-schema.ts';
import { containerGlob, duration, port, regex, size, status, text, urlPath, word } from './schema-words.ts';
import { BASE_WORDS, IMAGE_WORDS, parseBase, parseHost, parseImage, parseSignKey, parseUser } from './words.ts';

/** One form; `timeout` goes with each. */
const FORMS = {
  tcp: ['tcp'],
  log: ['log'],
  command: ['command'],
  http: ['port', 'path', 'status', 'contains', 'tls'],
} as const;

const readiness = z
  .strictObject({
    port: port.optional(),
    path: urlPath.optional(),
    status: status.optional(),
    contains: z.string().min(1, { error: 'expected a text' }).optional(),
    tls: tlsSchema.optional(),
    tcp: port.optional(),
    log: regex.optional(),
    command: z.array(text).min(1).optional(),
    timeout: duration.optional(),
  })
  .superRefine((given, context) => {
    const forms = Object.values(FORMS).flatMap((keys) => keys.filter((key) => key in given).slice(0, 1));
    const [first, second] = forms;
    if (second !== undefined)
      context.addIssue({ code: 'custom', path: [second], message: `expected one form, found ${first} and ${second}` });
  });

/** A file alone, or with what `docker build` is told besides. */
const dockerfileParts = z.strictObject({
  file: z.string().optional(),
  context: z.string().optional(),
  arguments: z.record(z.string(), text).optional(),
  target: z.string().min(1).optional(),
});
const dockerfile = z.union(
  [z.string().transform((file): z.output<typeof dockerfileParts> => ({ file })), dockerfileParts],
  { error: 'expected a file, or file, context, arguments and target' },
);
const className = z
  .string()
  .regex(/^[\p{L}_$][\p{L}\d_$]*(?:\.[\p{L}_$][\p{L}\d_$]*)*$/u, { error: 'expected the name of a class' });

/** crac-build.yaml. Every key can be left out; `planBuild` knows the defaults. Flags have the same shape and win. */
export const settingsSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, { error: 'expected lower-case letters, digits, ".", "_" and "-"' })
    .optional(),
  app: z
    .strictObject({
      jar: z.string().optional(),
      image: word(parseImage, IMAGE_WORDS).optional(),
      classPath: z.array(z.string()).min(1).optional(),
      mainClass: className.optional(),
      extract: z.boolean().optional(),
      dockerfile: dockerfile.optional(),
      javaOptions: z.array(text).optional(),
      arguments: z.array(text).optional(),
      environment: z.record(z.string(), text).optional(),
      ports: z.array(port).optional(),
      user: word(parseUser, '"UID" or "UID:GID" in numbers').optional(),
    })
    .optional(),
  base: word(parseBase, BASE_WORDS).optional(),
  modules: z.array(z.string()).optional(),
  engine: z.enum(['auto', 'docker', 'oci']).optional(),
  network: z.enum(['isolated', 'host']).optional(),
  readiness: readiness.optional(),
  warmUp: warmUpSchema.optional(),
  checkpoint: z
    .strictObject({
      trigger: z.enum(['build', 'app']).optional(),
      memory: z.enum(['map', 'read']).optional(),
      timeout: duration.optional(),
      settle: duration.optional(),
      resources: z.enum(['transparent', 'strict']).optional(),
      policies: z.string().optional(),
      skip: z.array(z.enum(STEP_NAMES)).optional(),
      maxState: size.optional(),
      keep: z.array(containerGlob).optional(),
      leaveOut: z.array(containerGlob).optional(),
    })
    .optional(),
  verify: z
    .strictObject({
      enabled: z.boolean().optional(),
      timeout: duration.optional(),
    })
    .optional(),
  cache: z
    .strictObject({
      enabled: z.boolean().optional(),
      maxSize: size.optional(),
    })
    .optional(),
  image: z
    .strictObject({
      compression: z.enum(['gzip', 'zstd']).optional(),
      compressionLevel: z.int({ error: 'expected a whole number' }).min(1).max(19).optional(),
      format: z.enum(['oci', 'docker']).optional(),
    })
    .optional(),
  attestations: z
    .strictObject({
      sbom: z.boolean().optional(),
      provenance: z.boolean().optional(),
      builder: z.url({ error: 'expected a URI' }).optional(),
      signKey: word(parseSignKey, '"FILE", "env://VARIABLE" or "command:PROGRAM ARGUMENT…"').optional(),
      signPublicKey: z.string().optional(),
    })
    .optional(),
  outputs: z.array(word(parsePlace, PLACE_FORMS)).optional(),
  insecureRegistries: z.array(word(parseHost, '"HOST" or "HOST:PORT"')).optional(),
});

/** Durations in milliseconds; bases, images, outputs and user as objects. */
export type Settings = z.output<typeof settingsSchema>;
