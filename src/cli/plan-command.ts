import { join } from 'node:path';
import { loadSettings } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { collectFacts } from '../plan/collect-facts.ts';
import { planBuild } from '../plan/plan-build.ts';
import { renderPlan } from '../plan/render-plan.ts';
import type { Report } from '../report/event.ts';
import { type BuildFlags, settingsFromFlags } from './build-flags.ts';
import { cacheFolder, openWorkFolder } from './open-world.ts';
import type { CommandResult } from './run-command.ts';

/**
 * Decides everything and does nothing; asks no engine, so `engine: auto` stays what it is. A base or an app that is an image
 * is fetched and read as in a build: what JVM is in it decides much.
 */
export async function runPlan(
  jar: string | undefined,
  flags: BuildFlags,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
): Promise<CommandResult> {
  const settings = await readSettings(jar, flags);
  await using work = await openWorkFolder();
  const access = { blobDir: join(work.path, 'blobs'), workDir: work.path, cacheDir: cacheFolder(), report, signal };
  const plan: BuildPlan = planBuild(settings, await collectFacts(settings, process.env, access));
  return { text: renderPlan(plan), json: plan };
}

export async function readSettings(jar: string | undefined, flags: BuildFlags): Promise<Settings> {
  return await loadSettings({
    configFile: flags.config,
    flags: settingsFromFlags(jar, flags),
    cwd: process.cwd(),
  });
}
