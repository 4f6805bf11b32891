/** What a script's thread and the build say to each other. */
import type { JvmFacts, RequestOptions } from './script-api.ts';

export type ToScript =
  | ({ readonly type: 'run'; readonly run: number } & RunFacts)
  | { readonly type: 'answer'; readonly call: number; readonly answer: CallResult }
  | { readonly type: 'refusal'; readonly call: number; readonly error: Thrown }
  /** All runs are over. */
  | { readonly type: 'stop' };

export type FromScript =
  | { readonly type: 'call'; readonly run: number; readonly call: number; readonly wanted: Wanted }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'measured'; readonly run: number; readonly endpoint: string; readonly latencyMs: number }
  | { readonly type: 'done'; readonly run: number }
  | { readonly type: 'failed'; readonly run: number; readonly error: Thrown };

export interface RunFacts {
  readonly n: number;
  readonly user: number;
  readonly seed: number;
  readonly options: Readonly<Record<string, unknown>>;
}

export type Wanted =
  | { readonly kind: 'request'; readonly method: string; readonly path: string; readonly options: RequestOptions }
  | { readonly kind: 'endpoint'; readonly port?: number }
  | { readonly kind: 'jvm' };

export interface RawAnswer {
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export type CallResult = RawAnswer | { readonly host: string; readonly port: number } | JvmFacts | undefined;

/** An error without what a thread cannot be given. */
export interface Thrown {
  /** "Error", "TypeError". */
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Of the answer that was wrong. */
  readonly lines: readonly string[];
}
