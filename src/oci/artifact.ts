import { digestOf } from './blob-store.ts';
import { type Descriptor, MEDIA_TYPES } from './spec.ts';

/** What is stored beside an image and says something of it: an SBOM, a signature. Small enough to be held in memory. */
export interface Artifact {
  /** For people: "SBOM". */
  readonly title: string;
  readonly manifest: Buffer;
  readonly manifestDigest: string;
  /** Config and layers. */
  readonly blobs: readonly { readonly digest: string; readonly content: Buffer }[];
  /** Of the descriptors that lead to it. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The name by which those look for it who know no referrers. */
  readonly tag?: string;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', content: Buffer.from('{}') } as const;

/**
 * An artifact that refers to the manifest `subject`.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export function composeReferrer(options: {
  readonly title: string;
  readonly subject: Descriptor;
  readonly artifactType: string;
  readonly content: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
}): Artifact {
  const { title, subject, artifactType, content, annotations } = options;
  const config = { digest: digestOf(EMPTY.content), content: EMPTY.content };
  const layer = { digest: digestOf(content), content };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      artifactType,
      config: { mediaType: EMPTY.mediaType, digest: config.digest, size: config.content.length },
      layers: [{ mediaType: artifactType, digest: layer.digest, size: content.length }],
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
      annotations,
    }),
  );
  return {
    ...{ title, manifest, manifestDigest: digestOf(manifest), blobs: [config, layer] },
    ...{ artifactType, annotations },
  };
}

/** The tag that stands for a digest: "sha256-HEX". https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
export function tagOfDigest(digest: string, suffix = ''): string {
  return `${digest.replace(':', '-')}${suffix}`;
}
