import { digestOf } from './blob-store.ts';
import type { Layer, OciImage } from './image.ts';
import { type ConfigFile, type Descriptor, LAYER_TYPES, type Manifest, MEDIA_TYPES } from './spec.ts';

/** Images of equal content are equal: no clock goes into them. */
const CREATED = '1980-01-01T00:00:00Z';

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
  const manifest = Buffer.from(JSON.stringify(composeManifest(image.layers, configDigest, config.length)));
  return { config, configDigest, manifest, manifestDigest: digestOf(manifest) };
}

export function composeConfigFile({ config, layers }: OciImage): ConfigFile {
  const { inherited } = config;
  const ports = [...config.ports.map((port) => `${port}/tcp`), ...(inherited?.otherPorts ?? [])];
  return {
    created: CREATED,
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
        .map(({ kind }) => ({ created: CREATED, created_by: `crac-build: ${kind} layer` })),
    ],
  };
}

/** As Go writes a set. */
function asSet(names: readonly string[]): Readonly<Record<string, Record<string, never>>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function composeManifest(layers: readonly Layer[], configDigest: string, configBytes: number): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: configDigest, size: configBytes },
    layers: layers.map(
      (layer): Descriptor => ({
        mediaType: LAYER_TYPES[layer.compression],
        digest: layer.digest,
        size: layer.sizeBytes,
      }),
    ),
  };
}

function sortKeys(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
