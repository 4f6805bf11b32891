import type Docker from 'dockerode';
import { callDocker, hasStatus } from './docker-errors.ts';
import type { Network } from './engine.ts';
import { composeOwner, isOwnerGone, OWNER_LABEL } from './owner.ts';
import { throwIfInterrupted } from './run-command.ts';

/** Only on a network of one's own does Docker tell containers each other's names. */
export async function openDockerNetwork(docker: Docker, name: string, signal: AbortSignal): Promise<Network> {
  // Not cut short by the signal: an answer that is not read would leave a network behind.
  const network = await callDocker(`create the network ${name}`, signal, () =>
    docker.createNetwork({ Name: name, Driver: 'bridge', Labels: { [OWNER_LABEL]: composeOwner() } }),
  );
  let removal: Promise<void> | undefined;
  const opened: Network = {
    id: network.id,
    isOneLoopback: false,
    async [Symbol.asyncDispose]() {
      removal ??= removeNetwork(network);
      await removal;
    },
  };
  try {
    throwIfInterrupted(signal);
    return opened;
  } catch (error) {
    await removeNetwork(network).catch(() => undefined); // the first error says more
    throw error;
  }
}

/**
 * Networks of runs on this machine that were killed before they could clean up; their containers are gone already. A daemon
 * that lets nobody see its networks is good for all that needs none.
 */
export async function removeAbandonedNetworks(docker: Docker): Promise<void> {
  const networks: unknown = await docker.listNetworks({ filters: { label: [OWNER_LABEL] } }).catch(() => []);
  if (!Array.isArray(networks)) return;
  for (const { Id, Labels } of networks as readonly Docker.NetworkInspectInfo[]) {
    if (isOwnerGone(Labels?.[OWNER_LABEL] ?? '')) await removeNetwork(docker.getNetwork(Id)).catch(() => undefined);
  }
}

async function removeNetwork(network: Docker.Network): Promise<void> {
  try {
    await callDocker('remove the network', undefined, () => network.remove());
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}
