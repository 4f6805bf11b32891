import { randomUUID } from 'node:crypto';
import { lstat, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, ContainerExit, ContainerSpec, ExecResult } from './engine.ts';
import { type Forwarder, startForwarder } from './forwarder.ts';
import type { LineRing } from './line-ring.ts';
import { listUpperChanges } from './oci-changes.ts';
import { packFromRoot, unpackInRoot } from './oci-files.ts';
import { type OciContext, removeOciContainer } from './oci-launch.ts';
import { composeExecSpec, type SpecPlace } from './oci-spec.ts';
import type { UnpackedImage } from './oci-store.ts';
import { readUser } from './oci-users.ts';
import { resolveInRoot } from './resolve-in-root.ts';
import { explainFailedCommand, runCommand } from './run-command.ts';

interface Started {
  readonly context: OciContext;
  readonly unpacked: UnpackedImage;
  readonly spec: ContainerSpec;
  readonly folder: string;
  readonly id: string;
  readonly place: SpecPlace;
  /** Of the main process, as this machine counts. */
  readonly pid: number;
  readonly log: LineRing;
  readonly exited: Promise<ContainerExit>;
}

export function openOciContainer(started: Started): Container {
  const { context, unpacked, spec, folder, id, pid, log, exited } = started;
  const root = join(folder, 'root');
  const forwarders = new Map<number, Promise<Forwarder>>();
  let removal: Promise<void> | undefined;

  async function remove(): Promise<void> {
    for (const forwarder of forwarders.values()) (await forwarder.catch(() => undefined))?.stop();
    await runCommand([...context.runtime.argv, 'kill', id, 'KILL']); // fails when it has ended already
    // The runtime that watches the container removes it when it ends; only if it does not come to that, do so by force.
    await Promise.race([exited.catch(() => undefined), sleep(5000, undefined, { ref: false })]);
    await removeOciContainer(context, folder, id);
  }

  return {
    id,
    exited,
    exec: (argv, options) => execInContainer(started, argv, options),
    copyIn: (tar, target, signal) => unpackInRoot(root, tar, target, signal),
    copyOut: (path, signal) => packFromRoot(root, path, signal),
    locateFile: async (path) => {
      const local = await resolveInRoot(root, path, { followLast: true });
      return (await lstat(local).catch(() => undefined))?.isFile() ? local : undefined;
    },
    listChanges: () => {
      const layers = unpacked.layerFolders.map((name) => join(context.storeDir, name));
      return listUpperChanges(join(folder, 'upper'), root, [join(folder, 'points'), ...layers]);
    },
    async endpoint(port) {
      if (spec.network === 'host') return { host: '127.0.0.1', port };
      const forwarder = forwarders.get(port) ?? startForwarder(join(context.nativeDir, 'forward'), pid, port);
      forwarders.set(port, forwarder);
      return { host: '127.0.0.1', port: (await forwarder).port };
    },
    lastLines: async (count) => log.lastLines(count),
    async kill(signalName) {
      const argv = [...context.runtime.argv, 'kill', id, signalName.replace(/^SIG/, '')];
      const result = await runCommand(argv);
      if (result.exitCode !== 0 && !(await isGone(pid))) {
        throw explainFailedCommand(`sending ${signalName} to ${spec.name}`, argv, result);
      }
    },
    async [Symbol.asyncDispose]() {
      removal ??= remove();
      await removal;
    },
  };
}

async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return /^[XZ]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

async function execInContainer(
  { context, spec, folder, id, place }: Started,
  argv: readonly string[],
  { user, environment = {}, signal }: Parameters<Container['exec']>[1],
): Promise<ExecResult> {
  const base = join(folder, `exec-${randomUUID()}`);
  const pidFile = `${base}.pid`;
  const what = `running ${argv[0]} in the container`;
  const account = await readUser(join(folder, 'root'), user ?? '0:0');
  await writeFile(`${base}.json`, JSON.stringify(composeExecSpec(spec, place, { argv, user: account, environment })));
  const command = [...context.runtime.argv, 'exec', '--process', `${base}.json`, '--pid-file', pidFile, id];
  const killInside = (): void => {
    readFile(pidFile, 'utf8')
      .then((pid) => runCommand(['sh', '-c', `kill -KILL ${Number(pid)}`]))
      .catch(() => undefined); // it has ended, or had not begun
  };
  try {
    const result = await runCommand(command, { signal, onAbort: killInside });
    const began = await readFile(pidFile, 'utf8').catch(() => undefined);
    if (began === undefined) throw explainFailedCommand(what, command, result);
    return result;
  } finally {
    await rm(`${base}.json`, { force: true });
    await rm(pidFile, { force: true });
  }
}
