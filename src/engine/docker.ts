import type Docker from 'dockerode';
import { CracBuildError } from '../errors.ts';
import { openDockerArchive } from '../oci/docker-archive.ts';
import { type DockerAddress, parseDockerAddress } from './docker-address.ts';
import { openDockerContainer, removeContainer } from './docker-container.ts';
import { composeCreateOptions } from './docker-create.ts';
import { callDocker, composeDockerError, hasStatus } from './docker-errors.ts';
import { openDockerNetwork, removeAbandonedNetworks } from './docker-network.ts';
import { obtainDockerImage } from './docker-pull.ts';
import { drainProgress } from './docker-streams.ts';
import { isDocker23 } from './docker-version.ts';
import type { Engine, LoadedImage } from './engine.ts';
import { isOwnerGone, OWNER_LABEL } from './owner.ts';
import { requireCompression } from './require-compression.ts';
import { throwIfInterrupted } from './run-command.ts';

/** Everything goes through the Engine API, so the daemon may be on another machine: no host path is ever mounted. */
export async function connectDocker(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Engine> {
  const address = parseDockerAddress(environment);
  /** As large as everything else together, and no other engine needs it. */
  const { default: Client } = await import('dockerode');
  const docker = new Client(address.options);
  const version = await callDocker('tell its version', signal, () => docker.version());
  await removeLeftovers(docker);
  return composeEngine(docker, address, version);
}

function composeEngine(docker: Docker, address: DockerAddress, version: Docker.DockerVersion): Engine {
  const readable = {
    description: `Docker ${version.Version} at ${address.url}`,
    layerCompressions: isDocker23(version.ApiVersion) ? (['gzip', 'zstd'] as const) : (['gzip'] as const),
  };
  return {
    name: 'docker',
    ...readable,
    async loadImage(image, reference, signal) {
      for (const { compression } of image.layers) requireCompression(readable, compression);
      const what = `load the image ${reference}`;
      const archive = openDockerArchive(image, reference);
      const abort = (): unknown => archive.destroy(new Error('interrupted'));
      signal.addEventListener('abort', abort, { once: true });
      try {
        await callDocker(what, signal, async () => {
          await drainProgress((await docker.loadImage(archive, { quiet: true })) as never, what);
          await docker.getImage(reference).inspect();
        });
      } finally {
        signal.removeEventListener('abort', abort);
        archive.destroy();
      }
      return openLoadedImage(docker, reference);
    },
    obtainImage: (reference, signal) => obtainDockerImage(docker, reference, signal),
    openNetwork: (name, signal) => openDockerNetwork(docker, name, signal),
    async launchProcess({ name }) {
      throw new CracBuildError('ENGINE_UNAVAILABLE', `Docker runs no process of this machine beside an app: ${name}`, {
        hint: 'Give it an image, or use --engine oci.',
      });
    },
    async launchContainer(spec, signal) {
      const options = composeCreateOptions(spec, {
        apiVersion: version.ApiVersion,
        publishAddress: address.remoteHost === undefined ? '127.0.0.1' : '',
      });
      // Not cut short by the signal: an answer that is not read would leave a container behind.
      const container = await callDocker(`create a container of ${spec.image}`, signal, () =>
        docker.createContainer(options),
      );
      try {
        throwIfInterrupted(signal);
        await callDocker(`start ${spec.name}`, undefined, () => container.start());
        throwIfInterrupted(signal);
      } catch (error) {
        await removeContainer(container).catch(() => undefined); // the first error says more
        throw error;
      }
      return openDockerContainer(container, spec, address.remoteHost ?? '127.0.0.1');
    },
  };
}

function openLoadedImage(docker: Docker, reference: string): LoadedImage {
  let done = false;
  return {
    reference,
    keep() {
      done = true;
    },
    async [Symbol.asyncDispose]() {
      if (done) return;
      done = true;
      await callDocker(`remove the image ${reference}`, undefined, () =>
        docker.getImage(reference).remove({ force: true }),
      ).catch((error: unknown) => {
        if (!hasStatus(error, 404)) throw error;
      });
    },
  };
}

/** Containers and networks of runs on this machine that were killed before they could clean up. */
async function removeLeftovers(docker: Docker): Promise<void> {
  const containers = await callDocker('list containers', undefined, () =>
    docker.listContainers({ all: true, filters: { label: [OWNER_LABEL] } }),
  );
  if (!Array.isArray(containers)) throw composeDockerError('list containers', 'the answer is no list');
  for (const { Id, Labels } of containers) {
    if (isOwnerGone(Labels[OWNER_LABEL] ?? '')) await removeContainer(docker.getContainer(Id)).catch(() => undefined);
  }
  await removeAbandonedNetworks(docker);
}
