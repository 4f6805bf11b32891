import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from '../engine/engine.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { Stage } from '../report/event.ts';
import { renderSource } from '../warm-up/service.ts';
import type { World } from '../world.ts';
import { launchService, type Neighbourhood, type RunningService, serviceEnded } from './launch-service.ts';

/** What the app needs, beside it, in all of its starts. */
export interface RunningServices extends AsyncDisposable {
  readonly neighbourhood: Neighbourhood;
  /** Does something that needs them: SERVICE_FAILED as soon as one has ended. */
  guard<W extends Pick<World, 'signal'>, T>(world: W, act: (guarded: W) => Promise<T>): Promise<T>;
  /** Ends them all. The network stays until this is disposed of, for the app is still in it. */
  end(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is wrong with an answer may come from a service that is just about to end. */
const EXIT_GRACE_MS = 500;
/** Starts what the plan names, one after the other, each healthy before the next. SERVICE_FAILED otherwise; then all are gone. */
export async function launchServices(
  plan: Pick<BuildPlan, 'name' | 'network' | 'services'>,
  stage: Stage,
  world: Pick<World, 'engine' | 'report' | 'signal'>,
): Promise<RunningServices> {
  const { services } = plan;
  if (services.length === 0) return withoutServices(plan.network);
  const id = `crac-build-${plan.name}-services-${randomBytes(4).toString('hex')}`;
  const network = plan.network === 'host' ? undefined : await world.engine.openNetwork(id, world.signal);
  const names = services.map(({ name }) => name);
  const neighbourhood: Neighbourhood = {
    network: network ?? 'host',
    ...(network?.isOneLoopback !== false && { localNames: names }),
  };
  const running = openRunning(neighbourhood, network);
  try {
    for (const service of services) {
      world.report({
        type: 'stage-progress',
        stage,
        text: `starting ${service.name}: ${renderSource(service.source)}`,
      });
      await running.guard(world, async (guarded) => {
        running.add(await launchService(service, `${id}-${service.name}`, neighbourhood, guarded));
      });
    }
    return running;
  } catch (error) {
    await running[Symbol.asyncDispose]().catch(() => undefined); // the first error says more
    throw error;
  }
}

export function withoutServices(network: BuildPlan['network']): RunningServices {
  return {
    neighbourhood: { network },
    guard: (world, act) => act(world),
    end: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function openRunning(neighbourhood: Neighbourhood, network: Network | undefined) {
  const all: RunningService[] = [];
  const alarm = new AbortController();
  let failed: { readonly running: RunningService; readonly exitCode: number } | undefined;
  let isOver = false;

  async function end(): Promise<void> {
    isOver = true;
    const ends = await Promise.allSettled(all.splice(0).map((one) => one.release()));
    const broken = ends.find((result) => result.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }

  return {
    neighbourhood,
    add(running: RunningService): void {
      all.push(running);
      const tell = (exitCode: number) => {
        if (isOver) return;
        failed ??= { running, exitCode };
        alarm.abort();
      };
      running.probed.exited.then(
        (exit) => tell(exit.exitCode),
        () => undefined, // the engine's own trouble shows elsewhere
      );
    },
    async guard<W extends Pick<World, 'signal'>, T>(world: W, act: (guarded: W) => Promise<T>): Promise<T> {
      try {
        return await act({ ...world, signal: AbortSignal.any([world.signal, alarm.signal]) });
      } catch (error) {
        if (world.signal.aborted) throw error;
        if (failed === undefined && all.length > 0)
          await sleep(EXIT_GRACE_MS, undefined, { signal: alarm.signal }).catch(() => undefined);
        if (failed === undefined) throw error;
        throw await serviceEnded(failed.running, failed.exitCode, 'while the app needed it');
      }
    },
    end,
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        await end();
      } finally {
        await network?.[Symbol.asyncDispose]();
      }
    },
  };
}
