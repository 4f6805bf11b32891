import type { Readable } from 'node:stream';
import type { LayerCompression, OciImage } from '../oci/image.ts';

/**
 * The port to a container engine. Two implementations: docker.ts (Engine API) and oci-runtime.ts (crun or runc on an
 * unpacked root with overlayfs). Every method rejects with CracBuildError (ENGINE_UNAVAILABLE, ENGINE_FAILED,
 * ENGINE_DENIED, NO_SPACE, INTERRUPTED); nothing is retried.
 */
export interface Engine {
  readonly name: 'docker' | 'oci';
  /** For people: "Docker 20.10.24 at unix:///…", "crun 1.8.1". */
  readonly description: string;
  /** What loadImage() can read. */
  readonly layerCompressions: readonly LayerCompression[];
  /** Makes the image known to the engine under `reference`; docker: `images/load`, oci: unpacks layers into its store (by diffId, shared). */
  loadImage(image: OciImage, reference: string, signal: AbortSignal): Promise<LoadedImage>;
  /** Sees to it that `launchContainer` knows the image of that name: the daemon's own or, where it has none, from its registry. Tells which it is: another image of that name has another id. */
  obtainImage(reference: string, signal: AbortSignal): Promise<string>;
  /** A network that containers share and nobody else is in. `name` is like a container's: one of a kind. */
  openNetwork(name: string, signal: AbortSignal): Promise<Network>;
  /** Starts a program of this machine, with its files, in a network of `openNetwork` or that of this machine. */
  launchProcess(spec: ProcessSpec, signal: AbortSignal): Promise<LaunchedProcess>;
  /** Creates and starts. The container's stdout and stderr are kept for `lastLines`. */
  launchContainer(spec: ContainerSpec, signal: AbortSignal): Promise<Container>;
}

/** Removed from the engine when disposed, unless `keep()` was called (docker: the published tag stays). */
export interface LoadedImage extends AsyncDisposable {
  readonly reference: string;
  keep(): void;
}

/** Removed when disposed, which must come after that of the containers in it; idempotent. */
export interface Network extends AsyncDisposable {
  readonly id: string;
  /** All in it share one 127.0.0.1 and its ports: there `localNames` tell names. Otherwise each has its `alias`. */
  readonly isOneLoopback: boolean;
}

export interface ProcessSpec {
  /** For messages. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Added to this program's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** "uid:gid", "name" or "name:group" of this machine; absent: root. */
  readonly user?: string;
  readonly network: Network | 'host';
}

/** Ended with all its children when disposed; idempotent. */
export type LaunchedProcess = Pick<Container, 'exec' | 'exited' | 'endpoint' | 'lastLines'> & AsyncDisposable;

export type Capability =
  | 'SYS_ADMIN'
  | 'SYS_PTRACE'
  | 'CHECKPOINT_RESTORE'
  | 'SETUID'
  | 'SETGID'
  | 'SETPCAP'
  | 'KILL'
  | 'CHOWN'
  | 'DAC_OVERRIDE'
  | 'FOWNER'
  | 'FSETID'
  | 'NET_BIND_SERVICE';

export interface ContainerSpec {
  readonly image: string;
  readonly name: string;
  /** Absent: the image's own. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** Added to, and winning over, the image's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absent: the image's own user. "uid:gid". */
  readonly user?: string;
  /** All others are dropped. What the engine does not know by name it replaces (CHECKPOINT_RESTORE → SYS_ADMIN) or refuses. */
  readonly capabilities: readonly Capability[];
  /** `default` where the engine has one (docker); oci: none exists, the spec carries no filter and says so in its description. */
  readonly seccomp: 'default' | 'unconfined';
  readonly noNewPrivileges: boolean;
  readonly readOnlyRoot: boolean;
  /** Writable, empty tmpfs mounts, e.g. /tmp in a read-only container. */
  readonly tmpfs: readonly string[];
  /** Whether what lies there may be run, and loaded as a library. Engines say no where they are not told. */
  readonly tmpfsMayExecute?: boolean;
  readonly memoryBytes?: number;
  readonly pidsLimit?: number;
  readonly cpus?: number;
  /** TCP ports that `endpoint()` will be asked for. */
  readonly ports: readonly number[];
  readonly network: 'isolated' | 'host' | Network;
  /** The name under which the others in its network reach it. */
  readonly alias?: string;
  /** Host names that stand for 127.0.0.1 inside. */
  readonly localNames?: readonly string[];
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ContainerExit {
  /** 128 + signal when killed by one, as docker reports it. */
  readonly exitCode: number;
}

/** Stopped and removed, with everything it held (mounts, overlay, forwarders), when disposed; idempotent. */
export interface Container extends AsyncDisposable {
  readonly id: string;
  /** Runs `argv` inside; a non-zero exit code is a result, not an error. `user` is "uid:gid", absent: root. */
  exec(
    argv: readonly string[],
    options: {
      readonly user?: string;
      readonly environment?: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
    },
  ): Promise<ExecResult>;
  /** Unpacks an uncompressed tar at an existing folder, keeping owner, mode and mtime. */
  copyIn(tar: Readable, folder: string, signal: AbortSignal): Promise<void>;
  /** An uncompressed tar of `path` (file or folder); entry names start with the last component of `path`, which is not followed when it is a link. Undefined: there is no such path. */
  copyOut(path: string, signal: AbortSignal): Promise<Readable | undefined>;
  /** Where this process itself can read a file of the container, with links followed inside; undefined: there is none. Absent: nowhere. */
  readonly locateFile?: (path: string) => Promise<string | undefined>;
  /** Paths (absolute) added or changed, and removed, compared with the image. */
  listChanges(
    signal: AbortSignal,
  ): Promise<{ readonly changed: readonly string[]; readonly removed: readonly string[] }>;
  /** Where the container's TCP port can be reached from this process. */
  endpoint(port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** The last lines of the app's stdout and stderr, oldest first. */
  lastLines(count: number): Promise<readonly string[]>;
  /** Resolves when the main process has ended. */
  readonly exited: Promise<ContainerExit>;
  /** Sends a signal to the main process. */
  kill(signalName: 'SIGTERM' | 'SIGKILL' | 'SIGCONT' | 'SIGSTOP'): Promise<void>;
}
