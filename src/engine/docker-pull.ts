import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Credentials } from '../oci/registry/credentials.ts';
import { callDocker, hasStatus } from './docker-errors.ts';
import { drainProgress } from './docker-streams.ts';

/** Gives the id of the daemon's own image or, where it has none of that name, from its registry. What is pulled stays, as with `docker run`. */
export async function obtainDockerImage(
  docker: Docker,
  reference: string,
  signal: AbortSignal,
  readCredentials: () => Promise<Credentials | undefined> = async () => undefined,
): Promise<string> {
  const what = `pull the image ${reference}`;
  try {
    return await inspectId(docker, reference, signal);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
  // Without a tag the daemon would pull all that there are.
  const hasTag = /[:@][^/]*$/.test(reference);
  const credentials = await readCredentials();
  await callDocker(what, signal, async () => {
    const name = hasTag ? reference : `${reference}:latest`;
    const progress = (await docker.pull(name, composeAuth(credentials))) as Readable;
    const abort = (): unknown => progress.destroy(new Error('interrupted'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort(); // while the daemon was being asked
    try {
      await drainProgress(progress, what);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  });
  return await inspectId(docker, reference, signal);
}

async function inspectId(docker: Docker, reference: string, signal: AbortSignal): Promise<string> {
  const what = `look for the image ${reference}`;
  const { Id } = await callDocker(what, signal, () => docker.getImage(reference).inspect());
  return Id;
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#section/Authentication */
function composeAuth(credentials: Credentials | undefined): object {
  if (credentials === undefined) return {};
  return {
    authconfig:
      credentials.kind === 'password'
        ? { username: credentials.user, password: credentials.password }
        : { identitytoken: credentials.token },
  };
}
