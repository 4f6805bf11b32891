import { randomBytes } from 'node:crypto';
import { askTouches } from '../criu/control.ts';
import type { OciImage } from '../oci/image.ts';
import type { ServerPlan } from '../plan/build-plan.ts';
import type { RecordedTouches } from '../restore-plan/touches.ts';
import { probePorts } from '../warm-up/probe.ts';
import { listPorts } from '../warm-up/scenario.ts';
import { waitForProbe } from '../warm-up/wait-for-probe.ts';
import { FIRST_REQUESTS } from '../warm-up/warmth.ts';
import type { World } from '../world.ts';
import { distinctScenarios, sendFirstRequests } from './first-requests.ts';
import type { Neighbourhood } from './launch-service.ts';
import { launchServices } from './services.ts';
import { planProfile } from './verify.ts';

const POLL_INTERVAL_MS = 1;
/** What hangs is for verify to tell. */
const REQUESTS_LIMIT_MS = 10_000;

/**
 * Restores the image once and looks which pages its first answer touched, and which the first requests. Undefined where that cannot be seen: what is
 * wrong with the image, if anything, is for verify to tell.
 */
export async function recordTouches(
  plan: ServerPlan,
  image: OciImage,
  world: World,
): Promise<RecordedTouches | undefined> {
  await using services = await launchServices(plan, 'arrange', world);
  return await services.guard(world, (guarded) => recordBeside(plan, image, services.neighbourhood, guarded));
}

async function recordBeside(
  plan: ServerPlan,
  image: OciImage,
  neighbourhood: Neighbourhood,
  world: World,
): Promise<RecordedTouches | undefined> {
  const id = randomBytes(4).toString('hex');
  const profile = planProfile(plan);
  const scenarios = distinctScenarios(plan.warmUp.scenarios);
  await using loaded = await world.engine.loadImage(image, `crac-build/${plan.name}:record-${id}`, world.signal);
  await using container = await world.engine.launchContainer(
    {
      ...profile,
      image: loaded.reference,
      name: `crac-build-${plan.name}-record-${id}`,
      environment: { CRAC_RESTORE: 'require', CRAC_RECORD: '1' },
      ports: [...new Set([...plan.app.ports, ...listPorts(scenarios), ...probePorts(plan.verify.answer)])],
      ...neighbourhood,
    },
    world.signal,
  );
  const patience = { timeoutMs: plan.verify.timeoutMs, intervalMs: POLL_INTERVAL_MS, user: profile.user };
  const { outcome } = await waitForProbe(container, plan.verify.answer, patience, world.signal);
  if (outcome !== 'ready') return undefined;
  const first = await askTouches(container, profile.user, world.signal);
  if (first === undefined) return undefined;
  const { user } = profile;
  const timeoutMs = Math.min(plan.verify.timeoutMs, REQUESTS_LIMIT_MS);
  const explain = async (error: unknown) => error;
  const options = { stage: 'arrange', user, count: FIRST_REQUESTS, timeoutMs, explain } as const;
  try {
    await sendFirstRequests(plan, container, scenarios, options, world);
  } catch (error) {
    if (world.signal.aborted) throw error;
    return { first };
  }
  const later = await askTouches(container, user, world.signal);
  return later === undefined ? { first } : { first, later };
}
