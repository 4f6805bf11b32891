import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { CracBuildError } from '../errors.ts';
import { callDocker, composeDockerError, hasStatus } from './docker-errors.ts';
import { collectFrames, joinFrames } from './docker-streams.ts';
import type { Container, ContainerExit, ContainerSpec, ExecResult } from './engine.ts';
import { lastLinesOf, throwIfInterrupted } from './run-command.ts';

/** `publishedHost`: where the daemon's published ports can be reached. */
export function openDockerContainer(
  container: Docker.Container,
  spec: ContainerSpec,
  publishedHost: string,
): Container {
  const exited = waitForExit(container);
  // Whoever awaits it sees the error; nobody has to.
  exited.catch(() => undefined);
  let removal: Promise<void> | undefined;
  return {
    id: container.id,
    exited,
    exec: (argv, options) => execInContainer(container, argv, options),
    copyIn: (tar, folder, signal) =>
      callDocker(`copy files to ${folder}`, signal, async () => {
        const abort = (): unknown => tar.destroy(new Error('interrupted'));
        signal.addEventListener('abort', abort, { once: true });
        try {
          await container.putArchive(tar, { path: folder, noOverwriteDirNonDir: 'true' });
        } finally {
          signal.removeEventListener('abort', abort);
        }
      }),
    copyOut: (path, signal) => copyOut(container, path, signal),
    listChanges: (signal) =>
      callDocker('list changed files', signal, async () => {
        const answer: unknown = await container.changes();
        // No changes are told as `null`, which the client hands on as bytes.
        const changes = (Array.isArray(answer) ? answer : []) as { readonly Path: string; readonly Kind: 0 | 1 | 2 }[];
        return {
          changed: changes.filter(({ Kind }) => Kind !== 2).map(({ Path }) => Path),
          removed: changes.filter(({ Kind }) => Kind === 2).map(({ Path }) => Path),
        };
      }),
    endpoint: (port) => findEndpoint(container, spec, port, publishedHost),
    lastLines: (count) =>
      callDocker('read the log', undefined, async () => {
        const frames = await container.logs({ stdout: true, stderr: true, tail: count, follow: false });
        return lastLinesOf(joinFrames(frames), count);
      }),
    kill: (signalName) =>
      callDocker(`send ${signalName}`, undefined, async () => {
        await container.kill({ signal: signalName });
      }).catch((error: unknown) => {
        if (!hasStatus(error, 404, 409)) throw error; // it has ended already
      }),
    async [Symbol.asyncDispose]() {
      removal ??= removeContainer(container);
      await removal;
    },
  };
}

export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await callDocker('remove the container', undefined, () => container.remove({ force: true, v: true }));
  } catch (error) {
    if (hasStatus(error, 409)) await waitUntilRemoved(container);
    else if (!hasStatus(error, 404)) throw error;
  }
}

/** 409: a removal is under way already. */
async function waitUntilRemoved(container: Docker.Container): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await container.inspect();
    } catch (error) {
      if (hasStatus(error, 404)) return;
      throw composeDockerError('remove the container', (error as Error).message, error);
    }
    await sleep(100);
  }
  throw composeDockerError('remove the container', 'it is still there after 10 s');
}

async function waitForExit(container: Docker.Container): Promise<ContainerExit> {
  const answer = await callDocker('wait for the container', undefined, () => container.wait());
  return { exitCode: (answer as { readonly StatusCode: number }).StatusCode };
}

async function execInContainer(
  container: Docker.Container,
  argv: readonly string[],
  { user, environment = {}, signal }: Parameters<Container['exec']>[1],
): Promise<ExecResult> {
  const what = `run ${argv[0]} in the container`;
  return await callDocker(what, signal, async () => {
    const exec = await container.exec({
      Cmd: [...argv],
      User: user ?? '0:0',
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
    });
    throwIfInterrupted(signal);
    const stream = await exec.start({ hijack: true, stdin: false });
    const abort = (): unknown => stream.destroy(new Error('interrupted'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const output = await collectFrames(stream as unknown as Readable);
      const exitCode = await readExitCode(exec, what);
      if (/^(OCI runtime exec failed|exec failed):/.test(output.stdout + output.stderr)) {
        throw composeDockerError(what, (output.stdout + output.stderr).trim());
      }
      return { exitCode, ...output };
    } finally {
      signal.removeEventListener('abort', abort);
      stream.destroy();
    }
  });
}

/** The stream can end a moment before the daemon knows the exit code. */
async function readExitCode(exec: Docker.Exec, what: string): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running && ExitCode !== null) return ExitCode;
    await sleep(attempt < 20 ? 5 : 50);
  }
  throw composeDockerError(what, 'its output has ended, but it has no exit code');
}

async function copyOut(container: Docker.Container, path: string, signal: AbortSignal): Promise<Readable | undefined> {
  try {
    const tar = await callDocker(`copy ${path} out of the container`, signal, () => container.getArchive({ path }));
    const readable = tar as Readable;
    const abort = (): unknown => readable.destroy(new CracBuildError('INTERRUPTED', 'interrupted'));
    signal.addEventListener('abort', abort, { once: true });
    readable.once('close', () => signal.removeEventListener('abort', abort));
    return readable;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

async function findEndpoint(
  container: Docker.Container,
  spec: ContainerSpec,
  port: number,
  publishedHost: string,
): Promise<{ readonly host: string; readonly port: number }> {
  if (spec.network === 'host') return { host: publishedHost, port };
  const { NetworkSettings } = await callDocker('inspect the container', undefined, () => container.inspect());
  const published = NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort;
  if (published === undefined) throw composeDockerError(`find port ${port}`, 'it is not published');
  return { host: publishedHost, port: Number(published) };
}
