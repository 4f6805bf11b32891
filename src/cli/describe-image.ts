import { ALL_KEYS } from '../oci/fact-keys.ts';
import { findImage, renderPlatform } from '../oci/find-images.ts';
import { HISTORY_PREFIX } from '../oci/manifest.ts';
import { renderBytes } from '../report/render-bytes.ts';
import type { ImageSource } from '../stages/open-source.ts';

/** What an image tells of itself. */
export interface ImageDescription {
  readonly place: string;
  readonly digest: string;
  readonly configDigest: string;
  readonly mediaType: string;
  readonly platform: string;
  readonly layers: readonly {
    /** Absent: of a layer that is not ours. */
    readonly kind?: string;
    readonly digest: string;
    readonly diffId: string;
    readonly sizeBytes: number;
    readonly mediaType: string;
  }[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export async function describeImage({ place, dir, tag }: ImageSource): Promise<ImageDescription> {
  const { descriptor, manifest, config, platform } = await findImage(dir, tag);
  const creators = (config.history ?? []).filter(({ empty_layer }) => empty_layer !== true);
  return {
    place,
    digest: descriptor.digest,
    configDigest: manifest.config.digest,
    mediaType: descriptor.mediaType,
    platform: renderPlatform(platform),
    layers: manifest.layers.map(({ digest, size, mediaType }, index) => {
      const [, kind] = creators[index]?.created_by?.split(HISTORY_PREFIX) ?? [];
      const diffId = config.rootfs.diff_ids[index] ?? '';
      return {
        ...(kind !== undefined && { kind: kind.split(' ')[0] ?? '' }),
        digest,
        diffId,
        sizeBytes: size,
        mediaType,
      };
    }),
    annotations: manifest.annotations ?? {},
    labels: config.config?.Labels ?? {},
  };
}

/** Digests and what is known by our keys; all others are in the JSON only. */
export function renderImage({ digest, platform, layers, annotations, labels }: ImageDescription): string {
  const told: Readonly<Record<string, string>> = { ...labels, ...annotations };
  const facts = ALL_KEYS.filter((key) => told[key] !== undefined);
  const width = Math.max(0, ...facts.map((key) => key.length));
  const lines = [
    `image ${digest}, ${platform}`,
    ...layers.map(
      (layer) => `  ${(layer.kind ?? '').padEnd(10)} ${renderBytes(layer.sizeBytes).padStart(9)}   ${layer.digest}`,
    ),
    '',
    'facts',
    ...facts.map((key) => `  ${key.padEnd(width)}  ${told[key]}`),
  ];
  return `${lines.join('\n')}\n`;
}
