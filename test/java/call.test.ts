import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agent, buildRuntime, ctl, JDK_17, JDKS, type Jvm, launchJvm, openFiles, prepare } from './jvm.ts';

let own: string;
beforeAll(() => {
  buildRuntime();
  own = mkdtempSync(join(tmpdir(), 'crac-call-'));
  const text =
    'package own; public class Hidden { public static void main(String[] a) { System.out.println("hidden " + Thread.currentThread().getContextClassLoader().getName()); } }';
  writeFileSync(join(own, 'Hidden.java'), text);
  execFileSync(join(JDK_17, 'bin/javac'), ['--release', '17', '-d', own, join(own, 'Hidden.java')]);
}, 60_000);
afterAll(() => rmSync(own, { recursive: true, force: true }));

const OPTIONS = [agent, '-Xcheck:jni', '-XX:+PerfDisableSharedMem'];
const call = (jvm: Jvm, name: string) => ctl(['call', name, '--pid', String(jvm.pid)]);

describe.each(JDKS)('a class of the app is called, on JDK %d', (_, home) => {
  test('its main or its run, as often as is asked; the app can be checkpointed afterwards', async () => {
    await using jvm = launchJvm(home, 'Called', { options: OPTIONS });
    await jvm.line(/^ready$/);
    const sockets = () => openFiles(jvm.pid).filter((name) => name.startsWith('socket:'));
    const before = sockets();
    for (const n of [1, 2]) {
      const { status, json } = await call(jvm, 'Called$Warm');
      expect({ status, json }).toEqual({ status: 0, json: { called: 'Called$Warm', ms: expect.any(Number) } });
      await jvm.line(new RegExp(`^called ${n} 0 crac call$`));
    }
    expect((await call(jvm, 'Called$Task')).status).toBe(0);
    await jvm.line(/^ran$/);
    await prepare(jvm.pid);
    /** Its standard streams are some; the one on which `ctl` is awaited is closed for the dump. */
    expect(before).toEqual(expect.arrayContaining(sockets()));
    expect(sockets()).toHaveLength(before.length - 1);
    expect(jvm.lines.join('\n')).not.toMatch(/WARNING|Exception/);
  });

  test('what it throws is told, with its stack, and the app goes on', async () => {
    await using jvm = launchJvm(home, 'Called', { options: OPTIONS });
    await jvm.line(/^ready$/);
    const failed = await call(jvm, 'Called$Failing');
    expect(failed.status).toBe(1);
    expect(failed.json).toMatchObject({ error: 'the class Called$Failing threw java.lang.Exception: no "tea"' });
    expect(failed.json.details).toEqual([
      expect.stringMatching(/^ {2}at Called\$Failing\.main\(Called\.java:\d+\)$/),
      'Caused by: java.lang.IllegalStateException: too cold',
      expect.stringMatching(/^ {2}at Called\$Failing\.check\(Called\.java:\d+\)$/),
      expect.stringMatching(/^ {2}at Called\$Failing\.main\(Called\.java:\d+\)$/),
      expect.stringMatching(/^ {2}\.\.\. \d+ more$/),
    ]);
    const broken = await call(jvm, 'Called$Broken');
    expect(broken.json.error).toBe('the class Called$Broken threw java.lang.ExceptionInInitializerError');
    expect(broken.json.details).toContain('Caused by: java.lang.NumberFormatException: For input string: "x"');
    expect((await call(jvm, 'Called$Neither')).json).toEqual({
      error: 'the class Called$Neither has no public static void main(String[]), and is no Runnable',
      details: [],
    });
    expect((await call(jvm, 'gone.Gone')).json.error).toBe('there is no class gone.Gone in the app');
    expect((await call(jvm, 'Called$Warm')).status).toBe(0);
    expect(jvm.lines.join('\n')).not.toMatch(/WARNING|Exception/);
  });

  test.each([
    ['the thread main', [] as string[]],
    ['another thread, as main has ended', ['leave']],
  ])('the class loader of %s is looked into, as Spring Boot’s jars need it', async (_, more) => {
    await using jvm = launchJvm(home, 'Called', { options: OPTIONS, args: [own, ...more] });
    await jvm.line(/^ready$/);
    expect((await call(jvm, 'own.Hidden')).status).toBe(0);
    await jvm.line(/^hidden own$/);
  });
});

test('only names of classes are sent', async () => {
  for (const name of ['a b', 'a/b', 'x\ny', 'x'.repeat(256)]) expect((await ctl(['call', name])).status).toBe(2);
  expect((await ctl(['call'])).status).toBe(2);
});
