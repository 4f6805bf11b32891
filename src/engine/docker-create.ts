import type { ContainerCreateOptions } from 'dockerode';
import { isDocker23 } from './docker-version.ts';
import type { ContainerSpec } from './engine.ts';
import { composeOwner, OWNER_LABEL } from './owner.ts';

/** The body of POST /containers/create: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate */
export function composeCreateOptions(
  spec: ContainerSpec,
  daemon: { readonly apiVersion: string; readonly publishAddress: string },
): ContainerCreateOptions {
  const securityOptions = [
    ...(spec.seccomp === 'unconfined' ? ['seccomp=unconfined'] : []),
    ...(spec.noNewPrivileges ? ['no-new-privileges:true'] : []),
  ];
  const published = spec.network === 'host' ? [] : spec.ports;
  return {
    name: spec.name,
    Image: spec.image,
    ...(spec.entrypoint && { Entrypoint: [...spec.entrypoint] }),
    ...(spec.command && { Cmd: [...spec.command] }),
    ...(spec.user !== undefined && { User: spec.user }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { [OWNER_LABEL]: composeOwner() },
    ExposedPorts: Object.fromEntries(published.map((port) => [`${port}/tcp`, {}])),
    ...(typeof spec.network === 'object' && {
      NetworkingConfig: {
        EndpointsConfig: { [spec.network.id]: spec.alias === undefined ? {} : { Aliases: [spec.alias] } },
      },
    }),
    HostConfig: {
      CapDrop: ['ALL'],
      CapAdd: listCapabilities(spec, daemon.apiVersion),
      SecurityOpt: securityOptions,
      ReadonlyRootfs: spec.readOnlyRoot,
      Tmpfs: Object.fromEntries(spec.tmpfs.map((path) => [path, spec.tmpfsMayExecute ? 'exec' : ''])),
      ...(spec.memoryBytes !== undefined && { Memory: spec.memoryBytes }),
      ...(spec.pidsLimit !== undefined && { PidsLimit: spec.pidsLimit }),
      ...(spec.cpus !== undefined && { NanoCpus: Math.round(spec.cpus * 1e9) }),
      NetworkMode: nameNetwork(spec.network),
      ...(spec.localNames && { ExtraHosts: spec.localNames.map((name) => `${name}:127.0.0.1`) }),
      PortBindings: Object.fromEntries(
        published.map((port) => [`${port}/tcp`, [{ HostIp: daemon.publishAddress, HostPort: '' }]]),
      ),
      // The daemon's own default may be a driver whose logs cannot be read back.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '16m', 'max-file': '1' } },
    },
  };
}

function nameNetwork(network: ContainerSpec['network']): string {
  if (typeof network === 'object') return network.id;
  return network === 'host' ? 'host' : 'bridge';
}

function listCapabilities(spec: ContainerSpec, apiVersion: string): string[] {
  const known = isDocker23(apiVersion);
  const names = spec.capabilities.map((name) => (name === 'CHECKPOINT_RESTORE' && !known ? 'SYS_ADMIN' : name));
  return [...new Set(names)];
}
