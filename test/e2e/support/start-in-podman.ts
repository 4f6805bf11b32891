import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startForwarder } from '../../../src/engine/forwarder.ts';
import { ROOT } from './build-example.ts';
import { hideUnifiedCgroup } from './hide-unified-cgroup.ts';
import { openClient, RESTRICTIONS, type StartedImage } from './start-image.ts';

const run = promisify(execFile);
const NATIVE = process.env['CRAC_BUILD_NATIVE'] ?? join(ROOT, 'dist/native');
const PORT = 8080;
const LIMITS = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096'];
const IMAGE = 'localhost/crac-e2e:latest';

/**
 * The image of a layout in Podman with crun, in a storage of its own and under the restrictions of production. Limits are
 * named: to raise them, as Podman does by itself, needs CAP_SYS_RESOURCE.
 */
export async function startInPodman(layout: string): Promise<StartedImage> {
  const dir = await mkdtemp(join(tmpdir(), 'crac-podman-'));
  const storage = ['--root', join(dir, 'root'), '--runroot', join(dir, 'run'), '--storage-driver', 'overlay'];
  const podman = async (...args: readonly string[]) => {
    const [program = '', ...rest] = [
      ...hideUnifiedCgroup(),
      'podman',
      ...storage,
      ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'none', '--runtime', 'crun'],
      ...args,
    ];
    return (await run(program, rest)).stdout.trim();
  };
  const dispose = async () => {
    await podman('rm', '--force', '--all', '--time', '0').catch(() => undefined);
    await podman('unmount', '--all').catch(() => undefined);
    await run('umount', ['--lazy', join(dir, 'root/overlay')]).catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const storage = `[overlay@${join(dir, 'root')}+${join(dir, 'run')}]`;
    const copied = `containers-storage:${storage}${IMAGE}`;
    await run('skopeo', ['copy', '--quiet', '--insecure-policy', `oci:${layout}:latest`, copied]);
    const id = await podman(
      ...['run', '--detach', '--network', 'none', ...LIMITS, '--env', 'CRAC_RESTORE=require'],
      ...['--log-driver', 'k8s-file', '--read-only-tmpfs=false', ...RESTRICTIONS, IMAGE],
    );
    const pid = Number(await podman('inspect', '--format', '{{.State.Pid}}', id));
    const forwarder = await startForwarder(join(NATIVE, 'forward'), pid, PORT);
    const ended = async () => {
      const exitCode = Number(await podman('wait', id));
      return { exitCode, output: await podman('logs', id) };
    };
    return {
      ...openClient(`127.0.0.1:${forwarder.port}`),
      stop: async () => {
        await podman('kill', '--signal', 'TERM', id);
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
