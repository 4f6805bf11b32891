import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** What needs a kernel or a network that is not wanted here, and takes time to find that out. */
const CONFIG = `version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
`;

export interface OwnContainerd extends AsyncDisposable {
  /** For files of the test's own; gone with the daemon. */
  readonly dir: string;
  readonly ctr: (...args: readonly string[]) => Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** `NAME:TAG` of an image layout's tag. */
  readonly importLayout: (layout: string, name: string) => Promise<void>;
}

/** A daemon of the test's own. */
export async function startContainerd(): Promise<OwnContainerd> {
  const dir = await mkdtemp(join(tmpdir(), 'crac-containerd-'));
  const at = (name: string) => join(dir, name);
  await writeFile(at('config.toml'), CONFIG);
  const paths = ['--root', at('root'), '--state', at('state'), '--address', at('socket')];
  const daemon = spawn('containerd', ['--config', at('config.toml'), ...paths], { stdio: 'ignore' });
  const daemonEnded = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
  const ctr = (...args: readonly string[]) => run('ctr', ['--address', at('socket'), ...args]);
  const dispose = async () => {
    daemon.kill('SIGTERM');
    await daemonEnded;
    await rm(dir, { recursive: true, force: true });
  };
  for (let attempt = 0; ; attempt++) {
    const version = await ctr('version').catch((error: Error) => error);
    if (!(version instanceof Error)) break;
    if (attempt === 200 || daemon.exitCode !== null) {
      await dispose();
      throw version;
    }
    await sleep(50);
  }
  return {
    dir,
    ctr,
    async importLayout(layout, name) {
      await run('tar', ['-C', layout, '-cf', at('image.tar'), '.']);
      await ctr('images', 'import', '--base-name', name, at('image.tar'));
    },
    [Symbol.asyncDispose]: dispose,
  };
}
