import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isCracBuildError } from '../errors.ts';
import { openBlob, openDigestMeter } from './blob-store.ts';
import { openDecompressor } from './compression.ts';
import { HISTORY_PREFIX } from './manifest.ts';
import {
  type ReadConfig,
  type ReadDescriptor,
  readConfig,
  readInnerIndex,
  readLayoutIndex,
  readManifest,
} from './read-layout.ts';
import { isConfigType, isIndexType, REF_NAME, readCompressionOf } from './spec.ts';
import { validateTar } from './validate-tar.ts';

/**
 * What is wrong with an image layout, or with what bears `tag` in it, as sentences; empty when all is well. Everything that a digest
 * or a size is given for is read and compared: blobs, uncompressed layers, the tars inside, platforms and configs. Layers of
 * crac-build are held to its own rules, too. Rejects with IMAGE_INVALID for what is no layout at all.
 */
export async function validateLayout(
  dir: string,
  tag?: string,
  { signal, problems: before = new Map() }: { readonly signal?: AbortSignal; readonly problems?: Problems } = {},
): Promise<readonly string[]> {
  const known: Known = { problems: before, options: signal === undefined ? {} : { signal } };
  const { manifests } = await readLayoutIndex(dir);
  const names = manifests.flatMap((entry) => entry.annotations?.[REF_NAME] ?? []);
  const wanted = manifests.filter((entry) => tag === undefined || entry.annotations?.[REF_NAME] === tag);
  const problems = new Set<string>();
  if (new Set(names).size < names.length) problems.add('index.json has a name twice');
  if (wanted.length === 0 && tag !== undefined) problems.add(`there is nothing called ${tag}`);
  for (const entry of wanted) for (const problem of await validateEntry(dir, entry, known)) problems.add(problem);
  return [...problems];
}

/** Of blobs and layers that have been looked at, by what was said of them: images share them. */
export type Problems = Map<string, readonly string[]>;

interface Known {
  readonly problems: Problems;
  readonly options: { readonly signal?: AbortSignal };
}

async function validateEntry(dir: string, descriptor: ReadDescriptor, known: Known): Promise<readonly string[]> {
  const problems = [...(await validateBlob(dir, descriptor, known))];
  try {
    if (!isIndexType(descriptor.mediaType)) return [...problems, ...(await validateManifest(dir, descriptor, known))];
    for (const inner of (await readInnerIndex(dir, descriptor.digest)).manifests)
      problems.push(...(await validateEntry(dir, inner, known)));
    return problems;
  } catch (error) {
    return [...problems, sentenceOf(error)];
  }
}

async function validateManifest(dir: string, descriptor: ReadDescriptor, known: Known): Promise<readonly string[]> {
  const manifest = await readManifest(dir, descriptor.digest);
  const { mediaType, config, layers } = manifest;
  const problems: string[] = [];
  if (mediaType !== undefined && mediaType !== descriptor.mediaType)
    problems.push(`${descriptor.digest} says that it is ${mediaType}, and what points at it ${descriptor.mediaType}`);
  problems.push(...(await validateBlob(dir, config, known)));
  if (descriptor.artifactType !== undefined || !isConfigType(config.mediaType)) {
    for (const part of layers) problems.push(...(await validateBlob(dir, part, known)));
    return problems;
  }
  const read = await readConfig(dir, config.digest);
  problems.push(...validateConfig(descriptor, read, layers.length));
  const creators = (read.history ?? []).filter(({ empty_layer }) => empty_layer !== true);
  for (const [position, layer] of layers.entries()) {
    const isOurs = creators[position]?.created_by?.startsWith(HISTORY_PREFIX) ?? false;
    problems.push(...(await validateBlob(dir, layer, known)));
    problems.push(...(await validateLayer(dir, layer, read.rootfs.diff_ids[position], isOurs, known)));
  }
  return problems;
}

function validateConfig(descriptor: ReadDescriptor, read: ReadConfig, layerCount: number): readonly string[] {
  const { platform, digest } = descriptor;
  const { rootfs, history, config = {} } = read;
  const problems: string[] = [];
  if (rootfs.diff_ids.length !== layerCount)
    problems.push(`${rootfs.diff_ids.length} diff_ids for ${layerCount} layers`);
  const told = history?.filter(({ empty_layer }) => empty_layer !== true).length ?? layerCount;
  if (told !== layerCount) problems.push(`a history of ${told} layers for ${layerCount}`);
  for (const key of ['architecture', 'os'] as const)
    if (platform !== undefined && platform[key] !== read[key])
      problems.push(`${digest} is for ${platform[key]}, its config for ${read[key]}`);
  const nameless = (config.Env ?? []).filter((variable) => variable.indexOf('=') < 1).length;
  if (nameless > 0) problems.push(`the config has ${nameless} environment variables without a name`);
  if (!(config.Entrypoint?.length || config.Cmd?.length)) problems.push('the config names nothing to start');
  return problems;
}

async function validateBlob(dir: string, { digest, size }: ReadDescriptor, known: Known): Promise<readonly string[]> {
  const key = `${digest} ${size}`;
  const problems = known.problems.get(key) ?? (await compareBlob(dir, digest, size, known));
  known.options.signal?.throwIfAborted();
  known.problems.set(key, problems);
  return problems;
}

async function compareBlob(dir: string, digest: string, size: number, { options }: Known): Promise<readonly string[]> {
  const meter = openDigestMeter();
  meter.stream.resume();
  try {
    await pipeline(openBlob(join(dir, 'blobs'), digest), meter.stream, options);
  } catch (error) {
    return [`${digest}: ${(error as Error).message}`];
  }
  const found = meter.takeBlob();
  return [
    ...(found.digest === digest ? [] : [`${digest} has the content of ${found.digest}`]),
    ...(found.sizeBytes === size ? [] : [`${digest} has ${found.sizeBytes} bytes instead of ${size}`]),
  ];
}

async function validateLayer(
  dir: string,
  layer: ReadDescriptor,
  diffId: string | undefined,
  isOurs: boolean,
  known: Known,
): Promise<readonly string[]> {
  const compression = readCompressionOf(layer.mediaType);
  if (compression === undefined) return [`${layer.digest} has the media type ${layer.mediaType}`];
  const key = `${layer.digest} ${diffId} ${compression} ${isOurs}`;
  const seen = known.problems.get(key);
  if (seen !== undefined) return seen;
  const meter = openDigestMeter();
  const tar = new PassThrough();
  const blob = openBlob(join(dir, 'blobs'), layer.digest);
  const unpacked = pipeline(blob, openDecompressor(compression), meter.stream, tar, known.options);
  const problems = await Promise.all([validateTar(tar, isOurs), unpacked]).then(
    ([found]) => {
      const unpackedDigest = meter.takeBlob().digest;
      const wrong = `${layer.digest} unpacks to ${unpackedDigest} instead of ${diffId}`;
      return [...found, ...(unpackedDigest === diffId ? [] : [wrong])];
    },
    (error: unknown) => [`${layer.digest} cannot be unpacked: ${(error as Error).message}`],
  );
  known.options.signal?.throwIfAborted();
  known.problems.set(key, problems);
  return problems;
}

function sentenceOf(error: unknown): string {
  if (isCracBuildError(error, 'IMAGE_INVALID')) return error.message;
  throw error;
}
