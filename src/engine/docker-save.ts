import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Docker from 'dockerode';
import { explainNoSpace } from '../oci/space.ts';
import { parseDockerAddress } from './docker-address.ts';
import { readPullCredentials } from './docker-credentials.ts';
import { callDocker } from './docker-errors.ts';
import { obtainDockerImage } from './docker-pull.ts';

/** Writes an image of the daemon, which pulls what it does not have with the user's credentials, to `file`: a Docker archive. */
export async function saveDockerImage(
  reference: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const docker = new Docker(parseDockerAddress(environment).options);
  await obtainDockerImage(docker, reference, signal, () => readPullCredentials(reference, environment, signal));
  await callDocker(`save the image ${reference}`, signal, async () => {
    const archive = (await docker.getImage(reference).get()) as Readable;
    await pipeline(archive, createWriteStream(file), { signal }).catch((error: unknown) => {
      throw explainNoSpace(error, `writing the image ${reference} to ${file}`);
    });
  });
}
