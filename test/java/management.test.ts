import { agent, buildRuntime, JDKS, launchJvm, prepare, simulateRestore, status, waitFor } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

test.each(JDKS)('JDK %d: CRaCMXBean is a bean of the platform, and tells of the restore', async (_, home) => {
  // the second request comes when nobody is there any more
  const env = { CRAC_CHECKPOINT_TIMEOUT: '2' };
  await using jvm = launchJvm(home, 'Management', { options: [agent, '-Xcheck:jni'], env });
  await jvm.line(/^before -1 -1$/);
  expect(jvm.lines).toEqual([
    'registered true',
    'named jdk.management:type=CRaC',
    'interface true',
    'operation void checkpointRestore',
    expect.stringMatching(/^attributes \[.*long RestoreTime, long UptimeSinceRestore\]$/),
    'before -1 -1',
  ]);
  await waitFor(() => status(jvm.pid), 'waiting');
  simulateRestore(await prepare(jvm.pid), { env });
  expect(await jvm.line(/^restored/)).toBe('restored true');
  expect(await jvm.line(/^uptime/)).toBe('uptime true');
  expect(await jvm.line(/^type/)).toBe('type true');
  expect(await jvm.line(/^refused/)).toMatch(/^refused nobody came to take the checkpoint within 2 s/);
  expect(await jvm.exited).toBe(0);
});

const [[, home]] = JDKS as [readonly [number, string]];

test('an app without java.management starts, and has jdk.crac all the same', async () => {
  const options = [agent, '-Xcheck:jni', '--limit-modules', 'java.base'];
  await using jvm = launchJvm(home, 'Restorable', { options });
  await jvm.line(/^ready$/);
  const ready = await prepare(jvm.pid);
  simulateRestore(ready);
  await jvm.line(/^after second/);
  expect(jvm.lines.join('\n')).not.toMatch(/warning/i);
});
