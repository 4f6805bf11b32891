import { FIXED_MTIME_SECONDS } from '../tar/entry.ts';
import { digestOf } from './blob-store.ts';
import type { OciImage } from './image.ts';
import { type ConfigFile, type Descriptor, DOCKER_TYPES, LAYER_TYPES, type Manifest, MEDIA_TYPES } from './spec.ts';

/** Of what `created_by` says of our layers. */
export const HISTORY_PREFIX = 'crac-build: ';

/** The two JSON blobs of an image, as the bytes that their digests are taken of. */
export interface ImageDocuments {
  readonly config: Buffer;
  readonly configDigest: string;
  readonly manifest: Buffer;
  readonly manifestDigest: string;
}

export function composeDocuments(image: OciImage): ImageDocuments {
  const config = Buffer.from(JSON.stringify(composeConfigFile(image)));
  const configDigest = digestOf(config);
  const manifest = Buffer.from(JSON.stringify(composeManifest(image, configDigest, config.length)));
  return { config, configDigest, manifest, manifestDigest: digestOf(manifest) };
}

export function composeConfigFile({ config, layers, createdSeconds }: OciImage): ConfigFile {
  const { inherited } = config;
  const ports = [...config.ports.map((port) => `${port}/tcp`), ...(inherited?.otherPorts ?? [])];
  const created = renderTime(createdSeconds ?? FIXED_MTIME_SECONDS);
  return {
    created,
    architecture: config.architecture,
    os: config.os,
    config: {
      User: config.user,
      ...(ports.length > 0 && { ExposedPorts: asSet(ports) }),
      Env: Object.entries(config.environment).map(([name, value]) => `${name}=${value}`),
      ...(config.entrypoint.length > 0 && { Entrypoint: config.entrypoint }),
      ...(config.command.length > 0 && { Cmd: config.command }),
      WorkingDir: config.workingDir,
      ...(Object.keys(config.labels).length > 0 && { Labels: sortKeys(config.labels) }),
      StopSignal: config.stopSignal,
      ...(inherited !== undefined && inherited.volumes.length > 0 && { Volumes: asSet(inherited.volumes) }),
      ...(inherited?.healthcheck !== undefined && { Healthcheck: inherited.healthcheck }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: [
      ...(inherited?.history ?? []),
      ...layers
        .filter(({ kind }) => inherited === undefined || kind !== 'base')
        .map(({ kind }) => ({ created, created_by: `${HISTORY_PREFIX}${kind} layer` })),
    ],
  };
}

/** As Go writes a set. */
function asSet(names: readonly string[]): Readonly<Record<string, Record<string, never>>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** Docker has no type for layers in zstd, and no annotations. */
function composeManifest({ layers, format, annotations = {} }: OciImage, digest: string, size: number): Manifest {
  const isDocker = format === 'docker';
  const types = isDocker ? DOCKER_TYPES : MEDIA_TYPES;
  return {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest, size },
    layers: layers.map(
      (layer): Descriptor => ({
        mediaType: isDocker ? DOCKER_TYPES.layer : LAYER_TYPES[layer.compression],
        digest: layer.digest,
        size: layer.sizeBytes,
      }),
    ),
    ...(!isDocker && Object.keys(annotations).length > 0 && { annotations: sortKeys(annotations) }),
  };
}

/** RFC 3339, whole seconds. */
export function renderTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function sortKeys(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
