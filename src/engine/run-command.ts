import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { CracBuildError } from '../errors.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end. A non-zero exit code is a result. Programs get a process group of their own, so that Ctrl-C
 * reaches them only through us.
 */
export async function runCommand(
  argv: readonly string[],
  options: {
    readonly signal?: AbortSignal;
    readonly cwd?: string;
    readonly environment?: NodeJS.ProcessEnv;
    /** Instead of killing the program itself. */
    readonly onAbort?: (child: ChildProcess) => void;
  } = {},
): Promise<CommandResult> {
  const { signal, cwd, environment, onAbort } = options;
  throwIfInterrupted(signal);
  const child = spawnProgram(argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    ...(environment !== undefined && { env: environment }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const abort = (): void => (onAbort === undefined ? void child.kill('SIGKILL') : onAbort(child));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const exitCode = await waitForClose(child, argv);
    throwIfInterrupted(signal);
    return { exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** As runCommand, but a non-zero exit code is ENGINE_FAILED (or NO_SPACE) with the program's own words. */
export async function runOrFail(
  argv: readonly string[],
  what: string,
  options: Parameters<typeof runCommand>[1] = {},
): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.exitCode === 0) return result.stdout;
  throw explainFailedCommand(what, argv, result);
}

export function explainFailedCommand(what: string, argv: readonly string[], result: CommandResult): CracBuildError {
  const words = lastLinesOf(result.stderr || result.stdout, 20);
  const last = words.at(-1) ?? `exit code ${result.exitCode}`;
  if (/no space left on device|disk quota exceeded/i.test(result.stderr)) {
    return new CracBuildError('NO_SPACE', `no space left while ${what}`, {
      hint: 'Free some space, or set XDG_CACHE_HOME to a folder on a larger disk.',
      details: words,
    });
  }
  const denied = /operation not permitted|permission denied|must be (super)?user/i.test(result.stderr);
  return new CracBuildError(denied ? 'ENGINE_DENIED' : 'ENGINE_FAILED', `${what} failed: ${last}`, {
    hint: denied
      ? 'The oci engine needs root with CAP_SYS_ADMIN; run as root, or use a Docker daemon with --engine docker.'
      : `The command was: ${argv.join(' ')}`,
    details: words,
  });
}

export function spawnProgram(argv: readonly string[], options: SpawnOptions): ChildProcess {
  const [program, ...rest] = argv;
  if (program === undefined) throw new TypeError('an empty command');
  return spawn(program, rest, { ...options, detached: true });
}

export function waitForClose(child: ChildProcess, argv: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new CracBuildError('ENGINE_FAILED', `cannot run ${argv[0]}: ${error.message}`, {
          hint: `Install ${argv[0]}, or use another engine.`,
          cause: error,
        }),
      ),
    );
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128 + signalNumber(signal))));
  });
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

function signalNumber(signal: NodeJS.Signals): number {
  return SIGNAL_NUMBERS[signal] ?? 0;
}

export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CracBuildError('INTERRUPTED', 'interrupted', { cause: signal.reason });
}

export function lastLinesOf(text: string, count: number): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-count);
}
