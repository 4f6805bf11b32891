/** A Dockerfile that is to become an image. */
export interface DockerfileBuild {
  /** Absolute. */
  readonly file: string;
  /** Absolute: the folder that COPY and ADD copy from. */
  readonly context: string;
  readonly buildArguments: Readonly<Record<string, string>>;
  /** The stage to stop at; the last where it is left out. */
  readonly target?: string;
  /** The name that the image gets, and keeps: without it the next build could take nothing from the builder's cache. */
  readonly tag: string;
}

export interface BuildProgress {
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}
