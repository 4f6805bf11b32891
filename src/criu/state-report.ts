/** What the app had written when its checkpoint was taken; paths as in the image, by size where nothing else is said. */
export interface StateReport {
  /** Part of the image, with their bytes; folders and links are not listed. */
  readonly files: readonly StateFile[];
  readonly sizeBytes: number;
  /** Of the image's own files. */
  readonly removed: readonly string[];
  readonly leftOut: readonly (StateFile & { readonly why: WhyLeftOut })[];
}

export interface StateFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Why a file that the app wrote is not in the image: docs/image.md. */
export type WhyLeftOut = 'jvm' | 'temporary' | 'cache' | 'configured';
