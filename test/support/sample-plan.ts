import { basename } from 'node:path';
import type { Settings } from '../../src/config/settings.ts';
import { type AppSource, MAIN_JAR } from '../../src/jar/app-source.ts';
import { isServer, type ServerPlan } from '../../src/plan/build-plan.ts';
import { type BuildFacts, planBuild } from '../../src/plan/plan-build.ts';

export const SAMPLE_FACTS = {
  source: jarSource('/work/orders-1.4.2.jar'),
  jdk: { path: '/opt/jdk-25', javaVersion: 25, hotSpot: true },
} satisfies BuildFacts;

export function samplePlan(settings: Settings = {}): ServerPlan {
  const plan = planBuild(settings, SAMPLE_FACTS);
  if (!isServer(plan)) throw new Error('not the plan of a server');
  return plan;
}

/** A jar with nothing beside it. */
export function jarSource(path: string): AppSource {
  return {
    title: 'an executable jar',
    path,
    name: basename(path),
    start: { kind: 'jar' },
    layers: [{ name: 'application', kind: 'app', parts: [{ kind: 'file', from: path, to: MAIN_JAR }] }],
    analysed: { paths: [path], nested: false },
  };
}
