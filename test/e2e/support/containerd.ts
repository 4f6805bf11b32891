import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startForwarder } from '../../../src/engine/forwarder.ts';
import { ROOT } from './build-example.ts';
import { openClient, type StartedImage } from './start-image.ts';

const run = promisify(execFile);
const NATIVE = process.env['CRAC_BUILD_NATIVE'] ?? join(ROOT, 'dist/native');
/** What needs a kernel or a network that is not wanted here, and takes time to find that out. */
const CONFIG = `version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
`;
const PORT = 8080;

/**
 * The image of a layout in a containerd of its own, with the default seccomp profile, which is what Kubernetes calls
 * RuntimeDefault there, and a read-only root.
 */
export async function startInContainerd(layout: string): Promise<StartedImage> {
  const dir = await mkdtemp(join(tmpdir(), 'crac-containerd-'));
  const at = (name: string) => join(dir, name);
  await writeFile(at('config.toml'), CONFIG);
  const paths = ['--root', at('root'), '--state', at('state'), '--address', at('socket')];
  const daemon = spawn('containerd', ['--config', at('config.toml'), ...paths], { stdio: 'ignore' });
  const daemonEnded = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
  const ctr = (...args: string[]) => run('ctr', ['--address', at('socket'), ...args]);
  const dispose = async () => {
    await ctr('task', 'delete', '--force', 'app').catch(() => undefined);
    await ctr('container', 'delete', 'app').catch(() => undefined);
    daemon.kill('SIGTERM');
    await daemonEnded;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    for (let attempt = 0; ; attempt++) {
      const version = await ctr('version').catch((error: Error) => error);
      if (!(version instanceof Error)) break;
      if (attempt === 200 || daemon.exitCode !== null) throw version;
      await sleep(50);
    }
    await run('tar', ['-C', layout, '-cf', at('image.tar'), '.']);
    await ctr('images', 'import', '--base-name', 'crac-e2e', at('image.tar'));
    const output = ['--log-uri', `file://${at('log')}`, '--pid-file', at('pid')];
    const options = ['--seccomp', '--read-only', '--env', 'CRAC_RESTORE=require', ...output];
    await ctr('run', '--detach', ...options, 'crac-e2e:latest', 'app');
    const forwarder = await startForwarder(join(NATIVE, 'forward'), Number(await readFile(at('pid'), 'utf8')), PORT);
    const ended = async () => {
      for (;;) {
        const state = /^app\s+\d+\s+(\S+)/m.exec((await ctr('task', 'list')).stdout)?.[1];
        if (state === 'STOPPED') break;
        await sleep(50);
      }
      const { stderr } = await ctr('task', 'delete', 'app');
      const exitCode = Number(/non-zero exit code (\d+)/.exec(stderr)?.[1] ?? 0);
      return { exitCode, output: await readFile(at('log'), 'utf8') };
    };
    return {
      ...openClient(`127.0.0.1:${forwarder.port}`),
      stop: async () => {
        await ctr('task', 'kill', '--signal', 'SIGTERM', 'app');
        return await ended();
      },
      ended,
      [Symbol.asyncDispose]: async () => {
        forwarder.stop();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
