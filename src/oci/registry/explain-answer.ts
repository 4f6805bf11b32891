import { z } from 'zod';
import { CracBuildError } from '../../errors.ts';
import { isTransientStatus, parseRetryAfter, TransientFailure } from './retry.ts';
import { type HttpAnswer, headerOf } from './transport.ts';

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
const ERRORS = z.looseObject({
  errors: z.array(z.looseObject({ code: z.string().optional(), message: z.string().nullish() })),
});
/** Of words from the other side. */
const MAX_BYTES = 64 << 10;
const MAX_WORDS = 300;

/**
 * What an answer that was not hoped for means: TransientFailure, REGISTRY_DENIED or REGISTRY_FAILED. `what` was asked for; `source`
 * says where credentials came from. Reads the answer's body.
 */
export async function explainAnswer(answer: HttpAnswer, what: string, source: string | undefined): Promise<Error> {
  const { status, url } = answer;
  const words = await readWords(answer);
  const told = words === '' ? `status ${status}` : `${words} (status ${status})`;
  if (status === 401 || status === 403) {
    return new CracBuildError('REGISTRY_DENIED', `${url.host} refuses ${what}: ${told}`, {
      hint:
        source === undefined
          ? `No credentials for it were found: log in with \`docker login ${url.host}\` or \`podman login ${url.host}\`.`
          : `The credentials are those of ${source}: log in again, with an account that may do this.`,
    });
  }
  if (!isTransientStatus(status)) {
    return new CracBuildError('REGISTRY_FAILED', `${url.host} fails at ${what}: ${told}`, {
      hint: 'Look at the name, and into the log of the registry.',
    });
  }
  const retryAfterMs = parseRetryAfter(headerOf(answer, 'retry-after'), Date.now());
  const wait = retryAfterMs === undefined ? '' : `, and asks to wait ${Math.ceil(retryAfterMs / 1000)} s`;
  const failure = new CracBuildError('REGISTRY_FAILED', `${url.host} fails at ${what}: ${told}${wait}`, {
    hint: status === 429 ? 'It was asked too often: try later, or log in.' : 'Try again later.',
  });
  return new TransientFailure(failure, retryAfterMs);
}

async function readWords({ body }: HttpAnswer): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part);
      sizeBytes += part.length;
      if (sizeBytes > MAX_BYTES) break;
    }
    const { errors } = ERRORS.parse(JSON.parse(Buffer.concat(parts).toString()));
    const words = errors.map(({ code, message }) => [code, message].filter(Boolean).join(': ')).join('; ');
    // One line, whatever the other side sends to a terminal.
    return words.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, MAX_WORDS);
  } catch {
    return '';
  }
}
