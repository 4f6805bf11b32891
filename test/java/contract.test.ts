import { agent, buildRuntime, JDKS, launchJvm, native } from './jvm.ts';

// nobody takes these checkpoints: both phases run, and the caller is told
const env = { CRAC_CHECKPOINT_TIMEOUT: '0' };
const NOBODY =
  'jdk.crac.CheckpointException: nobody came to take the checkpoint within 0 s (CRAC_CHECKPOINT_TIMEOUT); `ctl checkpoint` takes it';
const RECURSIVE = [
  'jdk.crac.CheckpointException: null',
  '  java.lang.IllegalStateException: another checkpoint is running',
];

const SCENARIOS = [
  ...['order', 'again', 'failures', 'message', 'error', 'weak', 'between', 'registering', 'second', 'recursion'],
  ...['contexts', 'equal', 'null', 'runtime', 'other class', 'deep', 'interrupted after', 'error after', 'threads'],
  'shape',
] as const;
type Scenario = (typeof SCENARIOS)[number];

beforeAll(buildRuntime, 60_000);

/** All scenarios in one JVM: what each has said. */
async function runScenarios(home: string): Promise<ReadonlyMap<string, readonly string[]>> {
  await using jvm = launchJvm(home, 'Contract', { options: [agent, '-Xcheck:jni'], args: SCENARIOS, env });
  expect(await jvm.exited).toBe(0);
  const sections = jvm.lines.join('\n').split(/^== /m).slice(1);
  return new Map(sections.map((text) => text.trimEnd().split('\n')).map(([name = '', ...lines]) => [name, lines]));
}

describe.each(JDKS)('jdk.crac on JDK %d', (_, home) => {
  let told: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    told = await runScenarios(home);
  });
  const tell = (scenario: Scenario) => told.get(scenario);

  test('notifies before a checkpoint in reverse order of registration, after it in order; contexts nest', () => {
    const before = ['before b', 'before nested in global: true', 'before c', 'before d', 'before a'];
    const after = ['after a', 'after nested', 'after c', 'after d', 'after b'];
    expect(tell('order')).toEqual([...before, ...after, NOBODY]);
  });

  test('who registers again moves to the end', () => {
    expect(tell('again')).toEqual(['before a', 'before b', 'after b', 'after a', NOBODY]);
  });

  test('all are notified though some fail; exceptions of both phases are flattened into one', () => {
    expect(tell('failures')).toEqual([
      ...['before b', 'before nested in global: true', 'before c', 'before d', 'before a'],
      ...['after a', 'after nested', 'after c', 'after d', 'after b'],
      'jdk.crac.CheckpointException: null',
      '  java.lang.InterruptedException: b before',
      '  java.lang.IllegalArgumentException: c before',
      '  java.io.IOException: d before',
      '  java.io.IOException: a before',
      '  java.io.IOException: a after',
      '  java.io.IOException: d after',
      'interrupted: true',
    ]);
  });

  test('a CheckpointException that carries nothing is kept itself', () => {
    expect(tell('message')?.slice(-2)).toEqual([
      'jdk.crac.CheckpointException: null',
      '  jdk.crac.CheckpointException: in one sentence',
    ]);
  });

  test('flattening takes apart what a context throws, not what that carries', () => {
    expect(tell('deep')?.slice(-3)).toEqual([
      'jdk.crac.CheckpointException: null',
      '  jdk.crac.CheckpointException: null',
      '  java.io.IOException: b',
    ]);
  });

  test('an exception of the other phase’s class is not taken apart', () => {
    expect(tell('other class')?.slice(-2)).toEqual([
      'jdk.crac.CheckpointException: null',
      '  jdk.crac.RestoreException: foreign',
    ]);
  });

  test('unchecked exceptions are collected like the others, and the next attempt is possible', () => {
    const once = [
      ...['before a', 'after a', 'jdk.crac.CheckpointException: null'],
      '  java.lang.IllegalStateException: a before',
      '  java.lang.RuntimeException: a after',
    ];
    expect(tell('runtime')).toEqual([...once, ...once]);
  });

  test('an Error is not collected, all are notified nevertheless, and the next attempt is possible', () => {
    const once = ['before c', 'before b', 'before a', 'after a', 'after b', 'after c'];
    const thrown = ['java.lang.AssertionError: b', '  java.io.IOException: c before'];
    expect(tell('error')?.slice(0, 8)).toEqual([...once, ...thrown]);
    expect(tell('error')?.slice(8, 15)).toEqual([...once, 'java.lang.AssertionError: b']);
  });

  test('what is thrown when the app goes on after a refusal is told too, an Error and an interruption as well', () => {
    expect(tell('error after')).toEqual([
      ...['before b', 'before a', 'after a', 'after b', NOBODY],
      '  java.lang.AssertionError: a after',
    ]);
    expect(tell('interrupted after')).toEqual([
      ...['before a', 'after a', NOBODY, '  java.lang.InterruptedException: a after', 'interrupted: true'],
    ]);
  });

  test('resources are not kept alive, but are between the phases', () => {
    expect(tell('weak')).toEqual(['before kept', 'after kept', NOBODY]);
    expect(tell('between')).toEqual(['before a', 'after a', NOBODY]);
  });

  test('resources that are equal are two', () => {
    expect(tell('equal')).toEqual(['before', 'before', 'after', 'after', NOBODY]);
  });

  test('null is no resource', () => {
    expect(tell('null')).toEqual(['resource', NOBODY]);
  });

  test('the thread that asks notifies, and names the global context', () => {
    expect(tell('contexts')).toEqual(['before in the caller: true', 'after in the caller: true', NOBODY]);
  });

  test('registering during notification neither hangs nor is it notified this time', () => {
    expect(tell('registering')).toEqual([
      ...['before b', 'before a', 'after a', 'after b', NOBODY],
      ...['before late', 'before b', 'before a', 'after a', 'after b', 'after late', NOBODY],
    ]);
  });

  test('many threads may register while a checkpoint is on its way', () => {
    expect(tell('threads')?.at(-1)).toBe('notified 400');
  });

  test('a second request while one runs fails with IllegalStateException, from another thread or a resource', () => {
    expect(tell('second')).toEqual(['before a', ...RECURSIVE, 'after a', NOBODY]);
    expect(tell('recursion')).toEqual(['before a', ...RECURSIVE, 'after a', ...RECURSIVE, NOBODY]);
  });

  test('other code finds what it was compiled for', () => {
    expect(tell('shape')).toEqual(SHAPE);
  });
});

const [[, home]] = JDKS as [readonly [number, string]];

describe('where nobody takes a checkpoint', () => {
  async function ask(options: readonly string[]): Promise<readonly string[]> {
    await using jvm = launchJvm(home, 'Contract', { options, args: ['plain'] });
    await jvm.exited;
    return jvm.lines.slice(1);
  }

  test('a request is not supported, at once, and nothing is notified', async () => {
    expect(await ask([`${agent}=off`])).toEqual([
      'java.lang.UnsupportedOperationException: this JVM was not started for a checkpoint',
    ]);
  });

  test('nor is it where the agent is missing', async () => {
    expect(await ask([`-Xbootclasspath/a:${native}/crac.jar`, '-Xshare:auto', '-Xlog:disable'])).toEqual([
      'java.lang.UnsupportedOperationException: this JVM was started without libcrac.so',
    ]);
  });
});

const notifies = (type: string, thrown: (phase: string) => string) =>
  [
    ['afterRestore', 'RestoreException'],
    ['beforeCheckpoint', 'CheckpointException'],
  ].map(
    ([method = '', phase = '']) =>
      `  public abstract void jdk.crac.${type}.${method}(jdk.crac.Context<? extends jdk.crac.Resource>) throws ${thrown(phase)}`,
  );

/** The public and protected members that jdk.crac has in a JDK with CRaC. */
const SHAPE = [
  'public final class jdk.crac.Core extends java.lang.Object',
  '  public static jdk.crac.Context<jdk.crac.Resource> jdk.crac.Core.getGlobalContext()',
  '  public static void jdk.crac.Core.checkpointRestore() throws jdk.crac.CheckpointException,jdk.crac.RestoreException',
  'public abstract class jdk.crac.Context<R extends jdk.crac.Resource> extends java.lang.Object',
  '  protected jdk.crac.Context()',
  ...notifies('Context', (phase) => `jdk.crac.${phase}`),
  '  public abstract void jdk.crac.Context.register(R)',
  'public abstract interface jdk.crac.Resource',
  ...notifies('Resource', () => 'java.lang.Exception'),
  ...['CheckpointException', 'RestoreException'].flatMap((name) => [
    `public class jdk.crac.${name} extends java.lang.Exception`,
    `  public jdk.crac.${name}()`,
    `  public jdk.crac.${name}(java.lang.String)`,
  ]),
  'public abstract interface jdk.crac.management.CRaCMXBean',
  '  public abstract long jdk.crac.management.CRaCMXBean.getRestoreTime()',
  '  public abstract long jdk.crac.management.CRaCMXBean.getUptimeSinceRestore()',
  '  public abstract void jdk.crac.management.CRaCMXBean.checkpointRestore() throws jdk.crac.CheckpointException,jdk.crac.RestoreException',
  '  public static final java.lang.String jdk.crac.management.CRaCMXBean.CRAC_MXBEAN_NAME',
  '  public static jdk.crac.management.CRaCMXBean jdk.crac.management.CRaCMXBean.getCRaCMXBean()',
];
