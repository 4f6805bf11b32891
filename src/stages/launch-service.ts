import type { Capability, Container, ContainerSpec, LoadedImage } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import { readLayoutImage } from '../oci/read-image.ts';
import { renderDuration } from '../report/render-duration.ts';
import { renderExpected } from '../warm-up/probe.ts';
import { renderHealth, type Service } from '../warm-up/service.ts';
import { type ProbedContainer, waitForProbe } from '../warm-up/wait-for-probe.ts';
import type { World } from '../world.ts';

/** What of a container's spec lets it reach the services. */
export type Neighbourhood = Pick<ContainerSpec, 'network' | 'localNames'>;

export interface RunningService {
  readonly service: Service;
  readonly probed: ProbedContainer;
  release(): Promise<void>;
}

const LAST_LINES = 30;
const POLL_INTERVAL_MS = 50;
/** What images expect that begin as root, and then become somebody else: most of what Docker gives by default. */
const CAPABILITIES: readonly Capability[] = [
  ...(['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'] as const),
  'NET_BIND_SERVICE',
];

/** Healthy when it returns; SERVICE_FAILED otherwise, and gone. `id`: one of a kind. */
export async function launchService(
  service: Service,
  id: string,
  neighbourhood: Neighbourhood,
  world: Pick<World, 'engine' | 'signal'>,
): Promise<RunningService> {
  const running = await startService(service, id, neighbourhood, world).catch((error: unknown) => {
    if (world.signal.aborted || !(error instanceof CracBuildError)) throw error;
    throw new CracBuildError(
      'SERVICE_FAILED',
      `the backing service ${service.name} cannot be started: ${error.message}`,
      {
        hint: error.hint ?? `Correct image, command and user of ${service.name} in warmUp.services.`,
        cause: error,
        details: error.details,
      },
    );
  });
  try {
    await waitUntilHealthy(running, world);
    return running;
  } catch (error) {
    await running.release().catch(() => undefined); // the first error says more
    throw error;
  }
}

async function startService(
  service: Service,
  id: string,
  neighbourhood: Neighbourhood,
  world: Pick<World, 'engine' | 'signal'>,
): Promise<RunningService> {
  const { source, environment } = service;
  const user = service.user === undefined ? {} : { user: service.user };
  const { engine, signal } = world;
  const { network } = neighbourhood;
  if (source.kind === 'process') {
    if (network === 'isolated') throw new Error('a service needs a network');
    const spec = { name: service.name, argv: source.argv, environment, ...user, network };
    const probed = await engine.launchProcess(spec, signal);
    return { service, probed, release: async () => await probed[Symbol.asyncDispose]() };
  }
  let loaded: LoadedImage | undefined;
  let container: Container | undefined;
  const release = async (): Promise<void> => {
    try {
      await container?.[Symbol.asyncDispose]();
    } finally {
      await loaded?.[Symbol.asyncDispose]();
    }
  };
  try {
    if (source.kind === 'layout')
      loaded = await engine.loadImage(await readLayoutImage(source.dir), `crac-build/${id}:service`, signal);
    else await engine.obtainImage(source.reference, signal);
    container = await engine.launchContainer(
      {
        image: source.kind === 'image' ? source.reference : `crac-build/${id}:service`,
        name: id,
        ...(service.command === undefined ? {} : { command: service.command }),
        environment,
        ...user,
        capabilities: CAPABILITIES,
        seccomp: 'default',
        noNewPrivileges: false,
        readOnlyRoot: false,
        tmpfs: [],
        ports: service.ports,
        ...neighbourhood,
        alias: service.name,
      },
      signal,
    );
  } catch (error) {
    await release().catch(() => undefined); // the first error says more
    throw error;
  }
  return { service, probed: container, release };
}

async function waitUntilHealthy(running: RunningService, world: Pick<World, 'signal'>): Promise<void> {
  const { service, probed } = running;
  const { name, health, timeoutMs } = service;
  const patience = { timeoutMs, intervalMs: POLL_INTERVAL_MS, user: service.user ?? '0:0' };
  const response = await waitForProbe(probed, health, patience, world.signal);
  if (response.outcome === 'exited') throw await serviceEnded(running, response.exit.exitCode, 'before it was healthy');
  if (response.outcome === 'ready') return;
  throw new CracBuildError(
    'SERVICE_FAILED',
    `the backing service ${name} was not healthy after ${renderDuration(timeoutMs)}: ${renderHealth(service)} was to ${renderExpected(health)}; at last: ${response.lastSeen}`,
    {
      hint: `Correct health or environment of ${name} in warmUp.services, or give it more time with health.timeout.`,
      details: await probed.lastLines(LAST_LINES),
    },
  );
}

/** `when`: "before it was healthy". */
export async function serviceEnded(
  { service, probed }: RunningService,
  exitCode: number,
  when: string,
): Promise<CracBuildError> {
  const details = await probed.lastLines(LAST_LINES).catch(() => []);
  return new CracBuildError(
    'SERVICE_FAILED',
    `the backing service ${service.name} exited with code ${exitCode} ${when}`,
    {
      hint:
        details.length === 0
          ? `It printed nothing. Look at command, environment and user of ${service.name} in warmUp.services.`
          : `Its last lines are above. Correct command, environment or user of ${service.name} in warmUp.services.`,
      details,
    },
  );
}
