import type { Settings } from '../../src/config/settings.ts';
import { isServer, type ServerPlan } from '../../src/plan/build-plan.ts';
import { type BuildFacts, planBuild } from '../../src/plan/plan-build.ts';

export const SAMPLE_FACTS = {
  jar: { path: '/work/orders-1.4.2.jar' },
  jdk: { path: '/opt/jdk-25', javaVersion: 25, hotSpot: true },
} satisfies BuildFacts;

export function samplePlan(settings: Settings = {}): ServerPlan {
  const plan = planBuild(settings, SAMPLE_FACTS);
  if (!isServer(plan)) throw new Error('not the plan of a server');
  return plan;
}
