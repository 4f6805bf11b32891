import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Container, ContainerExit } from '../src/engine/engine.ts';
import { type BuildPlan, isServer } from '../src/plan/build-plan.ts';
import { withoutServices } from '../src/stages/services.ts';
import { warmUpApp } from '../src/stages/warm-up.ts';
import { waitForProbe } from '../src/warm-up/wait-for-probe.ts';
import type { World } from '../src/world.ts';

export interface WarmedApp extends AsyncDisposable {
  readonly pid: number;
}

export interface Launch {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Takes what the app prints. */
  readonly log: string;
}

/** Starts the app in the surroundings of this process, and warms it up as a build does. It ends when it is disposed of. */
export async function launchWarmedApp(plan: BuildPlan, { argv, environment, log }: Launch): Promise<WarmedApp> {
  if (!isServer(plan)) throw new Error('only an app that answers requests can be measured');
  const [command = '', ...args] = argv;
  const output = openSync(log, 'w');
  const app = spawn(command, args, { env: environment, stdio: ['ignore', output, output], detached: true });
  const exited = new Promise<ContainerExit>((resolve) => {
    app.on('exit', (code, signal) => resolve({ exitCode: code ?? (signal === 'SIGKILL' ? 137 : 128) }));
  });
  const dispose = async () => {
    if (app.exitCode === null && app.signalCode === null) app.kill('SIGKILL');
    await exited;
  };
  /** As much of a container as readiness and warm-up need. */
  const container = {
    exited,
    endpoint: async (port: number) => ({ host: '127.0.0.1', port }),
    lastLines: async () => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20),
  } as unknown as Container;
  const { signal } = new AbortController();
  try {
    const patience = { timeoutMs: 60_000, intervalMs: 25, user: '0:0' };
    const response = await waitForProbe(container, plan.verify.answer, patience, signal);
    if (response.outcome !== 'ready') throw new Error(`the app did not become ready: ${response.outcome}`);
    const world = { report: () => {}, signal, workDir: dirname(log) } as unknown as World;
    await warmUpApp(
      plan,
      { container, services: withoutServices('host'), [Symbol.asyncDispose]: async () => {} },
      world,
    );
    return { pid: app.pid ?? 0, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
