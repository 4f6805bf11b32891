import { composeNaiveArgv, planLadder } from '../../../bench/size-ladder.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { STEP_NAMES } from '../../../src/steps.ts';
import { jarSource } from '../../support/sample-plan.ts';

test('the ladder goes from nothing by the collection alone to every step, one more each time', () => {
  const ladder = planLadder();
  expect(ladder.slice(0, 3).map(({ name }) => name)).toEqual(['naive dump', 'collect', 'JVM options']);
  expect(ladder[0]?.skip).toEqual(STEP_NAMES);
  expect(ladder[1]?.skip).toEqual(STEP_NAMES.filter((name) => name !== 'collect'));
  expect(ladder[2]?.skip).toEqual(ladder[1]?.skip);
  for (const [index, { name, skip }] of ladder.entries())
    if (index > 2) expect(ladder[index - 1]?.skip.filter((step) => !skip.includes(step))).toEqual([name]);
  expect(ladder.at(-1)?.skip).toEqual([]);
  expect(ladder.map(({ hasOptions }) => hasOptions)).toEqual([false, false, ...STEP_NAMES.map(() => true)]);
});

test('a naive JVM has the agent and the options of the user, and none that only makes it small', () => {
  const relocation = '-XX:ArchiveRelocationMode=0';
  const [added, own] = [['-Xmx64m'], ['-Xmx64m', relocation]].map((javaOptions) =>
    planBuild(
      { app: { jar: 'app.jar', javaOptions } },
      { source: jarSource('/app.jar'), jdk: { path: '/jdk', javaVersion: 25, hotSpot: true } },
    ),
  ) as [BuildPlan, BuildPlan];
  expect(added.command.argv).toContain(relocation);
  expect(composeNaiveArgv(added)).not.toContain(relocation);
  expect(composeNaiveArgv(own)).toContain(relocation);
  const kept = ['-agentpath:/opt/crac/libcrac.so', '-XX:+PerfDisableSharedMem', '-Xmx64m', '-jar', '/app/app.jar'];
  for (const plan of [added, own]) expect(composeNaiveArgv(plan)).toEqual(expect.arrayContaining(kept));
});
