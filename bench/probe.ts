import { runCommand } from './run-command.ts';

/** What is started, in which surroundings, and what it is asked; see native/probe/probe.c. */
export interface Start {
  readonly argv: readonly string[];
  /** All of it, as NAME=value. */
  readonly environment: readonly string[];
  /** The unpacked image; gets /proc, /dev and an empty /tmp. Absent: this machine as it is. */
  readonly root?: string;
  /** Whether `argv` is run inside `root`. */
  readonly inRoot: boolean;
  readonly port: number;
  readonly path: string;
  /** Takes what the command prints. */
  readonly log: string;
  /** Growing: when so many answers were there is told, too. Over one connection, one after the other. */
  readonly operations?: readonly number[];
}

export interface FirstResponse {
  /** From just before the execve to the first byte of the first response. */
  readonly firstByteNs: number;
  readonly connectNs: number;
  readonly status: number;
  /** Resident set of the JVM, right after the response. */
  readonly rssBytes: number;
  readonly body: string;
  /** From just before the execve until so many answers were there. */
  readonly operationsNs?: readonly number[];
}

const OPERATIONS_TIMEOUT_MS = 300_000;

export const PROBE = 'dist/native/probe';

/** Starts it, waits for the first response, and kills all of it. Rejects unless the response has status 200. */
export async function measureStart(start: Start): Promise<FirstResponse> {
  const output = await runCommand([
    PROBE,
    'measure',
    ...(start.root === undefined ? [] : ['--root', start.root]),
    ...(start.inRoot ? ['--chroot'] : []),
    ...start.environment.flatMap((variable) => ['--env', variable]),
    ...['--log', start.log],
    ...(start.operations === undefined
      ? []
      : ['--operations', start.operations.join(','), '--timeout', String(OPERATIONS_TIMEOUT_MS)]),
    String(start.port),
    start.path,
    '--',
    ...start.argv,
  ]);
  const response: FirstResponse = JSON.parse(output);
  if (response.status !== 200) {
    throw new Error(`${start.argv.join(' ')} answered ${response.status}: ${response.body}`);
  }
  return response;
}
