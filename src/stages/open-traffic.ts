import { CTL } from '../criu/control.ts';
import { askJitFacts } from '../criu/jit-facts.ts';
import type { Container } from '../engine/engine.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { Stage } from '../report/event.ts';
import { openPools } from '../warm-up/open-pools.ts';
import { openScripts } from '../warm-up/open-scripts.ts';
import { runCommand } from '../warm-up/run-command.ts';
import { runJavaClass } from '../warm-up/run-java-class.ts';
import { readSentFiles, type Traffic } from '../warm-up/run-scenario.ts';
import type { Scenario } from '../warm-up/scenario.ts';
import type { World } from '../world.ts';

export interface TrafficOptions {
  readonly stage: Stage;
  /** "UID:GID" inside the container. */
  readonly user: string;
  /** At most so many to a port; undefined: as many as are needed. */
  readonly connections: number | undefined;
  readonly onSample: Traffic['onSample'];
}

/** All that `scenarios` need to run; disposing ends every connection and script. */
export async function openTraffic(
  { warmUp }: Pick<BuildPlan, 'warmUp'>,
  container: Container,
  scenarios: readonly Scenario[],
  { stage, user, connections, onSample }: TrafficOptions,
  { report, workDir }: Pick<World, 'report' | 'workDir'>,
): Promise<Traffic & AsyncDisposable> {
  const files = await readSentFiles(scenarios);
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  const scripts = await openScripts(
    scenarios.filter((scenario) => scenario.kind === 'script'),
    {
      seed: warmUp.seed,
      endpoint: (port) => container.endpoint(port),
      askJvm: async (signal) => (await askJitFacts(container, { uid, gid }, 0, signal)).at(-1),
      log: ({ name }, text) => report({ type: 'stage-progress', stage, text: `${name}: ${text}` }),
    },
    workDir,
  );
  try {
    const pools = await openPools(container, scenarios, warmUp.connection, connections);
    return {
      pools,
      files,
      onSample,
      pending: new Set(),
      runOther: async (scenario, who, n, traffic, signal) => {
        if (scenario.kind === 'script') return await scripts.run(scenario, who, n, traffic, signal);
        if (scenario.kind === 'java') {
          const call = (name: string, stop: AbortSignal) => container.exec([CTL, 'call', name], { user, signal: stop });
          return await runJavaClass(scenario, call, traffic, signal);
        }
        const exec = (argv: readonly string[], stop: AbortSignal) => container.exec(argv, { user, signal: stop });
        return await runCommand(scenario, exec, traffic, signal);
      },
      [Symbol.asyncDispose]: async () => {
        await scripts[Symbol.asyncDispose]();
        await pools[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await scripts[Symbol.asyncDispose]();
    throw error;
  }
}
