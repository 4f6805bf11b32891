import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import type { LaunchedProcess, ProcessSpec } from './engine.ts';
import { type Forwarder, startForwarder } from './forwarder.ts';
import { createLineRing } from './line-ring.ts';
import type { OciContext } from './oci-launch.ts';
import { locateNetwork } from './oci-network.ts';
import { DEFAULT_PATH } from './oci-spec.ts';
import { type ContainerUser, readUser } from './oci-users.ts';
import { runCommand, spawnProgram, throwIfInterrupted, waitForClose } from './run-command.ts';

/** Where a process begins: empty, its own, in memory, and gone with it. */
const FOLDER = '/dev/shm';

/**
 * A process that sees this machine's files, in namespaces for process ids and IPC: when its first process ends, the kernel ends
 * all others, and nothing stays behind in memory. Ends when we do.
 */
export async function launchOciProcess(
  context: OciContext,
  spec: ProcessSpec,
  signal: AbortSignal,
): Promise<LaunchedProcess> {
  const { network } = spec;
  const user = await readUser('/', spec.user ?? '');
  throwIfInterrupted(signal);
  await requireProgram(spec);
  const enter = network === 'host' ? [] : ['nsenter', `--net=${locateNetwork(network)}`];
  const argv = [
    ...['setpriv', '--pdeathsig', 'KILL'],
    ...enter,
    ...['unshare', '--pid', '--ipc', '--mount', '--fork', '--kill-child=KILL', '--mount-proc'],
    ...['sh', '-c', `mount -t tmpfs -o mode=1777 tmpfs ${FOLDER} && cd ${FOLDER} && exec "$@"`, 'sh'],
    join(context.nativeDir, 'capture'),
    ...composeCommand(spec, user, spec.argv),
  ];
  const child = spawnProgram(argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createLineRing();
  child.stdout?.on('data', log.openWriter());
  child.stderr?.on('data', log.openWriter());
  const exited = waitForClose(child, argv).then((exitCode) => ({ exitCode }));
  exited.catch(() => undefined); // whoever awaits it sees the error
  const forwarders = new Map<number, Promise<Forwarder>>();
  return {
    exited,
    lastLines: async (count) => log.lastLines(count),
    exec: (words, options) => runCommand([...enter, ...composeCommand(spec, user, words)], { signal: options.signal }),
    async endpoint(port) {
      if (network === 'host') return { host: '127.0.0.1', port };
      const forwarder =
        forwarders.get(port) ?? startForwarder(join(context.nativeDir, 'forward'), Number(network.id), port);
      forwarders.set(port, forwarder);
      return { host: '127.0.0.1', port: (await forwarder).port };
    },
    async [Symbol.asyncDispose]() {
      for (const forwarder of forwarders.values()) (await forwarder.catch(() => undefined))?.stop();
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Programs in /usr/sbin and the like are found, too. */
function composeCommand({ environment }: ProcessSpec, { uid, gid, home }: ContainerUser, argv: readonly string[]) {
  const variables = Object.entries({ PATH: DEFAULT_PATH, HOME: home, ...environment });
  return [
    ...['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--', 'env'],
    ...variables.map(([name, value]) => `${name}=${value}`),
    ...argv,
  ];
}

/** Told before anything is started; what comes later can only be told by its exit code. */
async function requireProgram({ name, argv: [program = ''], environment }: ProcessSpec): Promise<void> {
  const folders = (environment['PATH'] ?? DEFAULT_PATH).split(delimiter);
  const places = program.includes('/') ? [program] : folders.map((folder) => join(folder, program));
  for (const place of places) if ((await stat(place).catch(() => undefined))?.isFile()) return;
  throw new CracBuildError('ENGINE_FAILED', `there is no program ${program} on this machine`, {
    hint: `Install it, or correct the command of ${name}.`,
  });
}
