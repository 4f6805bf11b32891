/** What makes a checkpoint small: a closed list of steps, each of which can be left out (`checkpoint.skip`, `--skip-step`). */

/** Inside the JVM, in this order; the agent knows the same names. */
const JVM_STEPS = {
  'jit-idle': 'waits until the JIT compilers rest',
  collect: 'collects the whole Java heap twice',
  arenas: 'waits, as long as `checkpoint.settle` says, until HotSpot has given back the memory that its compilers used',
  histogram: 'counts the objects of each class, for `crac-build inspect`',
  'free-heap':
    'gives the free part of the Java heap back to the kernel, while the second of these collections has stopped all threads',
  trim: "gives malloc's free memory back to the kernel",
} as const;

/** In the compile step, as far as it is up to the dump alone. */
const COMPILE_STEPS = {
  'zero-pages': 'leaves out pages that are all zero',
  'file-pages': 'leaves out pages that equal the file they are mapped from',
  'dead-stacks': "leaves out what lies below the threads' stack pointers",
  'heap-pages': 'leaves out the free part of the Java heap, as the dump tells it',
  'code-pages': 'leaves out the free part of the code cache, as the dump tells it',
  'arena-pages': 'leaves out what HotSpot keeps for the next arenas of its compilers, as the dump tells it',
  'metaspace-pages': 'leaves out the free part of metaspace, as the dump tells it',
  'malloc-pages': "leaves out malloc's free memory, as the dump tells it",
  duplicates: 'leaves out most of many equal pages in a row',
} as const;

/** Name → what it does, as part of a sentence. */
export const STEPS = { ...JVM_STEPS, ...COMPILE_STEPS };

export type StepName = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as readonly StepName[];

/** The free heap is dropped while a collection has stopped the JVM, and what lives is known after one only. */
const NEEDS: Readonly<Partial<Record<StepName, StepName>>> = { 'free-heap': 'collect', histogram: 'collect' };

/** In the list's order, with those that cannot do their work without one of `names`. */
export function withDependentSteps(names: readonly StepName[]): readonly StepName[] {
  return STEP_NAMES.filter((name) => {
    const needed = NEEDS[name];
    return names.includes(name) || (needed !== undefined && names.includes(needed));
  });
}

/** What of `names` is to be left out inside the JVM. */
export function jvmStepsOf(names: readonly StepName[]): readonly StepName[] {
  return names.filter((name) => name in JVM_STEPS);
}
