import type { BuildPlan } from '../src/plan/build-plan.ts';
import { jvmStepsOf, STEP_NAMES, type StepName } from '../src/steps.ts';

/** One row of the table: with its step and all before it. */
export interface Rung {
  readonly name: string;
  readonly skip: readonly StepName[];
  /** Whether the JVM has the options by which crac-build makes it small. */
  readonly hasOptions: boolean;
}

/** What most do who do anything. */
const FIRST: StepName = 'collect';
/** Without these there is no dump, or nobody to ask for it. */
const NEEDED = /^-agentpath:|^-XX:\+PerfDisableSharedMem$|^-XX:CompileCommand=|^-D/;

/** From a naive dump over one that only the collector has prepared to all that there is, those of the JVM first. */
export function planLadder(): readonly Rung[] {
  const inJvm = jvmStepsOf(STEP_NAMES).filter((name) => name !== FIRST);
  const offline = STEP_NAMES.filter((name) => name !== FIRST && !inJvm.includes(name));
  const order = [FIRST, ...inJvm, ...offline];
  const skippedAfter = (count: number) => STEP_NAMES.filter((name) => !order.slice(0, count).includes(name));
  return [
    { name: 'naive dump', skip: skippedAfter(0), hasOptions: false },
    { name: FIRST, skip: skippedAfter(1), hasOptions: false },
    { name: 'JVM options', skip: skippedAfter(1), hasOptions: true },
    ...order.slice(1).map((name, index) => ({ name, skip: skippedAfter(index + 2), hasOptions: true })),
  ];
}

/** The JVM's command line, without what crac-build adds only to make it small. */
export function composeNaiveArgv({ command, addedJavaOptions }: BuildPlan): readonly string[] {
  const small = addedJavaOptions.map(({ option }) => option).filter((option) => !NEEDED.test(option));
  return command.argv.filter((word, index) => index >= command.jvmOptionIndex || !small.includes(word));
}
