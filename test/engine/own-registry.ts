import { spawn } from 'node:child_process';
import { openSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../support/free-port.ts';

export interface OwnRegistry extends AsyncDisposable {
  /** "127.0.0.1:PORT". */
  readonly host: string;
  readonly port: number;
  /** How many uploads are neither finished nor cancelled; of those, too, the registry leaves empty folders. */
  countUploads(): number;
  /** Those that have any content. */
  listRepositories(): Promise<readonly string[]>;
}

/** Debian's docker-registry (2.8) on loopback, with its storage in a temporary folder. `settings` is merged into its configuration's JSON. */
export async function startRegistry(
  settings: { readonly auth?: object; readonly tls?: { readonly certificate: string; readonly key: string } } = {},
): Promise<OwnRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'crac-build-registry-'));
  const port = await findFreePort();
  const host = `127.0.0.1:${port}`;
  // YAML, of which JSON is a part.
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'storage') }, delete: { enabled: true } },
    http: { addr: host, secret: 'of this test', ...(settings.tls === undefined ? {} : { tls: settings.tls }) },
    ...(settings.auth === undefined ? {} : { auth: settings.auth }),
  };
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config));
  const log = openSync(join(dir, 'log'), 'w');
  const child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: ['ignore', log, log] });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  for (let attempt = 0; !(await listens(port)); attempt++) {
    if (attempt === 200 || child.exitCode !== null || child.pid === undefined) {
      const words = await readFile(join(dir, 'log'), 'utf8');
      await stop();
      throw new Error(`docker-registry did not start:\n${words.slice(-2000)}`);
    }
    await sleep(50);
  }
  const listRepositories = async () => {
    const answer = await fetch(`http://${host}/v2/_catalog`);
    return ((await answer.json()) as { readonly repositories: readonly string[] }).repositories;
  };
  const countUploads = () =>
    readdirSync(join(dir, 'storage'), { recursive: true }).filter((path) =>
      /_uploads\/[^/]+\/startedat$/.test(String(path)),
    ).length;
  return { host, port, countUploads, listRepositories, [Symbol.asyncDispose]: stop };
}

async function listens(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
