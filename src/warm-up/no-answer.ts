import { renderNetworkError } from './network-error.ts';

/** A request to which no answer came. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly endpoint: string;

  constructor(endpoint: string, cause: unknown) {
    super(`${endpoint} got no answer: ${renderNetworkError(cause as Error)}`, { cause });
    this.endpoint = endpoint;
  }
}
