import { spawn, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface OwnDockerd extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string;
}

/**
 * A daemon of the test's own, with all its files under one temporary folder. `wrapper` is put before its command; `address`
 * (tcp://…) is where it listens besides its socket, and then its `host`.
 */
export async function startDockerd(
  options: { readonly wrapper?: readonly string[]; readonly address?: string } = {},
): Promise<OwnDockerd> {
  const dir = await mkdtemp('/tmp/crac-build-dockerd-');
  const socket = join(dir, 'docker.sock');
  const log = openSync(join(dir, 'log'), 'w');
  const paths = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid')];
  const hosts = [`unix://${socket}`, ...(options.address === undefined ? [] : [options.address])];
  const command = [...(options.wrapper ?? []), 'dockerd', ...paths, ...hosts.flatMap((host) => ['-H', host])];
  const daemon = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', log, log] });
  const ended = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
  async function stop(): Promise<void> {
    daemon.kill('SIGTERM');
    await ended;
    // The daemon leaves the mount of its own network namespace behind.
    spawnSync('umount', [join(dir, 'exec', 'netns', 'default')], { stdio: 'ignore' });
    await rm(dir, { recursive: true, force: true });
  }
  for (let attempt = 0; !(await exists(socket)); attempt++) {
    if (attempt === 600 || daemon.exitCode !== null) {
      const words = await readFile(join(dir, 'log'), 'utf8');
      await stop();
      throw new Error(`dockerd did not start:\n${words.slice(-2000)}`);
    }
    await sleep(100);
  }
  return { host: options.address ?? `unix://${socket}`, [Symbol.asyncDispose]: stop };
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
