import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A container of a finished image, started by the engine's own command as in production. */
export interface StartedImage extends AsyncDisposable {
  readonly get: (path: string) => Promise<string>;
  readonly getJson: (path: string) => Promise<Record<string, unknown>>;
  readonly post: (path: string, body: string) => Promise<string>;
  /** `body`: as JSON. */
  readonly send: (method: string, path: string, body?: unknown) => Promise<string>;
  /** SIGTERM to the main process; resolves with its exit code and all that it wrote. */
  readonly stop: () => Promise<Ended>;
  /** Waits until the main process ends by itself. */
  readonly ended: () => Promise<Ended>;
}

export interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
  /** Of the app; requests go to the first. 8080 where they are left out. */
  readonly ports?: readonly number[];
  /** false: as an engine starts an image that it is told nothing about. */
  readonly isRestricted?: boolean;
}

/** Nothing is allowed: no capability, the default seccomp profile, read-only root, foreign uid, no new privileges. */
export const RESTRICTIONS = [
  ...['--cap-drop', 'ALL'],
  '--read-only',
  ...['--tmpfs', '/tmp'],
  ...['--user', '65432:65432'],
  ...['--security-opt', 'no-new-privileges'],
];

export async function startInDocker(reference: string, options: StartOptions = {}): Promise<StartedImage> {
  const environment = Object.entries(options.environment ?? {}).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const { stdout } = await run('docker', [
    'run',
    '-d',
    ...(options.isRestricted === false ? [] : RESTRICTIONS),
    ...['-p', '127.0.0.1::8080'],
    ...environment,
    reference,
    ...(options.arguments ?? []),
  ]);
  const id = stdout.trim();
  const remove = async () => {
    await run('docker', ['rm', '-f', '-v', id]);
  };
  const ended = async () => {
    const exitCode = Number((await run('docker', ['wait', id])).stdout);
    const logs = await run('docker', ['logs', id]);
    return { exitCode, output: logs.stdout + logs.stderr };
  };
  try {
    const address = (await run('docker', ['port', id, '8080/tcp'])).stdout.trim().split('\n')[0] ?? '';
    return {
      ...openClient(address),
      stop: async () => {
        await run('docker', ['kill', '--signal', 'TERM', id]);
        return await ended();
      },
      ended,
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** `address`: HOST:PORT. */
export function openClient(address: string): Pick<StartedImage, 'get' | 'getJson' | 'post' | 'send'> {
  const send = async (path: string, init?: RequestInit) => {
    // Where Docker's proxy closes a connection at once, fetch may never settle by itself.
    const response = await fetch(`http://${address}${path}`, { ...init, signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} → ${response.status}: ${text}`);
    return text;
  };
  return {
    get: (path) => send(path),
    getJson: async (path) => JSON.parse(await send(path)),
    post: (path, body) => send(path, { method: 'POST', body }),
    send: (method, path, body) =>
      send(path, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
  };
}

/** Asks again until there is an answer. */
export async function waitUntilAnswered(get: () => Promise<string>, timeoutMs = 20_000): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await get();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
