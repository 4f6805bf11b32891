/** The rule that ends a warm-up, on real JVMs: the stage itself, with a container that is a process of this machine. */

import type { Settings } from '../../src/config/settings.ts';
import type { Container, ExecResult } from '../../src/engine/engine.ts';
import { planBuild } from '../../src/plan/plan-build.ts';
import { withoutServices } from '../../src/stages/services.ts';
import { warmUpApp } from '../../src/stages/warm-up.ts';
import { openFakeEngine } from '../support/fake-engine.ts';
import { fakeWorld } from '../support/fake-world.ts';
import { SAMPLE_FACTS } from '../support/sample-plan.ts';
import { agent, buildRuntime, ctl, JDKS, launchJvm } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

async function openServer(home: string, ...args: readonly string[]) {
  const jvm = launchJvm(home, 'Server', { options: [agent, '-XX:+PerfDisableSharedMem'], args });
  const port = Number(/\d+$/.exec(await jvm.line(/^listens on/))?.[0]);
  const container = {
    exec: async ([, ...words]: readonly string[]): Promise<ExecResult> => {
      const { status, stdout } = await ctl([...words, '--pid', String(jvm.pid)]);
      return { exitCode: status, stdout, stderr: '' };
    },
    endpoint: async () => ({ host: '127.0.0.1', port }),
    lastLines: async () => jvm.lines,
    exited: new Promise(() => {}),
  } as unknown as Container;
  return {
    async warmUp(settings: NonNullable<Settings['warmUp']>) {
      const world = fakeWorld(openFakeEngine());
      const plan = planBuild({ warmUp: { max: { duration: 45_000 }, ...settings } }, SAMPLE_FACTS);
      const report = await warmUpApp(
        plan,
        { container, services: withoutServices('isolated'), [Symbol.asyncDispose]: async () => {} },
        world,
      );
      const texts = world.events.flatMap((event) => (event.type === 'stage-progress' ? [event.text] : []));
      return { report, texts };
    },
    [Symbol.asyncDispose]: () => jvm[Symbol.asyncDispose](),
  };
}

const [[, oldest] = [], , [, newest] = []] = JDKS;

test('work that changes late is waited for until it has settled again; then there is nothing to wait for but min', async () => {
  const changeMs = 6000;
  await using server = await openServer(newest ?? '', String(changeMs));
  const { report, texts } = await server.warmUp({ requests: [{ path: '/work' }] });
  const { stopped, durationMs, curve } = report;
  expect(stopped.reason).toBe('settled');
  expect(durationMs).toBeGreaterThan(changeMs + 3000);
  const compiledIn = (fromMs: number, toMs: number) =>
    curve.jit.compilations
      .slice(Math.floor(fromMs / curve.widthMs), Math.ceil(toMs / curve.widthMs))
      .reduce<number>((sum, count) => sum + (count ?? 0), 0);
  // The new work was compiled, and that was over when it ended.
  expect(compiledIn(changeMs, durationMs)).toBeGreaterThan(100);
  expect(compiledIn(durationMs - 2000, durationMs)).toBeLessThan(compiledIn(changeMs, durationMs) / 4);
  expect(texts.join('\n')).toMatch(/methods a second were being compiled|waiting to be compiled|the compilers used/);

  const again = await server.warmUp({ requests: [{ path: '/work' }] });
  expect(again.report.stopped.reason).toBe('settled');
  expect(again.report.durationMs).toBeGreaterThanOrEqual(5000);
  expect(again.report.durationMs).toBeLessThan(12_000);
}, 90_000);

test('an endpoint that is asked late is waited for, too', async () => {
  await using server = await openServer(oldest ?? '');
  const { report } = await server.warmUp({
    scenarios: [
      { steps: [{ path: '/idle' }] },
      { name: 'late', steps: [{ path: '/idle', think: 5000 }, { path: '/work' }] },
    ],
    concurrency: 2,
    min: { duration: 1000 },
  });
  expect(report.stopped.reason).toBe('settled');
  expect(report.durationMs).toBeGreaterThan(5000 + 3000);
}, 60_000);
