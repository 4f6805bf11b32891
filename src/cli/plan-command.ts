import { loadSettings } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { collectFacts } from '../plan/collect-facts.ts';
import { planBuild } from '../plan/plan-build.ts';
import { renderPlan } from '../plan/render-plan.ts';
import { type BuildFlags, settingsFromFlags } from './build-flags.ts';
import type { CommandResult } from './run-command.ts';

/** Decides everything and does nothing; asks no engine, so `engine: auto` stays what it is. */
export async function runPlan(jar: string | undefined, flags: BuildFlags): Promise<CommandResult> {
  const settings = await readSettings(jar, flags);
  const plan: BuildPlan = planBuild(settings, await collectFacts(settings, process.env));
  return { text: renderPlan(plan), json: plan };
}

export async function readSettings(jar: string | undefined, flags: BuildFlags): Promise<Settings> {
  return await loadSettings({
    configFile: flags.config,
    flags: settingsFromFlags(jar, flags),
    cwd: process.cwd(),
  });
}
