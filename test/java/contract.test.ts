import { agent, buildRuntime, JDKS, launchJvm, native } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

// nobody takes these checkpoints: both phases run, and the caller is told
const env = { CRAC_CHECKPOINT_TIMEOUT: '0' };
const NOBODY =
  'jdk.crac.CheckpointException: nobody came to take the checkpoint within 0 s (CRAC_CHECKPOINT_TIMEOUT); `ctl checkpoint` takes it';

async function tell(home: string, scenario: string, options: readonly string[] = [agent]): Promise<readonly string[]> {
  await using jvm = launchJvm(home, 'Contract', { options, args: [scenario], env });
  await jvm.exited;
  return jvm.lines;
}

describe.each(JDKS)('jdk.crac on JDK %d', (_, home) => {
  test('before in reverse order, after in order, contexts nested', async () => {
    const before = ['before b', 'before nested in global: true', 'before c', 'before d', 'before a'];
    expect(await tell(home, 'order')).toEqual([
      ...before,
      'after a',
      'after nested',
      'after c',
      'after d',
      'after b',
      NOBODY,
    ]);
  });

  test('who registers again moves to the end', async () => {
    expect(await tell(home, 'again')).toEqual(['before a', 'before b', 'after b', 'after a', NOBODY]);
  });

  test('all are notified though some fail; exceptions of both phases are flattened into one', async () => {
    expect(await tell(home, 'failures')).toEqual([
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

  test('a CheckpointException that carries nothing is kept itself', async () => {
    const lines = await tell(home, 'message');
    expect(lines.slice(-2)).toEqual([
      'jdk.crac.CheckpointException: null',
      '  jdk.crac.CheckpointException: in one sentence',
    ]);
  });

  test('an Error is not collected, all are notified nevertheless, and the next attempt is possible', async () => {
    const once = ['before c', 'before b', 'before a', 'after a', 'after b', 'after c'];
    const thrown = ['java.lang.AssertionError: b', '  java.io.IOException: c before'];
    const lines = await tell(home, 'error');
    expect(lines.slice(0, 8)).toEqual([...once, ...thrown]);
    expect(lines.slice(8, 15)).toEqual([...once, 'java.lang.AssertionError: b']);
  });

  test('resources are not kept alive, but are between the phases', async () => {
    expect(await tell(home, 'weak')).toEqual(['before kept', 'after kept', NOBODY]);
    expect(await tell(home, 'between')).toEqual(['before a', 'after a', NOBODY]);
  });

  test('registering during notification neither hangs nor is it notified this time', async () => {
    expect(await tell(home, 'registering')).toEqual([
      ...['before b', 'before a', 'after a', 'after b', NOBODY],
      ...['before late', 'before b', 'before a', 'after a', 'after b', 'after late', NOBODY],
    ]);
  });

  test('a second request while one runs fails with IllegalStateException', async () => {
    expect(await tell(home, 'second')).toEqual([
      'before a',
      'jdk.crac.CheckpointException: null',
      '  java.lang.IllegalStateException: another checkpoint is running',
      'after a',
      NOBODY,
    ]);
  });

  test('without a configured runtime nothing is notified', async () => {
    expect(await tell(home, 'plain', [`${agent}=off`])).toEqual([
      'java.lang.UnsupportedOperationException: this JVM was not started for a checkpoint',
    ]);
    expect(
      await tell(home, 'plain', [`-Xbootclasspath/a:${native}/crac.jar`, '-Xshare:auto', '-Xlog:disable']),
    ).toEqual(['java.lang.UnsupportedOperationException: this JVM was started without libcrac.so']);
  });
});
