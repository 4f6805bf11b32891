import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Container, ContainerExit, ContainerSpec, Engine, ExecResult } from '../../src/engine/engine.ts';
import { CracBuildError } from '../../src/errors.ts';

/** "hang": none ever comes; "destroy": the connection ends without one. */
export type Answer =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | 'hang'
  | 'destroy';

/** What the app inside a fake container does with a request. */
export interface FakeApp {
  readonly answer?: (request: IncomingMessage, body: string, spec: ContainerSpec) => Answer;
  /** Milliseconds after the start at which it listens; absent: at once. */
  readonly listensAfterMs?: number;
  /** Ends with this code, that long after the start. */
  readonly exits?: { readonly code: number; readonly afterMs: number };
  readonly lines?: readonly string[];
  /** For what is no request, such as an upgrade. */
  readonly onServer?: (server: Server) => unknown;
  /** What `ctl`, called with these words, answers; absent: nothing, with success. */
  readonly ctl?: (words: readonly string[], signal: AbortSignal) => Promise<ExecResult> | ExecResult;
}

/** A fake has no processes: theirs are containers, too. */
const PROCESS: Omit<ContainerSpec, 'name' | 'environment' | 'network'> = {
  image: 'none',
  capabilities: [],
  seccomp: 'default',
  noNewPrivileges: false,
  readOnlyRoot: false,
  tmpfs: [],
  ports: [],
};

/** An Engine whose containers are HTTP servers in this process. It counts what is left. */
export interface FakeEngine extends Engine {
  readonly specs: ContainerSpec[];
  /** Names of containers and images that were made and not disposed of. */
  readonly left: () => readonly string[];
  readonly requests: string[];
  /** By a container's name. */
  readonly requestsOf: (name: string) => readonly string[];
  readonly openConnections: () => number;
  exitAll: (code: number) => void;
}

export function openFakeEngine(chooseApp: FakeApp | ((spec: ContainerSpec) => FakeApp) = {}): FakeEngine {
  const left = new Set<string>();
  const specs: ContainerSpec[] = [];
  const requests: string[] = [];
  const byName = new Map<string, string[]>();
  const exits = new Set<(code: number) => void>();
  let connections = 0;

  const launchContainer = async (spec: ContainerSpec, signal: AbortSignal): Promise<Container> => {
    if (signal.aborted) throw new CracBuildError('INTERRUPTED', 'interrupted');
    const app = typeof chooseApp === 'function' ? chooseApp(spec) : chooseApp;
    specs.push(spec);
    left.add(spec.name);
    const server = createServer(async (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      byName.set(spec.name, [...(byName.get(spec.name) ?? []), `${request.method} ${request.url}`]);
      let body = '';
      for await (const chunk of request) body += chunk;
      const answer = app.answer?.(request, body, spec) ?? { status: 200, body: 'ok' };
      if (answer === 'hang') return;
      if (answer === 'destroy') request.socket.destroy();
      else response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
    });
    app.onServer?.(server);
    server.on('connection', (socket) => {
      connections++;
      socket.on('close', () => connections--);
    });
    /** A port that is free, so that a connection before `listensAfterMs` is refused. */
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    let timer: NodeJS.Timeout | undefined;
    if (app.listensAfterMs !== undefined) {
      await new Promise((resolve) => server.close(resolve));
      timer = setTimeout(() => server.listen(port, '127.0.0.1'), app.listensAfterMs);
    }
    let exit: (code: number) => void = () => {};
    const exited = new Promise<ContainerExit>((resolve) => {
      exit = (code) => {
        clearTimeout(timer);
        server.close();
        server.closeAllConnections();
        resolve({ exitCode: code });
      };
    });
    exits.add(exit);
    const exitTimer = app.exits && setTimeout(() => exit(app.exits?.code ?? 0), app.exits.afterMs);
    return {
      id: spec.name,
      exec: async ([, ...words], { signal }) =>
        (await app.ctl?.(words, signal)) ?? { exitCode: 0, stdout: '', stderr: '' },
      copyIn: async () => {},
      copyOut: async () => {
        throw new Error('not in this fake');
      },
      listChanges: async () => ({ changed: [], removed: [] }),
      endpoint: async () => ({ host: '127.0.0.1', port }),
      lastLines: async () => app.lines ?? [],
      exited,
      kill: async () => exit(137),
      [Symbol.asyncDispose]: async () => {
        clearTimeout(exitTimer);
        exit(137);
        left.delete(spec.name);
      },
    };
  };

  return {
    name: 'oci',
    description: 'a fake',
    layerCompressions: ['gzip', 'zstd'],
    loadImage: async (_, reference) => {
      left.add(reference);
      return {
        reference,
        keep: () => left.delete(reference),
        [Symbol.asyncDispose]: async () => {
          left.delete(reference);
        },
      };
    },
    obtainImage: async (reference) => {
      if (reference.endsWith(':missing')) throw new CracBuildError('ENGINE_FAILED', `no ${reference}`);
      return `sha256:${reference}`;
    },
    openNetwork: async (name) => {
      left.add(name);
      return {
        id: name,
        isOneLoopback: true,
        [Symbol.asyncDispose]: async () => {
          left.delete(name);
        },
      };
    },
    launchProcess: ({ name, environment, network }, signal) =>
      launchContainer({ ...PROCESS, name, environment, network }, signal),
    launchContainer,
    specs,
    requests,
    requestsOf: (name) => byName.get(name) ?? [],
    left: () => [...left],
    openConnections: () => connections,
    exitAll: (code) => {
      for (const exit of exits) exit(code);
    },
  };
}
