import { readFile } from 'node:fs/promises';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { runCommand } from './run-command.ts';

/** How crun or runc is called here. */
export interface RuntimeCommand {
  readonly name: 'crun' | 'runc';
  readonly version: string;
  /** Goes before all arguments. */
  readonly argv: readonly string[];
  readonly knowsCheckpointRestore: boolean;
}

/** The first that is installed. */
export async function findRuntime(
  names: readonly ('crun' | 'runc')[],
  stateDir: string,
  signal: AbortSignal,
): Promise<RuntimeCommand> {
  for (const name of names) {
    const version = await readVersion(name, signal);
    if (version === undefined) continue;
    const prefix = name === 'crun' && (await isHybridCgroup()) ? HIDE_UNIFIED : [];
    const argv = [...prefix, name, '--root', `${stateDir}-${name}`];
    return { name, version, argv, knowsCheckpointRestore: await knowsCheckpointRestore(name, signal) };
  }
  throw new CracBuildError('ENGINE_UNAVAILABLE', `neither a Docker daemon nor ${names.join(' or ')} was found`, {
    hint: 'Install crun (Debian, Ubuntu: apt-get install crun) or start Docker, and set DOCKER_HOST where it is not local.',
  });
}

async function readVersion(name: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await runCommand([name, '--version'], { signal });
    return exitCode === 0 ? (/version (\S+)/.exec(stdout)?.[1] ?? 'of unknown version') : undefined;
  } catch (error) {
    if (isCracBuildError(error, 'ENGINE_FAILED')) return undefined; // not installed
    throw error;
  }
}

/**
 * crun 1.8 refuses to work where cgroup v1 stands beside a v2 hierarchy with controllers ("cgroups in hybrid mode not
 * supported"). It does work when it does not see the latter, so it is run in a mount namespace without it.
 */
const HIDE_UNIFIED = [
  ...['unshare', '--mount', '--propagation', 'slave', 'sh', '-c'],
  'umount --lazy /sys/fs/cgroup/unified && exec "$@"',
  'sh',
];

async function isHybridCgroup(): Promise<boolean> {
  const controllers = await readFile('/sys/fs/cgroup/unified/cgroup.controllers', 'utf8').catch(() => '');
  return controllers.trim() !== '';
}

/** Kernel 5.9 and later; runtimes since runc 1.1 list what they know. Those that list nothing know it in practice. */
async function knowsCheckpointRestore(name: string, signal: AbortSignal): Promise<boolean> {
  const lastCapability = Number(await readFile('/proc/sys/kernel/cap_last_cap', 'utf8').catch(() => '40'));
  if (lastCapability < 40) return false;
  const { exitCode, stdout } = await runCommand([name, 'features'], { signal });
  return exitCode !== 0 || !stdout.includes('"CAP_SYS_ADMIN"') || stdout.includes('"CAP_CHECKPOINT_RESTORE"');
}
