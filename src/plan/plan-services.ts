import type { Settings } from '../config/settings.ts';
import { CracBuildError } from '../errors.ts';
import { type Probe, probePorts } from '../warm-up/probe.ts';
import type { Service, ServiceSource } from '../warm-up/service.ts';

type Given = NonNullable<NonNullable<Settings['warmUp']>['services']>[number];

const TIMEOUT_MS = 30_000;

export function planServices({ warmUp = {} }: Settings): readonly Service[] {
  return (warmUp.services ?? []).map((given) => {
    const { name, command, environment = {}, user, health: { timeout = TIMEOUT_MS } = {} } = given;
    const health = planHealth(given);
    return {
      name,
      source: planSource(given),
      ...(command === undefined ? {} : { command }),
      environment,
      ...(user === undefined ? {} : { user }),
      ports: [...new Set([...(given.ports ?? []), ...probePorts(health)])],
      health,
      timeoutMs: timeout,
    };
  });
}

function planSource({ image = '', process }: Given): ServiceSource {
  if (process !== undefined) return { kind: 'process', argv: process };
  const layout = /^oci:(.+)$/.exec(image)?.[1];
  return layout === undefined ? { kind: 'image', reference: image } : { kind: 'layout', dir: layout };
}

/** Without any form, its first port is to accept connections. */
function planHealth({ name, ports = [], health = {} }: Given): Probe {
  const { tcp, log, command, path, status, contains, port = ports[0] } = health;
  if (log !== undefined) return { kind: 'log', pattern: log };
  if (command !== undefined) return { kind: 'command', argv: command };
  if (tcp !== undefined) return { kind: 'tcp', port: tcp };
  if (port === undefined)
    throw new CracBuildError('CONFIG_INVALID', `the service ${name} has no port that could be asked`, {
      hint: 'Give it ports, or name one in its health.',
    });
  if (path === undefined && status === undefined && contains === undefined) return { kind: 'tcp', port };
  return {
    kind: 'http',
    port,
    path: path ?? '/',
    status: status ?? 200,
    ...(contains === undefined ? {} : { contains }),
  };
}
