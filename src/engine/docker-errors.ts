import { CracBuildError } from '../errors.ts';
import { throwIfInterrupted } from './run-command.ts';

/** What docker-modem adds to its errors; errors of the connection carry code and syscall. */
interface ModemError extends NodeJS.ErrnoException {
  readonly statusCode?: number;
  readonly json?: unknown;
}

/** Does one thing with the daemon; `what` completes "Docker failed to …". */
export async function callDocker<T>(what: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  throwIfInterrupted(signal);
  try {
    return await call();
  } catch (error) {
    throwIfInterrupted(signal);
    throw explainDockerError(error, what);
  }
}

export function explainDockerError(error: unknown, what: string): CracBuildError {
  if (error instanceof CracBuildError) return error;
  const { statusCode, syscall, code } = error as ModemError;
  if (statusCode === undefined && (syscall === 'connect' || syscall === 'getaddrinfo')) {
    return new CracBuildError('ENGINE_UNAVAILABLE', `no Docker daemon answers: ${(error as Error).message}`, {
      hint:
        code === 'EACCES'
          ? 'This user may not open the daemon’s socket: join the group docker, or run as root.'
          : 'Start the daemon, set DOCKER_HOST, or use --engine oci, which needs no daemon.',
      cause: error,
    });
  }
  const words = readDaemonWords(error as ModemError);
  const answer = statusCode === undefined ? words : `${words} (HTTP ${statusCode})`;
  return composeDockerError(what, answer, error);
}

/** For errors that come inside a stream, where the HTTP status said 200. */
export function composeDockerError(what: string, words: string, cause?: unknown): CracBuildError {
  if (/no space left on device|disk quota exceeded|ENOSPC/i.test(words)) {
    return new CracBuildError('NO_SPACE', `no space left while Docker tried to ${what}: ${words}`, {
      hint: 'Free some space where the daemon keeps its data: docker system df, docker system prune.',
      cause,
    });
  }
  if (/operation not permitted|permission denied|authorization denied/i.test(words)) {
    return new CracBuildError('ENGINE_DENIED', `Docker may not ${what}: ${words}`, {
      hint: 'The daemon, or a policy in front of it, refuses this; README.md lists what is needed under "What it needs".',
      cause,
    });
  }
  return new CracBuildError('ENGINE_FAILED', `Docker failed to ${what}: ${words}`, { cause });
}

export function hasStatus(error: unknown, ...statusCodes: readonly number[]): boolean {
  const { statusCode } = (error instanceof CracBuildError ? error.cause : error) as ModemError;
  return statusCode !== undefined && statusCodes.includes(statusCode);
}

function readDaemonWords({ json, message }: ModemError): string {
  const said = (json as { readonly message?: unknown } | null | undefined)?.message;
  if (typeof said === 'string' && said !== '') return said.trim();
  return message.trim() || 'the connection broke';
}
