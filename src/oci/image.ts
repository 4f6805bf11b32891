/** An image as files: blobs lie in `blobDir/sha256/HEX` as in an OCI image layout. Immutable. */
export interface OciImage {
  readonly blobDir: string;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
  /** `oci` where it is left out. */
  readonly format?: ImageFormat;
  /** Of the manifest; Docker's has none. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Since 1970; the time of our files where it is left out: no clock goes into an image. */
  readonly createdSeconds?: number;
}

/** Whose media types manifest, config and layers bear. */
export type ImageFormat = 'oci' | 'docker';

export type LayerCompression = 'gzip' | 'zstd';

/** How layers are to be compressed. */
export interface Compression {
  readonly compression: LayerCompression;
  readonly compressionLevel: number;
}

/** One layer: a compressed, deterministic tar. */
export interface Layer {
  readonly kind: 'base' | 'dependencies' | 'app' | 'runtime' | 'state' | 'checkpoint';
  readonly compression: LayerCompression;
  /** "sha256:…" of the compressed blob. */
  readonly digest: string;
  /** "sha256:…" of the uncompressed tar. */
  readonly diffId: string;
  readonly sizeBytes: number;
  readonly uncompressedBytes: number;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md, the parts that are used. */
export interface ImageConfig {
  readonly architecture: 'amd64' | 'arm64';
  readonly os: 'linux';
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly ports: readonly number[];
  readonly labels: Readonly<Record<string, string>>;
  /** "SIGTERM", "SIGINT", "15". */
  readonly stopSignal: string;
  /** Of the image that this one is built on. */
  readonly inherited?: InheritedConfig;
}

/** What an image on top of another one takes over as it is. */
export interface InheritedConfig {
  /** Ports that are not TCP: "53/udp". */
  readonly otherPorts: readonly string[];
  readonly volumes: readonly string[];
  /** Docker's HEALTHCHECK, as it is written there. */
  readonly healthcheck?: object | undefined;
  /** Of its layers, and of steps that made none. */
  readonly history: readonly object[];
}
