import { randomBytes } from 'node:crypto';
import type { Container, ContainerSpec } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { openDeck } from '../warm-up/deck.ts';
import { NoAnswer } from '../warm-up/no-answer.ts';
import { type AnswerProbe, probePorts, renderDeed } from '../warm-up/probe.ts';
import { openRandom } from '../warm-up/random.ts';
import { openUser, runScenario, type Sample, type Traffic } from '../warm-up/run-scenario.ts';
import { listPorts, type Scenario } from '../warm-up/scenario.ts';
import { ScriptFailed } from '../warm-up/script-failed.ts';
import { UnexpectedAnswer } from '../warm-up/unexpected-answer.ts';
import { waitForProbe } from '../warm-up/wait-for-probe.ts';
import { FIRST_REQUESTS, type FirstRequests, summariseRequests } from '../warm-up/warmth.ts';
import type { World } from '../world.ts';
import type { Neighbourhood } from './launch-service.ts';
import { openTraffic } from './open-traffic.ts';
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
  readonly app: Pick<BuildPlan['app'], 'user' | 'ports'>;
};
export type VerifyServerPlan = VerifyPlan & { readonly verify: { readonly answer: AnswerProbe } };
/** No CRIU: nothing is dumped. */
export type VerifyWorld = Omit<World, 'toolbox'>;

/** {{n}} goes on where no warm-up comes: what was made then is there already. */
const FIRST_N = 1_000_000;
const RESTORE_COUNT = 2;
/** A slow app's first requests are fewer. */
const ENOUGH_MS = 5000;
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

/** What a strict cluster allows: nothing. The user is neither root nor the app's own. */
export function planProfile(plan: Pick<VerifyPlan, 'app'>): Profile {
  const uid = plan.app.user.uid === 65_432 ? 65_433 : 65_432;
  return {
    user: `${uid}:${uid}`,
    capabilities: [],
    seccomp: 'default',
    noNewPrivileges: true,
    readOnlyRoot: true,
    tmpfs: ['/tmp'],
  };
}

/** Each kind of scenario once, by somebody who does not stop to think. Commands are for the build container alone. */
export function distinctScenarios(scenarios: readonly Scenario[]): readonly Scenario[] {
  const byWork = new Map<string, Scenario>();
  for (const scenario of scenarios) {
    if (scenario.kind === 'script') byWork.set(JSON.stringify({ ...scenario, name: '', load: {} }), scenario);
    if (scenario.kind !== 'http') continue;
    const steps = scenario.steps.map((step) => ({ ...step, thinkMs: 0 }));
    byWork.set(JSON.stringify(steps), { ...scenario, steps });
  }
  return [...byWork.values()];
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
  const { samples, checkedRequests } = await checkAnswers(
    plan,
    container,
    scenarios,
    { how, count, user: patience.user },
    world,
  );
  return { elapsedMs, first: summariseRequests(samples.slice(0, count)), checkedRequests };
}

/** Each scenario once, in the plan's order; then, until there are enough answers, those that the warm-up repeated, in turns. */
async function checkAnswers(
  plan: VerifyServerPlan,
  container: Container,
  scenarios: readonly Scenario[],
  { how, count, user }: { readonly how: string; readonly count: number; readonly user: string },
  world: VerifyWorld,
): Promise<{ readonly samples: readonly Sample[]; readonly checkedRequests: number }> {
  const { warmUp, verify } = plan;
  const enoughMs = count > 0 ? Math.min(ENOUGH_MS, verify.timeoutMs / 2) : 0;
  const limit = AbortSignal.timeout(verify.timeoutMs + enoughMs);
  const signal = AbortSignal.any([world.signal, limit]);
  const samples: Sample[] = [];
  const onSample = (sample: Sample) => samples.push(sample);
  const options = { stage: 'verify', user, connections: countVerifyConnections(scenarios), onSample } as const;
  await using traffic = await openTraffic(plan, container, scenarios, options, world);
  const repeated = scenarios.filter(({ load }) => load.kind === 'mixed' || load.count > 1);
  const deal = openDeck(repeated, openRandom(warmUp.seed));
  const startedMs = performance.now();
  const isEnough = () => samples.length >= count || performance.now() - startedMs > enoughMs;
  let checkedRequests = 0;
  for (let index = 0; index < scenarios.length || (repeated.length > 0 && !isEnough()); index++) {
    const scenario = scenarios[index] ?? deal();
    try {
      await runScenario(scenario, openUser(1, warmUp.seed), FIRST_N + index, traffic, signal);
    } catch (error) {
      if (world.signal.aborted) throw error;
      const late = limit.aborted ? tellPending(traffic, verify.timeoutMs) : undefined;
      const where = late?.endpoint ?? endpointOf(error) ?? scenario.name;
      const sentence = late?.sentence ?? (error as Error).message;
      const lines = error instanceof UnexpectedAnswer || error instanceof ScriptFailed ? error.lines : [];
      throw await failed(container, `${how}, ${where} is not as in the warm-up: ${sentence}`, error, lines);
    }
    if (index < scenarios.length) checkedRequests = samples.length;
  }
  return { samples, checkedRequests };
}

/** One user; a script may ask several things at once. */
function countVerifyConnections(scenarios: readonly Scenario[]): number | undefined {
  return scenarios.some(({ kind }) => kind === 'script') ? undefined : 1;
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
