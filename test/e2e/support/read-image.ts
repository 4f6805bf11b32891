import { join } from 'node:path';
import type { ImageConfig, Layer, OciImage } from '../../../src/oci/image.ts';
import { readConfig, readLayoutIndex, readManifest } from '../../../src/oci/read-layout.ts';
import { compressionOf } from '../../../src/oci/spec.ts';

const KINDS: readonly Layer['kind'][] = ['base', 'app', 'runtime', 'state', 'checkpoint'];

/** A published layout as the engine port takes it. */
export async function readImage(layout: string): Promise<OciImage> {
  const [descriptor] = (await readLayoutIndex(layout)).manifests;
  if (descriptor === undefined) throw new Error(`${layout} is empty`);
  const manifest = await readManifest(layout, descriptor.digest);
  const { config, rootfs } = (await readConfig(layout, manifest.config.digest)) as unknown as {
    config: Record<string, unknown>;
    rootfs: { diff_ids: string[] };
  };
  const list = (value: unknown) => (value ?? []) as string[];
  const withoutState = manifest.layers.length < KINDS.length;
  const kinds = KINDS.filter((kind) => kind !== 'state' || !withoutState);
  return {
    blobDir: join(layout, 'blobs'),
    layers: manifest.layers.map(({ digest, size, mediaType }, index) => ({
      kind: kinds[index] ?? 'state',
      compression: compressionOf(mediaType) ?? 'gzip',
      digest,
      diffId: rootfs.diff_ids[index] ?? '',
      sizeBytes: size,
      uncompressedBytes: 0,
    })),
    config: {
      architecture: 'amd64',
      os: 'linux',
      user: String(config['User']),
      environment: Object.fromEntries(list(config['Env']).map((entry) => entry.split(/=(.*)/s).slice(0, 2))),
      entrypoint: list(config['Entrypoint']),
      command: list(config['Cmd']),
      workingDir: String(config['WorkingDir']),
      ports: Object.keys((config['ExposedPorts'] ?? {}) as object).map((port) => Number.parseInt(port, 10)),
      labels: (config['Labels'] ?? {}) as Record<string, string>,
      stopSignal: 'SIGTERM',
    } satisfies ImageConfig,
  };
}
