import { Readable } from 'node:stream';
import { digestOf } from '../../../../src/oci/blob-store.ts';
import { explainAnswer } from '../../../../src/oci/registry/explain-answer.ts';
import { explainConnection } from '../../../../src/oci/registry/explain-connection.ts';
import { TransientFailure } from '../../../../src/oci/registry/retry.ts';
import type { HttpAnswer } from '../../../../src/oci/registry/transport.ts';
import { renderError } from '../../../../src/report/render-error.ts';
import { expectGolden } from '../../../support/golden.ts';

function composeAnswer(status: number, body: string, headers: Record<string, string> = {}): HttpAnswer {
  const url = new URL('https://registry.test:5000/v2/team/app/manifests/1?signature=secret');
  return { status, headers, body: Readable.from([Buffer.from(body)]) as HttpAnswer['body'], url };
}
const ERRORS = (code: string, message: string) => JSON.stringify({ errors: [{ code, message, detail: 'x' }] });
const told = (error: unknown) =>
  error instanceof TransientFailure ? `may pass; if not:\n${renderError(error.failure)}` : renderError(error);

test('every text', async () => {
  const answers: [number, string, string | undefined, Record<string, string>?][] = [
    [401, ERRORS('UNAUTHORIZED', 'authentication required'), undefined],
    [403, ERRORS('DENIED', 'requested access to the resource is denied'), '/home/me/.docker/config.json'],
    [404, '<html>', undefined],
    [400, ERRORS('NAME_INVALID', 'two\nlines \u001b[31mand colours'), undefined],
    [429, ERRORS('TOOMANYREQUESTS', 'You have reached your pull rate limit'), undefined, { 'retry-after': '3600' }],
    [503, '', undefined],
  ];
  const texts: string[] = [];
  for (const [status, body, source, headers] of answers) {
    texts.push(
      told(await explainAnswer(composeAnswer(status, body, headers), `the blob ${digestOf('x')} of team/app`, source)),
    );
  }
  for (const code of [
    'ECONNREFUSED',
    'ENOTFOUND',
    'UND_ERR_BODY_TIMEOUT',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'EWHATEVER',
  ]) {
    const error = Object.assign(new Error(`words of ${code}`), { code });
    texts.push(told(explainConnection(error, 'registry.test:5000')));
  }
  const all = texts.join('\n');
  expect(all).not.toContain('secret');
  expectGolden('registry-errors.txt', all);
});

test('errors of the disk are not taken for those of the network', () => {
  const full = Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
  expect(explainConnection(full, 'x')).toBe(full);
});
