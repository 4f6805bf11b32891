import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Forwarder, startForwarder } from '../src/engine/forwarder.ts';
import { findRuntime } from '../src/engine/oci-runtime-command.ts';
import { composeRuntimeSpec } from '../src/engine/oci-spec.ts';
import { runCommand, spawnProgram, waitForClose } from '../src/engine/run-command.ts';
import type { UnpackedImage } from './unpack-image.ts';

const NATIVE = process.env['CRAC_BUILD_NATIVE'] ?? 'dist/native';
const POLL_MS = 2;

/** The parts of an OCI runtime's config.json that tests change. */
export interface RuntimeConfig {
  process: {
    terminal: boolean;
    user: { uid: number; gid: number };
    args: string[];
    env: string[];
    cwd: string;
    noNewPrivileges: boolean;
    rlimits?: { type: string; soft: number; hard: number }[];
  };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: {
    cgroupsPath?: string;
    namespaces: { type: string }[];
    uidMappings?: readonly IdMapping[];
    gidMappings?: readonly IdMapping[];
    resources?: Record<string, object>;
    seccomp?: object;
  };
}
interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** What a host or an engine does differently from the engine of this project. */
export interface Host {
  readonly change?: (config: RuntimeConfig) => void;
  /** Put before the runtime's own words. */
  readonly wrapper?: readonly string[];
  /** uid and gid that the runtime itself runs as, without control groups. */
  readonly rootless?: number;
}

export interface RunningContainer extends AsyncDisposable {
  /** On 127.0.0.1: that of the app. Undefined when the container has ended at once. */
  readonly port: number | undefined;
  /** Of its first process, as this machine counts. */
  readonly pid: number;
  /** SIGTERM to the main process. */
  readonly terminate: () => Promise<void>;
  /** Resolves with the exit code and all that the container wrote. */
  readonly ended: () => Promise<{ readonly exitCode: number; readonly output: string }>;
}

/**
 * The unpacked image in crun, restored or not at all: as `verify` starts it, no capability, no new privileges, read-only root,
 * a foreign uid; and with what `host` changes. Containers share the root.
 */
export async function runContainer(image: UnpackedImage, port: number, host: Host = {}): Promise<RunningContainer> {
  const bundle = await mkdtemp(join(tmpdir(), 'crac-bundle-'));
  const id = `crac-build-bundle-${randomBytes(4).toString('hex')}`;
  const config = composeConfig(image, id);
  host.change?.(config);
  await chmod(bundle, host.rootless === undefined ? 0o755 : 0o777);
  await writeFile(join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o644 });

  const runtime = await composeRuntime(bundle, host);
  const pidFile = join(bundle, 'pid');
  const argv = [...(host.wrapper ?? []), ...runtime, 'run', '--bundle', bundle, '--pid-file', pidFile, id];
  const child = spawnProgram(argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_RUNTIME_DIR: bundle },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  let hasEnded = false;
  const exited = waitForClose(child, argv).finally(() => {
    hasEnded = true;
  });
  exited.catch(() => undefined);
  let forwarder: Forwarder | undefined;
  const dispose = async () => {
    forwarder?.stop();
    await runCommand([...runtime, 'delete', '--force', id]);
    await exited.catch(() => undefined);
    await rm(bundle, { recursive: true, force: true });
  };
  try {
    const pid = await waitForPid(pidFile, () => hasEnded);
    forwarder = await startForwarder(join(NATIVE, 'forward'), pid, port).catch(() => undefined); // it has ended
    return {
      port: forwarder?.port,
      pid,
      terminate: async () => {
        await runCommand([...runtime, 'kill', id, 'TERM']);
      },
      ended: async () => ({ exitCode: await exited, output }),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw new Error(`${id} did not start: ${output}`, { cause: error });
  }
}

function composeConfig(image: UnpackedImage, id: string): RuntimeConfig {
  const environment = Object.fromEntries(image.environment.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
  const spec = composeRuntimeSpec(
    {
      ...{ image: '', name: id, environment: { CRAC_RESTORE: 'require' }, capabilities: [], ports: [] },
      ...{ seccomp: 'default', noNewPrivileges: true, readOnlyRoot: true, tmpfs: ['/tmp'], network: 'isolated' },
    },
    {
      image: {
        ...{ architecture: 'amd64', os: 'linux', user: image.user, environment, entrypoint: ['/opt/crac/restore'] },
        ...{ command: [], workingDir: image.workingDir, ports: [], labels: {}, stopSignal: 'SIGTERM' },
      },
      ...{ user: { uid: 65_432, gid: 65_432, home: '/' }, hostName: id.slice(-8), cgroupsPath: `/${id}`, files: {} },
      knowsCheckpointRestore: true,
    },
  ) as RuntimeConfig;
  spec.root.path = image.root;
  // As engines do: there the restorer and the JVM find their limits.
  const options = ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'];
  spec.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options });
  return spec;
}

async function composeRuntime(bundle: string, { rootless }: Host): Promise<readonly string[]> {
  const { argv } = await findRuntime(['crun'], join(bundle, 'state'), new AbortController().signal);
  if (rootless === undefined) return argv;
  const at = argv.indexOf('crun');
  const as = ['setpriv', `--reuid=${rootless}`, `--regid=${rootless}`, '--clear-groups'];
  return [...argv.slice(0, at), ...as, ...argv.slice(at), '--cgroup-manager=disabled'];
}

async function waitForPid(file: string, hasEnded: () => boolean): Promise<number> {
  for (;;) {
    const pid = Number(await readFile(file, 'utf8').catch(() => ''));
    if (pid > 0) return pid;
    if (hasEnded()) throw new Error('the runtime has ended');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
