import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { get as getOverTls } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { renderNetworkError } from './network-error.ts';
import type { CommandProbe, HttpProbe, LogProbe, Probe, TcpProbe } from './probe.ts';
import type { ProbedContainer } from './wait-for-probe.ts';

interface Attempt {
  readonly limitMs: number;
  /** "uid:gid" that a command is run as. */
  readonly user: string;
}

/** performance.now() when the app was there, or what was seen instead. */
type Seen = number | string;

const IN_TIME = 'it accepted the connection and did not answer in time';
/** Also what a forwarded port does (Docker's proxy, native/tools/forward.c) when it finds nobody behind it. */
const NOBODY = 'the connection was closed without an answer, as where nothing listens';
/** A forwarded port accepts first and then looks whether there is anybody behind it. */
const STAYS_OPEN_MS = 200;
/** What the engines keep: more than an app prints between two looks. */
const LOG_LINES = 1000;

export function tryProbe(
  container: ProbedContainer,
  probe: Probe,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Seen> {
  switch (probe.kind) {
    case 'http':
      return askPath(container, probe, attempt, signal);
    case 'tcp':
      return openConnection(container, probe, attempt, signal);
    case 'log':
      return searchLog(container, probe);
    case 'command':
      return runInside(container, probe, attempt, signal);
  }
}

async function askPath(
  container: ProbedContainer,
  probe: HttpProbe,
  { limitMs }: Attempt,
  signal: AbortSignal,
): Promise<Seen> {
  const { host, port } = await container.endpoint(probe.port);
  const { path, tls } = probe;
  const limit = AbortSignal.timeout(limitMs);
  const options = { host, port, path, agent: false, signal: AbortSignal.any([signal, limit]) };
  const ca = tls?.ca === undefined ? {} : { ca: await readFile(tls.ca) };
  const servername = tls?.serverName === undefined ? {} : { servername: tls.serverName };
  return await new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) => resolve(describe(error, limit));
    const request =
      tls === undefined
        ? get(options)
        : getOverTls({ ...options, ...ca, ...servername, rejectUnauthorized: !tls.insecure });
    request.on('error', fail);
    request.on('response', (response) => {
      text(response).then((body) => {
        const { statusCode } = response;
        if (statusCode !== probe.status) resolve(`it answered ${statusCode}`);
        else if (!body.includes(probe.contains ?? ''))
          resolve(`it answered ${statusCode} without ${JSON.stringify(probe.contains)}`);
        else resolve(performance.now());
      }, fail);
    });
  });
}

async function openConnection(
  container: ProbedContainer,
  probe: TcpProbe,
  { limitMs }: Attempt,
  signal: AbortSignal,
): Promise<Seen> {
  const { host, port } = await container.endpoint(probe.port);
  const limit = AbortSignal.timeout(limitMs);
  return await new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.any([signal, limit]) });
    const end = (seen: Seen) => {
      socket.destroy();
      resolve(seen);
    };
    let acceptedMs: number | undefined;
    socket.on('connect', () => {
      const atMs = performance.now();
      acceptedMs = atMs;
      /** What came in while this process was busy is heard first. */
      socket.setTimeout(STAYS_OPEN_MS, () => setImmediate(() => setImmediate(() => end(atMs))));
    });
    // It speaks first: somebody is there.
    socket.on('data', () => end(acceptedMs ?? performance.now()));
    socket.on('end', () => end(NOBODY));
    socket.on('error', (error) => end(describe(error, limit)));
  });
}

async function searchLog(container: ProbedContainer, { pattern }: LogProbe): Promise<Seen> {
  const regex = new RegExp(pattern);
  const lines = await container.lastLines(LOG_LINES);
  if (lines.some((line) => regex.test(line))) return performance.now();
  return lines.length === 0 ? 'it printed nothing' : 'no line matched';
}

async function runInside(
  container: ProbedContainer,
  { argv }: CommandProbe,
  { limitMs, user }: Attempt,
  signal: AbortSignal,
): Promise<Seen> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    const result = await container.exec(argv, { user, signal: AbortSignal.any([signal, limit]) });
    if (result.exitCode === 0) return performance.now();
    const words = (result.stderr || result.stdout).trim().split('\n').at(-1) ?? '';
    return `it ended with exit code ${result.exitCode}${words === '' ? '' : `: ${words}`}`;
  } catch (error) {
    if (signal.aborted) throw error;
    if (limit.aborted) return 'it did not end in time';
    /** Where there is no such program. */
    return (error as Error).message;
  }
}

function describe(error: NodeJS.ErrnoException, limit: AbortSignal): string {
  if (limit.aborted) return IN_TIME;
  return error.code === 'ECONNRESET' ? NOBODY : renderNetworkError(error);
}
