import type { ImageConfig } from '../oci/image.ts';
import type { ContainerSpec } from './engine.ts';
import { locateNetwork } from './oci-network.ts';

/** What the spec is made of besides the caller's wishes. */
export interface SpecPlace {
  readonly image: ImageConfig;
  readonly user: { readonly uid: number; readonly gid: number; readonly home: string };
  readonly hostName: string;
  readonly cgroupsPath: string;
  /** Local files that are mounted over the container's own, by their path in the container. */
  readonly files: Readonly<Record<string, string>>;
  /** CAP_CHECKPOINT_RESTORE is known to the runtime and the kernel. */
  readonly knowsCheckpointRestore: boolean;
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * config.json of a bundle, with what Docker gives a container as far as an app can see it. No rlimits: they stay as they are, raising
 * them would need CAP_SYS_RESOURCE. https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md
 */
export function composeRuntimeSpec(spec: ContainerSpec, place: SpecPlace): object {
  const { image, user, hostName } = place;
  const args = [...(spec.entrypoint ?? image.entrypoint), ...(spec.command ?? defaultCommand(spec, image))];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid },
      args,
      env: listVariables({
        PATH: DEFAULT_PATH,
        HOSTNAME: hostName,
        HOME: user.home,
        ...image.environment,
        ...spec.environment,
      }),
      cwd: image.workingDir || '/',
      capabilities: composeCapabilities(spec, place, user.uid),
      noNewPrivileges: spec.noNewPrivileges,
    },
    root: { path: 'root', readonly: spec.readOnlyRoot },
    hostname: hostName,
    mounts: [...composeMounts(spec), ...bindFiles(place.files)],
    linux: {
      cgroupsPath: place.cgroupsPath,
      namespaces: [...['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })), ...composeNetwork(spec.network)],
      resources: composeResources(spec),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READ_ONLY_PATHS,
    },
  };
}

/** process.json of `exec`: the container's capabilities for root, none that count for others. */
export function composeExecSpec(
  spec: ContainerSpec,
  place: SpecPlace,
  exec: {
    readonly argv: readonly string[];
    readonly user: { readonly uid: number; readonly gid: number; readonly home: string };
    readonly environment: Readonly<Record<string, string>>;
  },
): object {
  return {
    terminal: false,
    user: { uid: exec.user.uid, gid: exec.user.gid },
    args: exec.argv,
    env: listVariables({
      PATH: DEFAULT_PATH,
      HOSTNAME: place.hostName,
      HOME: exec.user.home,
      ...place.image.environment,
      ...spec.environment,
      ...exec.environment,
    }),
    cwd: place.image.workingDir || '/',
    capabilities: composeCapabilities(spec, place, exec.user.uid),
    noNewPrivileges: spec.noNewPrivileges,
  };
}

/** Nothing: that of this machine. */
function composeNetwork(network: ContainerSpec['network']): object[] {
  if (network === 'host') return [];
  return [{ type: 'network', ...(network !== 'isolated' && { path: locateNetwork(network) }) }];
}

/** As with Docker, another entrypoint makes the image's command void. */
function defaultCommand(spec: ContainerSpec, image: ImageConfig): readonly string[] {
  return spec.entrypoint === undefined ? image.command : [];
}

function listVariables(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}

function composeCapabilities(spec: ContainerSpec, place: SpecPlace, uid: number): object {
  const bounding = [
    ...new Set(
      spec.capabilities.map((name) =>
        name === 'CHECKPOINT_RESTORE' && !place.knowsCheckpointRestore ? 'CAP_SYS_ADMIN' : `CAP_${name}`,
      ),
    ),
  ];
  const held = uid === 0 ? bounding : [];
  return { bounding, effective: held, permitted: held, inheritable: [], ambient: [] };
}

function composeMounts(spec: ContainerSpec): object[] {
  const mount = (destination: string, type: string, source: string, ...options: string[]): object => ({
    destination,
    type,
    source,
    options,
  });
  return [
    mount('/proc', 'proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    mount('/dev/pts', 'devpts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
    mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'),
    ...spec.tmpfs.map((path) =>
      mount(path, 'tmpfs', 'tmpfs', 'nosuid', spec.tmpfsMayExecute ? 'exec' : 'noexec', 'nodev', 'mode=1777'),
    ),
  ];
}

function bindFiles(files: Readonly<Record<string, string>>): object[] {
  return Object.entries(files).map(([destination, source]) => ({
    destination,
    type: 'bind',
    source,
    options: ['bind', 'rprivate'],
  }));
}

/** Device rules as Docker's: all may be made, the harmless ones opened. */
function composeResources({ memoryBytes, pidsLimit, cpus }: ContainerSpec): object {
  return {
    devices: [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }, // null
      { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' }, // zero
      { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' }, // full
      { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' }, // random
      { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' }, // urandom
      { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' }, // tty
      { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' }, // ptmx
      { allow: true, type: 'c', major: 136, access: 'rwm' }, // pts
    ],
    ...(memoryBytes !== undefined && { memory: { limit: memoryBytes } }),
    ...(pidsLimit !== undefined && { pids: { limit: pidsLimit } }),
    ...(cpus !== undefined && { cpu: { quota: Math.round(cpus * 100_000), period: 100_000 } }),
  };
}

const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
];
const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
