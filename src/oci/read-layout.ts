import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import { locateBlob } from './blob-store.ts';
import { LAYOUT_FILE } from './spec.ts';

const DIGEST = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const DESCRIPTOR = z.looseObject({
  mediaType: z.string(),
  digest: DIGEST,
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z.looseObject({ architecture: z.string(), os: z.string(), variant: z.string().optional() }).optional(),
  artifactType: z.string().optional(),
});
const INDEX = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(DESCRIPTOR) });
const MANIFEST = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: DESCRIPTOR,
  layers: z.array(DESCRIPTOR),
  annotations: z.record(z.string(), z.string()).optional(),
  artifactType: z.string().optional(),
  /** Of what says something of another manifest. */
  subject: DESCRIPTOR.optional(),
});
const CONFIG = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  created: z.string().optional(),
  config: z
    .looseObject({
      Env: z.array(z.string()).optional(),
      User: z.string().optional(),
      WorkingDir: z.string().optional(),
      // Docker writes null where there are none.
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      ExposedPorts: z.record(z.string(), z.looseObject({})).nullish(),
      Volumes: z.record(z.string(), z.looseObject({})).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      StopSignal: z.string().nullish(),
      Healthcheck: z.looseObject({}).nullish(), // Docker's own; OCI has no such key, and leaves it alone
      OnBuild: z.array(z.string()).nullish(),
    })
    .optional(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(DIGEST) }),
  history: z.array(z.looseObject({ created_by: z.string().optional(), empty_layer: z.boolean().optional() })).nullish(),
});

export type ReadDescriptor = z.infer<typeof DESCRIPTOR>;
export type ReadIndex = z.infer<typeof INDEX>;
export type ReadManifest = z.infer<typeof MANIFEST>;
export type ReadConfig = z.infer<typeof CONFIG>;

/** Rejects with IMAGE_INVALID where `dir` is no image layout that we understand. */
export async function readLayoutIndex(dir: string): Promise<ReadIndex> {
  const layout = await readJson(join(dir, LAYOUT_FILE.name), z.looseObject({ imageLayoutVersion: z.string() }));
  if (!layout.imageLayoutVersion.startsWith('1.')) {
    throw new CracBuildError('IMAGE_INVALID', `${dir} is an image layout of version ${layout.imageLayoutVersion}`, {
      hint: 'Only version 1 is understood.',
    });
  }
  return await readJson(join(dir, 'index.json'), INDEX);
}

/** An index that an index points at: images for several platforms. */
export async function readInnerIndex(dir: string, digest: string): Promise<ReadIndex> {
  return await readJson(locateBlob(join(dir, 'blobs'), digest), INDEX);
}

export async function readManifest(dir: string, digest: string): Promise<ReadManifest> {
  return await readJson(locateBlob(join(dir, 'blobs'), digest), MANIFEST);
}

export async function readConfig(dir: string, digest: string): Promise<ReadConfig> {
  return await readJson(locateBlob(join(dir, 'blobs'), digest), CONFIG);
}

/** `name`: whose document it is. IMAGE_INVALID where it is of another form. */
export function parseIndex(bytes: Buffer, name: string): ReadIndex {
  return parseJson(bytes.toString(), INDEX, `the index of ${name}`);
}

export function parseManifest(bytes: Buffer, name: string): ReadManifest {
  return parseJson(bytes.toString(), MANIFEST, `the manifest of ${name}`);
}

export function parseConfig(bytes: Buffer, name: string): ReadConfig {
  return parseJson(bytes.toString(), CONFIG, `the config of ${name}`);
}

function parseJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new CracBuildError('IMAGE_INVALID', `${what} is not of the right form: ${why}`, {
      hint: 'Push the image again.',
      cause,
    });
  }
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : explainRead(cause);
    throw new CracBuildError('IMAGE_INVALID', `cannot read ${path}: ${why}`, {
      hint: 'Give an OCI image layout.',
      cause,
    });
  }
}

function explainRead(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
}
