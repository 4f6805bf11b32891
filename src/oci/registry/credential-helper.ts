import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { CracBuildError } from '../../errors.ts';
import type { Credentials } from './credentials.ts';

const ANSWER = z.looseObject({ Username: z.string(), Secret: z.string() });
/** One that opens a window to ask somebody waits for ever in a build. */
const TIMEOUT_MS = 60_000;

/**
 * `docker-credential-NAME get`: the server's name on stdin, `{"Username": …, "Secret": …}` on stdout. Undefined where it has nothing
 * for that server. https://github.com/docker/docker-credential-helpers#development
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw failed(program, 'that is no name of a helper', file);
  const { exitCode, stdout, stderr } = await run(program, server, file, environment, signal);
  if (exitCode !== 0) {
    // A helper tells that on stdout, and with exit code 1, as it tells everything else.
    if (/credentials not found|no credentials|not found in/i.test(`${stdout}\n${stderr}`)) return undefined;
    throw failed(program, firstLine(stderr) ?? `it ended with exit code ${exitCode}`, file);
  }
  const answer = ANSWER.safeParse(parseOrUndefined(stdout));
  if (!answer.success) throw failed(program, 'its answer is not of the agreed form', file);
  const { Username: user, Secret: secret } = answer.data;
  if (secret === '') return undefined;
  return user === '<token>' ? { kind: 'identity-token', token: secret } : { kind: 'password', user, password: secret };
}

async function run(
  program: string,
  server: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
) {
  const child = spawn(program, ['get'], {
    env: environment as NodeJS.ProcessEnv,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    killSignal: 'SIGKILL',
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.on('error', () => undefined); // one that does not read what it is asked says why by its exit code
  child.stdin.end(`${server}\n`);
  try {
    const [exitCode, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
    return { exitCode, stdout, stderr };
  } catch (cause) {
    signal.throwIfAborted();
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw failed(
      program,
      isMissing ? 'there is no such command in PATH' : `no answer within ${TIMEOUT_MS / 1000} s`,
      file,
    );
  }
}

function parseOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function firstLine(words: string): string | undefined {
  return words.trim().split('\n')[0] || undefined;
}

function failed(program: string, words: string, file: string): CracBuildError {
  return new CracBuildError('REGISTRY_DENIED', `${program} gives no credentials: ${words}`, {
    hint: `Mend or install it, or take it out of credsStore and credHelpers in ${file}.`,
  });
}
