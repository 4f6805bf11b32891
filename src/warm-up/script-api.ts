/**
 * What a script of a warm-up is given. `import type { WarmUp } from 'crac-build/warm-up'` has these types; docs/warm-up.md
 * tells more.
 */

/** The default export of a script: one run of it. It is called again and again, by several users at once where there are. */
export type WarmUp = (app: App) => unknown;

export interface App {
  /**
   * Sends a request over the warm-up's connections, with the cookies of this run. It rejects where no answer comes, or one
   * that is not as `expect` says; a script that does not catch that fails the build. `path` has its query.
   */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** Does something that request() cannot, and lets it count as a request named `endpoint`: "ws /echo". */
  measure<T>(endpoint: string, work: () => Promise<T>): Promise<T>;
  /** Where a port of the app can be reached, for clients of the script's own; without `port`, the scenario's. */
  endpoint(port?: number): Promise<{ readonly host: string; readonly port: number }>;
  /** What the stop rule looks at. Undefined: no JVM answers. */
  jvm(): Promise<JvmFacts | undefined>;
  /** Shown in the build's output. */
  log(text: string): void;
  /** What `options` in crac-build.yaml holds. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The number of this run, as {{n}}: no two runs of a build have the same. */
  readonly n: number;
  /** The number of the user, as {{user}}. */
  readonly user: number;
  /** `warmUp.seed`. */
  readonly seed: number;
  /** From 0 up to 1; the same seed, user and run give the same numbers. */
  random(): number;
  /** Aborted when the warm-up ends before this run does. */
  readonly signal: AbortSignal;
}

export interface RequestOptions {
  /** One of `app.ports`, or the scenario's `port`, which is what it is without. */
  readonly port?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Sent as application/json. */
  readonly json?: unknown;
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Readonly<Record<string, string>>;
  /** Without: status 200. `false`: every answer is right. */
  readonly expect?: number | Expected | false;
  /** The path in reports, where many paths are one endpoint: "/orders/{id}". */
  readonly endpoint?: string;
}

export interface Expected {
  readonly status?: number;
  /** A text that the answer has. */
  readonly contains?: string;
  /** Headers that the answer has, with exactly these values. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON Schema that the answer fits. */
  readonly json?: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came: perhaps compressed. */
  readonly body: Uint8Array;
  text(): string;
  json(): unknown;
  /** Of a header that came several times, the first. */
  header(name: string): string | undefined;
  /** What the path (RFC 9535) finds first; throws where it finds nothing. */
  jsonPath(path: string): unknown;
  /** The first group, or all that matches where there is none; throws where nothing matches. */
  regex(pattern: RegExp | string): string;
}

/** Numbers count from the start of the JVM. Null: this JVM does not tell. */
export interface JvmFacts {
  /** CPU time of all compilers. */
  readonly compilerMs: number;
  /** None: nothing waits to be compiled. */
  readonly awakeCompilers: number;
  readonly compilations: number | null;
  /** Methods that were compiled for good and may not be used any more. */
  readonly discardedCode: number | null;
  readonly loadedClasses: number | null;
  readonly collections: number | null;
  readonly collectionMs: number | null;
}
