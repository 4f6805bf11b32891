import type { Layer } from './image.ts';
import type { ReadConfig } from './read-layout.ts';

/** An image that somebody else made. Its layers lie in the blob store that was asked for, and are not yet checked. */
export interface SourceImage {
  /** Of its manifest; of its config where it came as a Docker archive, which has no manifest. */
  readonly digest: string;
  readonly config: ReadConfig;
  /** Lowest first. `diffId` as the config says; `uncompressedBytes` is 0. */
  readonly layers: readonly Layer[];
  /** Where it was pulled from: what has these layers. */
  readonly registry?: { readonly host: string; readonly repository: string };
}
