import { parseDockerAddress } from '../../../src/engine/docker-address.ts';
import { composeCreateOptions } from '../../../src/engine/docker-create.ts';
import type { ContainerSpec } from '../../../src/engine/engine.ts';

const spec: ContainerSpec = {
  image: 'x:y',
  name: 'crac-build-x',
  entrypoint: ['/bin/app'],
  command: ['a', 'b'],
  environment: { A: '1' },
  user: '1000:1000',
  capabilities: ['CHECKPOINT_RESTORE', 'SYS_PTRACE'],
  seccomp: 'unconfined',
  noNewPrivileges: false,
  readOnlyRoot: true,
  tmpfs: ['/tmp'],
  memoryBytes: 1 << 28,
  pidsLimit: 99,
  cpus: 1.5,
  ports: [8080],
  network: 'isolated',
};

test('a spec becomes the body of a create request, without any host path', () => {
  const body = composeCreateOptions(spec, { apiVersion: '1.41', publishAddress: '127.0.0.1' });
  expect(body).toMatchObject({
    name: 'crac-build-x',
    Image: 'x:y',
    Entrypoint: ['/bin/app'],
    Cmd: ['a', 'b'],
    User: '1000:1000',
    Env: ['A=1'],
    Labels: { 'crac-build.owner': expect.stringMatching(/:\d+:\d+$/) },
    HostConfig: {
      CapDrop: ['ALL'],
      CapAdd: ['SYS_ADMIN', 'SYS_PTRACE'],
      SecurityOpt: ['seccomp=unconfined'],
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': '' },
      Memory: 1 << 28,
      PidsLimit: 99,
      NanoCpus: 1_500_000_000,
      NetworkMode: 'bridge',
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
  });
  expect(body.HostConfig).not.toHaveProperty('Binds');
  expect(body.HostConfig).not.toHaveProperty('Privileged');
});

test('Docker 23 knows CHECKPOINT_RESTORE; the default profile is left to the daemon', () => {
  const strict: ContainerSpec = { ...spec, seccomp: 'default', noNewPrivileges: true, network: 'host' };
  const { HostConfig } = composeCreateOptions(strict, { apiVersion: '1.42', publishAddress: '' });
  expect(HostConfig).toMatchObject({
    CapAdd: ['CHECKPOINT_RESTORE', 'SYS_PTRACE'],
    SecurityOpt: ['no-new-privileges:true'],
    NetworkMode: 'host',
    PortBindings: {},
  });
});

test('in a shared network a container has its name, and local names are added to its hosts', () => {
  const network = { id: 'f00', isOneLoopback: false, [Symbol.asyncDispose]: async () => {} };
  const daemon = { apiVersion: '1.41', publishAddress: '127.0.0.1' };
  expect(composeCreateOptions({ ...spec, network, alias: 'db' }, daemon)).toMatchObject({
    NetworkingConfig: { EndpointsConfig: { f00: { Aliases: ['db'] } } },
    HostConfig: { NetworkMode: 'f00', PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1' }] } },
  });
  expect(composeCreateOptions(spec, daemon)).not.toHaveProperty('NetworkingConfig');
  expect(composeCreateOptions({ ...spec, network: 'host', localNames: ['db'] }, daemon).HostConfig).toMatchObject({
    NetworkMode: 'host',
    ExtraHosts: ['db:127.0.0.1'],
  });
});

test.each([
  [{}, { socketPath: '/var/run/docker.sock' }, undefined],
  [{ DOCKER_HOST: 'unix:///x/y.sock' }, { socketPath: '/x/y.sock' }, undefined],
  [{ DOCKER_HOST: 'tcp://10.1.2.3:2375' }, { host: '10.1.2.3', port: '2375', protocol: 'http' }, '10.1.2.3'],
  [{ DOCKER_HOST: 'tcp://[::1]:99' }, { host: '::1', port: '99', protocol: 'http' }, undefined],
  [{ DOCKER_HOST: 'tcp://build:2376', DOCKER_TLS_VERIFY: '1' }, { host: 'build', protocol: 'https' }, 'build'],
])('DOCKER_HOST and its companions: %j', (environment, options, remoteHost) => {
  const address = parseDockerAddress(environment);
  expect(address.options).toMatchObject(options);
  expect(address.remoteHost).toBe(remoteHost);
});
