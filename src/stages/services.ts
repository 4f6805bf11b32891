import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Capability, Container, ContainerSpec, LoadedImage, Network } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import { readLayoutImage } from '../oci/read-image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { Stage } from '../report/event.ts';
import { renderDuration } from '../report/render-duration.ts';
import { renderExpected } from '../warm-up/probe.ts';
import { renderHealth, renderSource, type Service } from '../warm-up/service.ts';
import { type ProbedContainer, waitForProbe } from '../warm-up/wait-for-probe.ts';
import type { World } from '../world.ts';

/** What of a container's spec lets it reach the services. */
export type Neighbourhood = Pick<ContainerSpec, 'network' | 'localNames'>;

export interface RunningServices extends AsyncDisposable {
  readonly neighbourhood: Neighbourhood;
  /** Does something that needs them: SERVICE_FAILED as soon as one has ended. */
  guard<T>(world: World, act: (guarded: World) => Promise<T>): Promise<T>;
  /** Ends them all. The network stays until this is disposed of, for the app is still in it. */
  end(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Running {
  readonly service: Service;
  readonly probed: ProbedContainer;
  release(): Promise<void>;
}

const LAST_LINES = 30;
const POLL_INTERVAL_MS = 50;
/** What is wrong with an answer may come from a service that is just about to end. */
const EXIT_GRACE_MS = 500;
/** What images expect that begin as root, and then become somebody else: most of what Docker gives by default. */
const CAPABILITIES: readonly Capability[] = [
  ...(['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'] as const),
  'NET_BIND_SERVICE',
];

/** Starts what the plan names, one after the other, each healthy before the next. SERVICE_FAILED otherwise; then all are gone. */
export async function launchServices(plan: BuildPlan, stage: Stage, world: World): Promise<RunningServices> {
  const { services } = plan;
  if (services.length === 0) return withoutServices(plan.network);
  const id = `crac-build-${plan.name}-services-${randomBytes(4).toString('hex')}`;
  const network = plan.network === 'host' ? undefined : await world.engine.openNetwork(id, world.signal);
  const names = services.map(({ name }) => name);
  const neighbourhood: Neighbourhood = {
    network: network ?? 'host',
    ...(network?.isOneLoopback !== false && { localNames: names }),
  };
  const running = openRunning(neighbourhood, network);
  try {
    for (const service of services) {
      world.report({
        type: 'stage-progress',
        stage,
        text: `starting ${service.name}: ${renderSource(service.source)}`,
      });
      await running.guard(world, async (guarded) => {
        running.add(await launchService(service, `${id}-${service.name}`, neighbourhood, guarded));
      });
    }
    return running;
  } catch (error) {
    await running[Symbol.asyncDispose]().catch(() => undefined); // the first error says more
    throw error;
  }
}

export function withoutServices(network: BuildPlan['network']): RunningServices {
  return {
    neighbourhood: { network },
    guard: (world, act) => act(world),
    end: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function openRunning(neighbourhood: Neighbourhood, network: Network | undefined) {
  const all: Running[] = [];
  const alarm = new AbortController();
  let failed: { readonly running: Running; readonly exitCode: number } | undefined;
  let isOver = false;

  async function end(): Promise<void> {
    isOver = true;
    const ends = await Promise.allSettled(all.splice(0).map((one) => one.release()));
    const broken = ends.find((result) => result.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }

  return {
    neighbourhood,
    add(running: Running): void {
      all.push(running);
      const tell = (exitCode: number) => {
        if (isOver) return;
        failed ??= { running, exitCode };
        alarm.abort();
      };
      running.probed.exited.then(
        (exit) => tell(exit.exitCode),
        () => undefined, // the engine's own trouble shows elsewhere
      );
    },
    async guard<T>(world: World, act: (guarded: World) => Promise<T>): Promise<T> {
      try {
        return await act({ ...world, signal: AbortSignal.any([world.signal, alarm.signal]) });
      } catch (error) {
        if (world.signal.aborted) throw error;
        if (failed === undefined && all.length > 0)
          await sleep(EXIT_GRACE_MS, undefined, { signal: alarm.signal }).catch(() => undefined);
        if (failed === undefined) throw error;
        throw await hasEnded(failed.running, failed.exitCode, 'while the app needed it');
      }
    },
    end,
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        await end();
      } finally {
        await network?.[Symbol.asyncDispose]();
      }
    },
  };
}

async function launchService(
  service: Service,
  id: string,
  neighbourhood: Neighbourhood,
  world: World,
): Promise<Running> {
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
  world: World,
): Promise<Running> {
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

async function waitUntilHealthy(running: Running, world: World): Promise<void> {
  const { service, probed } = running;
  const { name, health, timeoutMs } = service;
  const patience = { timeoutMs, intervalMs: POLL_INTERVAL_MS, user: service.user ?? '0:0' };
  const response = await waitForProbe(probed, health, patience, world.signal);
  if (response.outcome === 'exited') throw await hasEnded(running, response.exit.exitCode, 'before it was healthy');
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

async function hasEnded({ service, probed }: Running, exitCode: number, when: string): Promise<CracBuildError> {
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
