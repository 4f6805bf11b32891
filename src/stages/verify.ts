import { randomBytes } from 'node:crypto';
import type { Container, ContainerSpec } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { NoAnswer } from '../warm-up/no-answer.ts';
import { type AnswerProbe, probePorts, renderDeed } from '../warm-up/probe.ts';
import type { Traffic } from '../warm-up/run-scenario.ts';
import { listPorts, type Scenario } from '../warm-up/scenario.ts';
import { ScriptFailed } from '../warm-up/script-failed.ts';
import { UnexpectedAnswer } from '../warm-up/unexpected-answer.ts';
import { waitForProbe } from '../warm-up/wait-for-probe.ts';
import { FIRST_REQUESTS, type FirstRequests, summariseRequests } from '../warm-up/warmth.ts';
import type { World } from '../world.ts';
import { distinctScenarios, type FirstRequestsOptions, sendFirstRequests } from './first-requests.ts';
import { isImageApp } from './image-app.ts';
import type { Neighbourhood } from './launch-service.ts';
import { launchServices } from './services.ts';

/** Milliseconds from asking the engine for a container to the app's first good answer: the same span for each. */
export interface VerifyReport {
  readonly profile: Profile;
  readonly restoredMs: readonly number[];
  readonly coldMs: number;
  /** Warm-up requests whose answers were checked after each start. */
  readonly checkedRequests: number;
  /** The same requests, sent right after a start by one user: what the first users get. Undefined where none were given. */
  readonly firstRequests?: { readonly restored: FirstRequests; readonly cold: FirstRequests };
}

export type Profile = Pick<ContainerSpec, 'capabilities' | 'seccomp' | 'noNewPrivileges' | 'readOnlyRoot' | 'tmpfs'> & {
  readonly user: string;
};

/** What of a build's plan a verification needs: it may be of an image that was built long ago. */
export type VerifyPlan = Pick<BuildPlan, 'name' | 'network' | 'services' | 'warmUp' | 'verify'> & {
  readonly app: Pick<BuildPlan['app'], 'user' | 'ports'> & { readonly source?: unknown };
};
export type VerifyServerPlan = VerifyPlan & { readonly verify: { readonly answer: AnswerProbe } };
/** No CRIU: nothing is dumped. */
export type VerifyWorld = Omit<World, 'toolbox'>;

const RESTORE_COUNT = 2;
const LAST_LINES = 30;
const POLL_INTERVAL_MS = 1;

/** Starts the final image under restrictions: restored twice, then cold. VERIFY_FAILED unless all three answer as in the warm-up. */
export async function verifyImage(plan: VerifyServerPlan, image: OciImage, world: VerifyWorld): Promise<VerifyReport> {
  await using services = await launchServices(plan, 'verify', world);
  return await services.guard(world, (guarded) => verifyBeside(plan, image, services.neighbourhood, guarded));
}

async function verifyBeside(
  plan: VerifyServerPlan,
  image: OciImage,
  neighbourhood: Neighbourhood,
  world: VerifyWorld,
): Promise<VerifyReport> {
  const id = randomBytes(4).toString('hex');
  const profile = planProfile(plan);
  await using loaded = await world.engine.loadImage(image, `crac-build/${plan.name}:verify-${id}`, world.signal);
  const scenarios = distinctScenarios(plan.warmUp.scenarios);
  const spec = (mode: 'require' | 'off', run: string): ContainerSpec => ({
    ...profile,
    image: loaded.reference,
    name: `crac-build-${plan.name}-verify-${id}-${run}`,
    environment: { CRAC_RESTORE: mode },
    // What the app unpacks there and loads, it could not load without crac-build either.
    tmpfsMayExecute: mode === 'off',
    ports: [...new Set([...plan.app.ports, ...listPorts(scenarios), ...probePorts(plan.verify.answer)])],
    ...neighbourhood,
  });

  const restores: Start[] = [];
  for (let run = 1; run <= RESTORE_COUNT; run++) {
    const count = run === 1 ? FIRST_REQUESTS : 0;
    const start = await checkStart(plan, scenarios, spec('require', `${run}`), { how: 'restored', count }, world);
    restores.push(start);
    tell(world, `restore ${run}: first answer after ${renderDuration(start.elapsedMs)}`);
  }
  const howCold = { how: 'started cold', count: FIRST_REQUESTS };
  const cold = await checkStart(plan, scenarios, spec('off', 'cold'), howCold, world);
  tell(world, `cold: first answer after ${renderDuration(cold.elapsedMs)}`);
  const restored = restores[0]?.first;
  return {
    profile,
    restoredMs: restores.map(({ elapsedMs }) => elapsedMs),
    coldMs: cold.elapsedMs,
    checkedRequests: cold.checkedRequests,
    ...(restored === undefined || cold.first === undefined ? {} : { firstRequests: { restored, cold: cold.first } }),
  };
}

/**
 * What a strict cluster allows: nothing. The user is neither root nor the app's own, but for an app that is an image: its files
 * may be for one user only.
 */
export function planProfile(plan: Pick<VerifyPlan, 'app'>): Profile {
  const { user } = plan.app;
  const uid = user.uid === 65_432 ? 65_433 : 65_432;
  return {
    user: isImageApp(plan) ? `${user.uid}:${user.gid}` : `${uid}:${uid}`,
    capabilities: [],
    seccomp: 'default',
    noNewPrivileges: true,
    readOnlyRoot: true,
    tmpfs: ['/tmp'],
  };
}

interface Start {
  /** Milliseconds until the first good answer. */
  readonly elapsedMs: number;
  readonly first: FirstRequests | undefined;
  readonly checkedRequests: number;
}

/** `how`: "restored", "started cold". `count`: so many requests are sent at least. */
async function checkStart(
  plan: VerifyServerPlan,
  scenarios: readonly Scenario[],
  spec: ContainerSpec,
  { how, count }: { readonly how: string; readonly count: number },
  world: VerifyWorld,
): Promise<Start> {
  const startedMs = performance.now();
  await using container = await world.engine.launchContainer(spec, world.signal);
  const { answer, timeoutMs } = plan.verify;
  const patience = { timeoutMs, intervalMs: POLL_INTERVAL_MS, user: spec.user ?? planProfile(plan).user };
  const response = await waitForProbe(container, answer, patience, world.signal);
  if (response.outcome === 'exited') {
    throw await failed(
      container,
      `the image was to be ${how}, but its process exited with code ${response.exit.exitCode}`,
    );
  }
  if (response.outcome === 'timed-out') {
    const limit = renderDuration(timeoutMs);
    throw await failed(
      container,
      `${how}, the image did not ${renderDeed(answer)} within ${limit}; at last: ${response.lastSeen}`,
    );
  }
  const elapsedMs = Math.round((response.atMs - startedMs) * 10) / 10;
  const explain = explainAnswer(container, how, timeoutMs);
  const options = { stage: 'verify', user: patience.user, count, timeoutMs, explain } as const;
  const { samples, checkedRequests } = await sendFirstRequests(plan, container, scenarios, options, world);
  return { elapsedMs, first: summariseRequests(samples.slice(0, count)), checkedRequests };
}

/** What is not as in the warm-up. */
function explainAnswer(container: Container, how: string, timeoutMs: number): FirstRequestsOptions['explain'] {
  return async (error, { name }, traffic, isLate) => {
    const late = isLate ? tellPending(traffic, timeoutMs) : undefined;
    const where = late?.endpoint ?? endpointOf(error) ?? name;
    const sentence = late?.sentence ?? (error as Error).message;
    const lines = error instanceof UnexpectedAnswer || error instanceof ScriptFailed ? error.lines : [];
    return await failed(container, `${how}, ${where} is not as in the warm-up: ${sentence}`, error, lines);
  };
}

function tellPending({ pending }: Traffic, timeoutMs: number) {
  const begun = [...pending];
  const requests = begun.filter(({ isRun }) => !isRun);
  const endpoint = (requests.length === 0 ? begun : requests).map((sent) => sent.endpoint).join(', ');
  if (requests.length === 0)
    return { endpoint, sentence: `${endpoint} was not through within ${renderDuration(timeoutMs)}` };
  return { endpoint, sentence: `${endpoint} was not answered within ${renderDuration(timeoutMs)}` };
}

function endpointOf(error: unknown): string | undefined {
  return error instanceof UnexpectedAnswer || error instanceof NoAnswer ? error.endpoint : undefined;
}

/** `lines`: of the answer that was wrong. */
export async function failed(
  container: Container,
  sentence: string,
  cause?: unknown,
  lines: readonly string[] = [],
): Promise<CracBuildError> {
  return new CracBuildError('VERIFY_FAILED', `verify: ${sentence}`, {
    hint: 'No image was published. The container’s last lines are above, docs/restore.md and docs/runtime.md say what to do about them; CRAC_LOG=debug in app.environment tells more.',
    cause,
    details: [...lines, ...(await container.lastLines(LAST_LINES))],
  });
}

function tell(world: VerifyWorld, text: string): void {
  world.report({ type: 'stage-progress', stage: 'verify', text });
}
