import { CracBuildError } from '../../errors.ts';
import { TransientFailure } from './retry.ts';

/** The other side is up, but what it says is no TLS. */
export function speaksNoTls(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  return (
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)$/.test(code) ||
    /wrong version number|packet length too long/.test(message) ||
    // Closed without a word at the first bytes of TLS.
    code === 'ECONNRESET' ||
    code === 'UND_ERR_SOCKET'
  );
}

const CERTIFICATE_CODES =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;

/** Why a request had no answer: TransientFailure where the next one may have. Errors of the local disk stay what they are. */
export function explainConnection(error: unknown, host: string): unknown {
  const { code = '', message = '', syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (['open', 'read', 'write'].includes(syscall ?? '') && /^E(NOENT|NOSPC|DQUOT|ACCES|IO|ISDIR)$/.test(code))
    return error;
  if (CERTIFICATE_CODES.test(code)) {
    return new CracBuildError('REGISTRY_FAILED', `the certificate of ${host} is not trusted: ${message}`, {
      hint: `Name the file of its authority in NODE_EXTRA_CA_CERTS, or put it into /etc/docker/certs.d/${host}; --insecure ${host} does without.`,
      cause: error,
    });
  }
  if (speaksNoTls(error) && code !== 'ECONNRESET' && code !== 'UND_ERR_SOCKET') {
    return new CracBuildError('REGISTRY_FAILED', `${host} does not speak TLS`, {
      hint: `Use its encrypted port, or --insecure ${host} where nobody can listen.`,
      cause: error,
    });
  }
  const words = NETWORK_WORDS[code] ?? (message || code || String(error));
  const failure = new CracBuildError('REGISTRY_FAILED', `no answer from the registry ${host}: ${words}`, {
    hint: 'Check the name and that the registry is up; HTTPS_PROXY and NO_PROXY are respected.',
    cause: error,
  });
  return code === 'ENOTFOUND' ? failure : new TransientFailure(failure);
}

const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name could not be looked up',
  ETIMEDOUT: 'it took too long to connect',
  UND_ERR_CONNECT_TIMEOUT: 'it took too long to connect',
  UND_ERR_HEADERS_TIMEOUT: 'it took too long to answer',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped coming',
};
