import type { Container } from '../engine/engine.ts';
import type { ServerPlan } from '../plan/build-plan.ts';
import type { Stage } from '../report/event.ts';
import { openDeck } from '../warm-up/deck.ts';
import { openRandom } from '../warm-up/random.ts';
import { openUser, runScenario, type Sample, type Traffic } from '../warm-up/run-scenario.ts';
import type { Scenario } from '../warm-up/scenario.ts';
import type { World } from '../world.ts';
import { openTraffic } from './open-traffic.ts';

/** {{n}} goes on where no warm-up comes: what was made then is there already. */
const FIRST_N = 1_000_000;
/** A slow app's first requests are fewer. */
const ENOUGH_MS = 5000;

export interface FirstRequestsOptions {
  readonly stage: Stage;
  /** "UID:GID" inside the container. */
  readonly user: string;
  /** So many are sent at least. */
  readonly count: number;
  /** Of all that is sent. */
  readonly timeoutMs: number;
  /** A scenario has failed: what is thrown instead. */
  readonly explain: (error: unknown, scenario: Scenario, traffic: Traffic, isLate: boolean) => Promise<unknown>;
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

/**
 * What the first users of a started image send, by one user: each scenario once, in the plan's order; then, until there are
 * enough answers, those that the warm-up repeats, in turns. The same plan gives the same requests in the same order.
 */
export async function sendFirstRequests(
  plan: Pick<ServerPlan, 'warmUp'>,
  container: Container,
  scenarios: readonly Scenario[],
  { stage, user, count, timeoutMs, explain }: FirstRequestsOptions,
  world: Omit<World, 'toolbox'>,
): Promise<{ readonly samples: readonly Sample[]; readonly checkedRequests: number }> {
  const { seed } = plan.warmUp;
  const enoughMs = count > 0 ? Math.min(ENOUGH_MS, timeoutMs / 2) : 0;
  const limit = AbortSignal.timeout(timeoutMs + enoughMs);
  const signal = AbortSignal.any([world.signal, limit]);
  const samples: Sample[] = [];
  const onSample = (sample: Sample) => samples.push(sample);
  const options = { stage, user, connections: countConnections(scenarios), onSample } as const;
  await using traffic = await openTraffic(plan, container, scenarios, options, world);
  const repeated = scenarios.filter(({ load }) => load.kind === 'mixed' || load.count > 1);
  const deal = openDeck(repeated, openRandom(seed));
  const startedMs = performance.now();
  const isEnough = () => samples.length >= count || performance.now() - startedMs > enoughMs;
  let checkedRequests = 0;
  for (let index = 0; index < scenarios.length || (repeated.length > 0 && !isEnough()); index++) {
    const scenario = scenarios[index] ?? deal();
    try {
      await runScenario(scenario, openUser(1, seed), FIRST_N + index, traffic, signal);
    } catch (error) {
      if (world.signal.aborted) throw error;
      throw await explain(error, scenario, traffic, limit.aborted);
    }
    if (index < scenarios.length) checkedRequests = samples.length;
  }
  return { samples, checkedRequests };
}

/** One user; a script may ask several things at once. */
function countConnections(scenarios: readonly Scenario[]): number | undefined {
  return scenarios.some(({ kind }) => kind === 'script') ? undefined : 1;
}
