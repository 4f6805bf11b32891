import { randomBytes } from 'node:crypto';
import type { Container, ContainerSpec } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { OciImage } from '../oci/image.ts';
import type { BuildPlan, ServerPlan } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { openPools } from '../warm-up/open-pools.ts';
import { probePorts, renderDeed } from '../warm-up/probe.ts';
import { NoAnswer, openUser, readSentFiles, runScenario, type Traffic } from '../warm-up/run-scenario.ts';
import { listPorts, type Scenario } from '../warm-up/scenario.ts';
import { UnexpectedAnswer } from '../warm-up/unexpected-answer.ts';
import { waitForProbe } from '../warm-up/wait-for-probe.ts';
import type { World } from '../world.ts';

/** Milliseconds from asking the engine for a container to the app's first good answer: the same span for each. */
export interface VerifyReport {
  readonly profile: Profile;
  readonly restoredMs: readonly number[];
  readonly coldMs: number;
  /** Warm-up requests whose answers were checked after each start. */
  readonly checkedRequests: number;
}

export type Profile = Pick<ContainerSpec, 'capabilities' | 'seccomp' | 'noNewPrivileges' | 'readOnlyRoot' | 'tmpfs'> & {
  readonly user: string;
};

/** {{n}} goes on where no warm-up comes: what was made then is there already. */
const FIRST_N = 1_000_000;
const RESTORE_COUNT = 2;
const LAST_LINES = 30;
const POLL_INTERVAL_MS = 1;

/** Starts the final image under restrictions: restored twice, then cold. VERIFY_FAILED unless all three answer as in the warm-up. */
export async function verifyImage(plan: ServerPlan, image: OciImage, world: World): Promise<VerifyReport> {
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
    network: plan.network,
  });

  const restoredMs: number[] = [];
  for (let run = 1; run <= RESTORE_COUNT; run++) {
    const elapsedMs = await checkStart(plan, scenarios, spec('require', `${run}`), 'restored', world);
    restoredMs.push(elapsedMs);
    tell(world, `restore ${run}: first answer after ${renderDuration(elapsedMs)}`);
  }
  const coldMs = await checkStart(plan, scenarios, spec('off', 'cold'), 'started cold', world);
  tell(world, `cold: first answer after ${renderDuration(coldMs)}`);
  return { profile, restoredMs, coldMs, checkedRequests: scenarios.flatMap(({ steps }) => steps).length };
}

/** What a strict cluster allows: nothing. The user is neither root nor the app's own. */
export function planProfile(plan: BuildPlan): Profile {
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

/** Each kind of scenario once, by somebody who does not stop to think. */
export function distinctScenarios(scenarios: readonly Scenario[]): readonly Scenario[] {
  const bySteps = new Map(
    scenarios.map((scenario) => {
      const steps = scenario.steps.map((step) => ({ ...step, thinkMs: 0 }));
      return [JSON.stringify(steps), { ...scenario, steps }];
    }),
  );
  return [...bySteps.values()];
}

/** Milliseconds until the first good answer. `how`: "restored", "started cold". */
async function checkStart(
  plan: ServerPlan,
  scenarios: readonly Scenario[],
  spec: ContainerSpec,
  how: string,
  world: World,
): Promise<number> {
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
  await checkAnswers(plan, container, scenarios, how, world);
  return elapsedMs;
}

async function checkAnswers(
  { warmUp, verify }: ServerPlan,
  container: Container,
  scenarios: readonly Scenario[],
  how: string,
  world: World,
): Promise<void> {
  const limit = AbortSignal.timeout(verify.timeoutMs);
  const signal = AbortSignal.any([world.signal, limit]);
  await using pools = await openPools(container, scenarios, warmUp.connection, 1);
  const files = await readSentFiles(scenarios);
  const traffic: Traffic = { pools, files, onSample: () => {}, pending: new Set() };
  for (const [index, scenario] of scenarios.entries()) {
    try {
      await runScenario(scenario, openUser(1, warmUp.seed), FIRST_N + index, traffic, signal);
    } catch (error) {
      if (world.signal.aborted) throw error;
      const late = limit.aborted ? tellPending(traffic, verify.timeoutMs) : undefined;
      const where = late?.endpoint ?? endpointOf(error) ?? scenario.name;
      const sentence = late?.sentence ?? (error as Error).message;
      const lines = error instanceof UnexpectedAnswer ? error.lines : [];
      throw await failed(container, `${how}, ${where} is not as in the warm-up: ${sentence}`, error, lines);
    }
  }
}

function tellPending({ pending }: Traffic, timeoutMs: number) {
  const endpoint = [...pending].map((sent) => sent.endpoint).join(', ');
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

function tell(world: World, text: string): void {
  world.report({ type: 'stage-progress', stage: 'verify', text });
}
