import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleScript } from './bundle-script.ts';
import type { Traffic, User } from './run-scenario.ts';
import type { ScriptScenario } from './scenario.ts';
import { BUNDLE_NAME } from './script-failed.ts';
import { type Outside, openScriptThread, type ScriptThread } from './script-thread.ts';

export interface Scripts extends AsyncDisposable {
  readonly run: (
    scenario: ScriptScenario,
    user: User,
    n: number,
    traffic: Traffic,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** A thread for each scenario. Disposing ends them, with every connection that they have opened. What they are made into lies below `workDir` meanwhile. */
export async function openScripts(
  scenarios: readonly ScriptScenario[],
  outside: Outside,
  workDir: string,
): Promise<Scripts> {
  if (scenarios.length === 0) return { run: unknownScript, [Symbol.asyncDispose]: async () => {} };
  const folder = await mkdtemp(join(workDir, 'scripts-'));
  const threads = new Map<ScriptScenario, ScriptThread>();
  const dispose = async () => {
    await Promise.all([...threads.values()].map((thread) => thread[Symbol.asyncDispose]()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const [index, scenario] of scenarios.entries()) {
      const file = join(folder, `${index}-${BUNDLE_NAME}`);
      await writeFile(file, await bundleScript(scenario.path, file));
      threads.set(scenario, openScriptThread(scenario, file, outside));
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  const run: Scripts['run'] = async (scenario, ...rest) => {
    const thread = threads.get(scenario);
    if (thread === undefined) return await unknownScript(scenario);
    await thread.run(...rest);
  };
  return { run, [Symbol.asyncDispose]: dispose };
}

async function unknownScript({ path }: ScriptScenario): Promise<never> {
  throw new Error(`the script ${path} was not opened`);
}
