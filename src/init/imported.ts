/** What an importer makes of a recording or a description: scenarios to be read, changed and kept by people. */
export interface Imported {
  /** "HAR shop.har": heads the scenarios in the file. */
  readonly source: string;
  readonly scenarios: readonly ImportedScenario[];
  /** What was left out or changed, a sentence each: for the file and for the terminal. */
  readonly notes: readonly string[];
}

export interface ImportedScenario {
  readonly name: string;
  /** Share among all scenarios; 1 where it is left out. */
  readonly weight?: number;
  readonly steps: readonly ImportedStep[];
  readonly comments: readonly string[];
}

export interface ImportedStep {
  readonly method: string;
  /** With its query, encoded as it is sent. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly form?: Readonly<Record<string, string>>;
  /** Expected status, where it is not 200. */
  readonly status?: number;
  readonly thinkMs?: number;
  readonly comments: readonly string[];
  /** It cannot work as it is: written as a comment, for `missing` to be filled in. */
  readonly missing?: string;
}

/** Methods that change nothing, https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

export function count(amount: number, thing: string, things = `${thing}s`): string {
  return `${amount} ${amount === 1 ? thing : things}`;
}

/** The warm-up has no cache and asks for no part: it gets the whole page where a browser got 304 or 206. */
export function wholeStatus(status: number): number {
  return status === 304 || status === 206 ? 200 : status;
}
