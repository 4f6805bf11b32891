import { randomBytes } from 'node:crypto';
import { askStatus } from '../criu/control.ts';
import type { Container, ContainerSpec, LoadedImage } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { type Probe, probePorts, type Readiness, renderExpected, renderProbe } from '../warm-up/probe.ts';
import { listPorts } from '../warm-up/scenario.ts';
import { waitForProbe } from '../warm-up/wait-for-probe.ts';
import type { World } from '../world.ts';
import { requireFirstProcess } from './first-process.ts';
import { launchServices, type RunningServices } from './services.ts';

export interface RunningApp extends AsyncDisposable {
  readonly container: Container;
  /** Beside it, until its checkpoint. */
  readonly services: RunningServices;
}

const LAST_LINES = 30;
const POLL_INTERVAL_MS = 25;
/** Most apps are ready by then; whoever waits longer wants to know for what. */
const QUIET_MS = 3000;

/**
 * Starts the services and, beside them, the app in the build container, and waits until it is ready. APP_EXITED or APP_NOT_READY with its last lines
 * otherwise. One that asks for its checkpoint by itself does so when it is ready, and is waited for there.
 */
export async function launchApp(plan: BuildPlan, image: OciImage, world: World): Promise<RunningApp> {
  const services = await launchServices(plan, 'launch', world);
  try {
    return await services.guard(world, (guarded) => launchBeside(plan, image, services, guarded));
  } catch (error) {
    await services[Symbol.asyncDispose]().catch(() => undefined); // the first error says more
    throw error;
  }
}

async function launchBeside(plan: BuildPlan, image: OciImage, services: RunningServices, world: World) {
  const id = randomBytes(4).toString('hex');
  const loaded = await world.engine.loadImage(image, `crac-build/${plan.name}:build-${id}`, world.signal);
  let container: Container | undefined;
  try {
    const spec = { ...planBuildContainer(plan, loaded.reference, id), ...services.neighbourhood };
    container = await world.engine.launchContainer(spec, world.signal);
    if (plan.checkpoint.trigger === 'build' && plan.readiness !== undefined)
      await waitUntilReady(plan, plan.readiness, container, world);
    if (plan.checkpoint.trigger === 'build') await requireFirstProcess(plan, container, world.signal);
    return holdApp(loaded, container, services);
  } catch (error) {
    await releaseApp(loaded, container);
    throw error;
  }
}

/** The exact privileges that a dump needs; the final image needs none of them. */
export function planBuildContainer(plan: BuildPlan, image: string, id: string): ContainerSpec {
  const { app, readiness, warmUp } = plan;
  return {
    image,
    name: `crac-build-${plan.name}-${id}`,
    entrypoint: plan.command.argv,
    command: [],
    environment: plan.command.environment ?? {},
    user: `${app.user.uid}:${app.user.gid}`,
    capabilities: ['CHECKPOINT_RESTORE', 'SYS_PTRACE', 'SETUID', 'SETGID'],
    seccomp: 'unconfined',
    noNewPrivileges: false,
    readOnlyRoot: false,
    tmpfs: [],
    ports: [...new Set([...app.ports, ...probePorts(readiness), ...listPorts(warmUp.scenarios)])],
    network: plan.network,
  };
}

async function waitUntilReady(
  plan: BuildPlan,
  readiness: Readiness,
  container: Container,
  world: World,
): Promise<void> {
  const what = renderProbe(readiness);
  const { uid, gid } = plan.app.user;
  world.report({ type: 'stage-progress', stage: 'launch', text: `waiting for ${what}` });
  const patience = { timeoutMs: readiness.timeoutMs, intervalMs: POLL_INTERVAL_MS, user: `${uid}:${gid}` };
  const response = await waitForProbe(container, readiness, patience, world.signal, tellChanges(what, world));
  if (response.outcome === 'exited') throw await appExited(container, response.exit.exitCode, 'before it was ready');
  if (response.outcome === 'timed-out') {
    if (await hasAskedItself(plan, container, world.signal)) throw await waitsForCheckpoint(container);
    throw new CracBuildError(
      'APP_NOT_READY',
      `the app was not ready after ${renderDuration(readiness.timeoutMs)}: ${what} was to ${renderExpected(readiness)}; at last: ${response.lastSeen}`,
      {
        hint: isOverTls(readiness) ? TLS_HINT : HINTS[readiness.kind],
        details: await container.lastLines(LAST_LINES),
      },
    );
  }
}

const HINTS: Readonly<Record<Probe['kind'], string>> = {
  http: 'Correct readiness (port, path, status) or app.ports if the app listens somewhere else, or give it more time with readiness.timeout.',
  tcp: 'Correct readiness.tcp if the app listens on another port, or give it more time with readiness.timeout.',
  log: 'Correct readiness.log, a regular expression that one line is to match, or give it more time with readiness.timeout.',
  command:
    'Correct readiness.command, which is run inside the container as the app’s user, or give it more time with readiness.timeout.',
};

const TLS_HINT =
  'Correct readiness (port, path, status, tls) or warmUp.tls (ca, serverName, insecure), or give it more time with readiness.timeout.';

function isOverTls(probe: Probe): boolean {
  return probe.kind === 'http' && probe.tls !== undefined;
}

async function hasAskedItself({ app }: BuildPlan, container: Container, signal: AbortSignal): Promise<boolean> {
  const status = await askStatus(container, app.user, signal).catch(() => undefined);
  return status?.state === 'waiting' || status?.last?.error?.startsWith('nobody came to take the checkpoint') === true;
}

async function waitsForCheckpoint(container: Container): Promise<CracBuildError> {
  return new CracBuildError('APP_NOT_READY', 'the app was not ready, but asked for its checkpoint by itself', {
    hint: 'Let the build wait for that: --trigger app (checkpoint.trigger).',
    details: await container.lastLines(LAST_LINES),
  });
}

/** Says what stands in the way of being ready when that has changed. */
function tellChanges(what: string, world: World): (seen: string) => void {
  const startedMs = performance.now();
  let told: string | undefined;
  return (seen) => {
    if (seen === told || performance.now() - startedMs < QUIET_MS) return;
    told = seen;
    world.report({ type: 'stage-progress', stage: 'launch', text: `still waiting for ${what}: ${seen}` });
  };
}

/** `when`: "before it was ready", "during warm-up", "before it asked for a checkpoint". */
export async function appExited(container: Container, exitCode: number, when: string): Promise<CracBuildError> {
  const lines = await container.lastLines(LAST_LINES);
  return new CracBuildError('APP_EXITED', `the app exited with code ${exitCode} ${when}`, {
    hint:
      lines.length === 0
        ? 'It printed nothing. Try the same command by itself: `crac-build plan` shows it.'
        : 'Its last lines are above. `crac-build plan` shows the command that was run.',
    details: lines,
  });
}

function holdApp(loaded: LoadedImage, container: Container, services: RunningServices): RunningApp {
  return {
    container,
    services,
    async [Symbol.asyncDispose]() {
      try {
        await releaseApp(loaded, container);
      } finally {
        await services[Symbol.asyncDispose](); // last: the container is in their network
      }
    },
  };
}

/** The container first: an engine does not give up an image that is in use. */
async function releaseApp(loaded: LoadedImage, container: Container | undefined): Promise<void> {
  try {
    await container?.[Symbol.asyncDispose]();
  } finally {
    await loaded[Symbol.asyncDispose]();
  }
}
