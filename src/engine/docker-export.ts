import type { Readable } from 'node:stream';
import Docker from 'dockerode';
import { CracBuildError } from '../errors.ts';
import { parseDockerAddress } from './docker-address.ts';
import { callDocker, hasStatus } from './docker-errors.ts';

/** What `docker save REFERENCE` writes. */
export async function openDockerSave(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Readable> {
  const docker = new Docker(parseDockerAddress(environment).options);
  const image = docker.getImage(reference);
  // An archive for a name that is not there may be empty, and no error.
  await callDocker(`look for the image ${reference}`, signal, () => image.inspect()).catch((error: unknown) => {
    if (!hasStatus(error, 404)) throw error;
    throw new CracBuildError('INPUT_NOT_FOUND', `Docker has no image ${reference}`, {
      hint: '`docker images` lists what there is; `docker pull` fetches it.',
      cause: error,
    });
  });
  return (await callDocker(`save the image ${reference}`, signal, () => image.get())) as Readable;
}
