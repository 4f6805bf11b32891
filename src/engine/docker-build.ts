import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import Docker from 'dockerode';
import { CracBuildError } from '../errors.ts';
import { openTar } from '../tar/write-tar.ts';
import { readBuildContext } from './build-context.ts';
import { parseDockerAddress } from './docker-address.ts';
import { readPullCredentials } from './docker-credentials.ts';
import { callDocker } from './docker-errors.ts';
import { obtainDockerImage } from './docker-pull.ts';
import { isDocker23 } from './docker-version.ts';
import { listBases } from './dockerfile-bases.ts';
import type { BuildProgress, DockerfileBuild } from './dockerfile-build.ts';

type Variables = Readonly<Record<string, string | undefined>>;
/** How much of the builder's output a failure shows. */
const SHOWN_LINES = 20;

/**
 * Builds through the API: with BuildKit from Docker 23 on, where it is the usual one, with the classic builder before;
 * DOCKER_BUILDKIT=1 or 0 chooses, as with `docker build`. Gives the image's id. Rejects with ENGINE_FAILED and the last lines where a step fails.
 */
export async function buildWithDocker(
  build: DockerfileBuild,
  environment: Variables,
  { tell, signal }: BuildProgress,
): Promise<string> {
  const docker = new Docker(parseDockerAddress(environment).options);
  const { entries, dockerfile } = await readBuildContext(build.context, build.file);
  const { ApiVersion } = await callDocker('tell its version', signal, () => docker.version());
  const chosen = environment['DOCKER_BUILDKIT'];
  const isBuildKit = chosen === undefined || chosen === '' ? isDocker23(ApiVersion) : chosen !== '0';
  const what = `build ${build.file}`;
  await pullPrivateBases(docker, build, environment, signal);
  const tar = openTar(entries);
  const last: string[] = [];
  const follow = async (): Promise<void> => {
    const stream = (await docker.buildImage(tar, {
      dockerfile,
      t: build.tag,
      buildargs: build.buildArguments,
      ...(build.target === undefined ? {} : { target: build.target }),
      forcerm: true,
      version: isBuildKit ? '2' : '1',
      abortSignal: signal, // while the context is sent, too
    })) as Readable;
    const abort = (): unknown => stream.destroy(new Error('interrupted'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort(); // while the daemon was being asked
    try {
      await followBuild(docker, stream, (line) => {
        last.push(line);
        if (last.length > SHOWN_LINES) last.shift();
        tell(line);
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new CracBuildError('ENGINE_FAILED', `Docker failed to ${what}: ${(error as Error).message}`, {
        hint: 'Correct the Dockerfile; `docker build` would fail in the same way.',
        details: last,
        cause: error,
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  };
  // A daemon may answer before it has all of the context.
  await callDocker(what, signal, follow).finally(() => tar.destroy());
  const { Id } = await callDocker(`look for the image of ${build.file}`, signal, () =>
    docker.getImage(build.tag).inspect(),
  );
  return Id;
}

/** What needs credentials is there before the daemon asks. What does not is left to it. */
async function pullPrivateBases(
  docker: Docker,
  { file, buildArguments }: DockerfileBuild,
  environment: Variables,
  signal: AbortSignal,
): Promise<void> {
  for (const base of listBases(await readFile(file, 'utf8'), buildArguments)) {
    const credentials = await readPullCredentials(base, environment, signal);
    if (credentials !== undefined) await obtainDockerImage(docker, base, signal, async () => credentials);
  }
}

interface BuildMessage {
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/** dockerode makes BuildKit's messages into lines, too; its types do not know of it. */
type Follower = (
  stream: Readable,
  onFinished: (error: Error | null) => void,
  onProgress: (message: BuildMessage) => void,
) => void;

async function followBuild(docker: Docker, stream: Readable, tell: (line: string) => void): Promise<void> {
  let failure: string | undefined;
  await new Promise<void>((resolve, reject) => {
    const { followProgress } = docker as unknown as { readonly followProgress: Follower };
    followProgress.call(
      docker,
      stream,
      (error) => (error === null ? resolve() : reject(error)),
      (message) => {
        failure ??= message.errorDetail?.message ?? message.error;
        for (const line of (message.stream ?? '').split('\n'))
          if (line.trim() !== '') tell(line.trimEnd().replace(/^\[sha256:\w+\] /, ''));
      },
    );
  });
  if (failure !== undefined) throw new Error(failure.trim());
}
