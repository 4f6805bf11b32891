import { randomBytes } from 'node:crypto';
import { askTouches } from '../criu/control.ts';
import type { OciImage } from '../oci/image.ts';
import type { ServerPlan } from '../plan/build-plan.ts';
import type { Touches } from '../restore-plan/touches.ts';
import { probePorts } from '../warm-up/probe.ts';
import { waitForProbe } from '../warm-up/wait-for-probe.ts';
import type { World } from '../world.ts';
import type { Neighbourhood } from './launch-service.ts';
import { launchServices } from './services.ts';
import { planProfile } from './verify.ts';

const POLL_INTERVAL_MS = 1;

/**
 * Restores the image once and looks which pages its first answer touched. Undefined where that cannot be seen: what is
 * wrong with the image, if anything, is for verify to tell.
 */
export async function recordTouches(plan: ServerPlan, image: OciImage, world: World): Promise<Touches | undefined> {
  await using services = await launchServices(plan, 'arrange', world);
  return await services.guard(world, (guarded) => recordBeside(plan, image, services.neighbourhood, guarded));
}

async function recordBeside(
  plan: ServerPlan,
  image: OciImage,
  neighbourhood: Neighbourhood,
  world: World,
): Promise<Touches | undefined> {
  const id = randomBytes(4).toString('hex');
  const profile = planProfile(plan);
  await using loaded = await world.engine.loadImage(image, `crac-build/${plan.name}:record-${id}`, world.signal);
  await using container = await world.engine.launchContainer(
    {
      ...profile,
      image: loaded.reference,
      name: `crac-build-${plan.name}-record-${id}`,
      environment: { CRAC_RESTORE: 'require', CRAC_RECORD: '1' },
      ports: probePorts(plan.verify.answer),
      ...neighbourhood,
    },
    world.signal,
  );
  const patience = { timeoutMs: plan.verify.timeoutMs, intervalMs: POLL_INTERVAL_MS, user: profile.user };
  const { outcome } = await waitForProbe(container, plan.verify.answer, patience, world.signal);
  return outcome === 'ready' ? await askTouches(container, profile.user, world.signal) : undefined;
}
