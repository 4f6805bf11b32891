import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startForwarder } from '../../../src/engine/forwarder.ts';
import { startContainerd } from '../../engine/own-containerd.ts';
import { ROOT } from './build-example.ts';
import { openClient, type StartedImage } from './start-image.ts';

const NATIVE = process.env['CRAC_BUILD_NATIVE'] ?? join(ROOT, 'dist/native');
const PORT = 8080;

/** What ctr gives a container unless it is told not to. */
const GIVEN =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE';
const RESTRICTED = [
  ...GIVEN.split(' ').flatMap((name) => ['--cap-drop', `CAP_${name}`]),
  ...['--mount', 'type=tmpfs,src=tmpfs,dst=/tmp,options=mode=1777'],
];

/**
 * The image of a layout in a containerd of its own, with the default seccomp profile, which is what Kubernetes calls
 * RuntimeDefault there, a read-only root and no capability. The user is the image's: ctr 1.6 knows no other.
 */
export async function startInContainerd(layout: string): Promise<StartedImage> {
  const daemon = await startContainerd();
  const { ctr } = daemon;
  const at = (name: string) => join(daemon.dir, name);
  const dispose = async () => {
    await ctr('task', 'delete', '--force', 'app').catch(() => undefined);
    await ctr('container', 'delete', 'app').catch(() => undefined);
    await daemon[Symbol.asyncDispose]();
  };
  try {
    await daemon.importLayout(layout, 'crac-e2e');
    const output = ['--log-uri', `file://${at('log')}`, '--pid-file', at('pid')];
    const options = ['--seccomp', '--read-only', ...RESTRICTED, '--env', 'CRAC_RESTORE=require', ...output];
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
