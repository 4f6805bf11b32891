import type { LayerCompression } from './image.ts';

/** The foreign types, under the addresses of their specification. Only what is written or read here. */

export const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
} as const;

/** https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md */
export const DOCKER_TYPES = {
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.index || mediaType === DOCKER_TYPES.index;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.manifest || mediaType === DOCKER_TYPES.manifest;
}

/** Of an image: manifests of other things have other configs. */
export function isConfigType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.config || mediaType === DOCKER_TYPES.config;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md */
export const LAYER_TYPES: Readonly<Record<LayerCompression, string>> = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
};

/** Undefined: not a type of layer that is written here. */
export function compressionOf(mediaType: string): LayerCompression | undefined {
  return (['gzip', 'zstd'] as const).find((compression) => LAYER_TYPES[compression] === mediaType);
}

export const PLAIN_LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

/** Of layers whoever made them; the last is containerd's, which no specification has. */
const READ_TYPES: Readonly<Record<string, LayerCompression | 'none'>> = {
  [LAYER_TYPES.gzip]: 'gzip',
  [LAYER_TYPES.zstd]: 'zstd',
  [PLAIN_LAYER_TYPE]: 'none',
  [DOCKER_TYPES.layer]: 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
};

/** Undefined: not a type of layer that can be read. */
export function readCompressionOf(mediaType: string): LayerCompression | 'none' | undefined {
  return READ_TYPES[mediaType];
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of what is no image: see artifact.ts. */
  readonly artifactType?: string;
  readonly platform?: Platform;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: typeof MEDIA_TYPES.manifest | typeof DOCKER_TYPES.manifest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md */
export interface ConfigFile {
  readonly created: string;
  readonly architecture: string;
  readonly os: string;
  readonly config: {
    readonly User: string;
    readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
    readonly Env: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly WorkingDir: string;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly StopSignal: string;
    readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
    readonly Healthcheck?: object;
  };
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
  readonly history: readonly object[];
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: typeof MEDIA_TYPES.index;
  readonly manifests: readonly Descriptor[];
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file */
export const LAYOUT_FILE = { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' } as const;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
export const REF_NAME = 'org.opencontainers.image.ref.name';
