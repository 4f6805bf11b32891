import { planAddedJavaOptions } from '../../src/plan/added-java-options.ts';
import { agent, buildRuntime, ctl, JDKS, launchJvm, prepare, simulateRestore, status, waitFor } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

// HotSpot warns of every wrong use of JNI
const CHECKED = [agent, '-Xcheck:jni'];

describe.each(JDKS)('after a restore on JDK %d', (version, home) => {
  test.each(['read before', ''])('environment, properties and clock are the new ones (%s)', async (used) => {
    const env = { OLD: 'gone later', GREETING: 'hello' };
    await using jvm = launchJvm(home, 'Restorable', { options: CHECKED, env, args: used ? [used] : [] });
    await jvm.line(/^ready$/);
    simulateRestore(await prepare(jvm.pid), {
      args: ['-Dapp.color=blue=green', '-Dapp.flag', 'serve', '-D', '-D=nameless', '-Dapp.unicode=żółw'],
      env: { PATH: '/bin', GREETING: 'good evening, żółw', EMPTY: '', LC_ALL: 'C.UTF-8' },
      clockDeltaNs: -100_000_000_000_000n,
    });
    await jvm.line(/^after first GREETING=good evening/);
    await jvm.line(/^after second GREETING=good evening/);
    await waitFor(() => status(jvm.pid), 'restored');

    jvm.send('environment');
    const fresh = ['EMPTY=', 'GREETING=good evening, .*', 'LC_ALL=C.UTF-8', 'PATH=/bin'].join(', ');
    expect(await jvm.line(/^getenv/)).toMatch(new RegExp(`^getenv \\[${fresh}\\]$`));
    expect(await jvm.line(/^builder/)).toMatch(/^builder good evening, /);
    expect(await jvm.line(/^child/)).toMatch(new RegExp(`^child \\[${fresh}\\]$`));

    jvm.send('property app.color');
    expect(await jvm.line(/^property/)).toBe('property blue=green');
    jvm.send('property app.flag');
    expect(await jvm.line(/^property/)).toBe('property ');
    jvm.send('process');
    expect(await jvm.line(/^process/)).toBe(`process ${jvm.pid} true`);

    // the clock of this test did not jump, so the whole offset shows
    jvm.send('nanos');
    const seconds = Number((await jvm.line(/^nanos/)).split(' ')[1]) / 1e9;
    expect(seconds).toBeGreaterThan(100_000);
    expect(seconds).toBeLessThan(100_060);
    expect(jvm.lines.join('\n')).not.toMatch(/WARNING|Exception/);
  });

  test('checkpointRestore() returns in its caller, and throws RestoreException there', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: CHECKED });
    jvm.send('checkpoint');
    await waitFor(() => status(jvm.pid), 'waiting');
    const ready = await prepare(jvm.pid);
    jvm.send('failing');
    await jvm.line(/^failing from now on$/);
    simulateRestore(ready);
    await jvm.line(/^after second/);
    await jvm.line(/^RestoreException in the caller: null$/);
    await jvm.line(/^ {2}java.io.IOException: no database$/);
    expect(await status(jvm.pid)).toBe('restored');
  });

  test('options for the JVM that come too late are told; a restored JVM can be prepared again', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: CHECKED });
    jvm.send('checkpoint');
    await waitFor(() => status(jvm.pid), 'waiting');
    simulateRestore(await prepare(jvm.pid), {
      args: ['-Xmx64m', '-Dapp.color=red', '-XX:MaxRAMPercentage=50', '-javaagent:secret.jar=key', 'serve'],
      env: { GREETING: 'once', JAVA_TOOL_OPTIONS: '-Xmx64m', _JAVA_OPTIONS: '' },
    });
    expect(await jvm.line(/^crac: warning/)).toBe(
      'crac: warning: -Xmx64m, -XX:MaxRAMPercentage, -javaagent:secret.jar, JAVA_TOOL_OPTIONS: without effect, a restored JVM ' +
        'has the options of its build. Build with them (app.javaOptions), or start cold with them (CRAC_RESTORE=off, ' +
        'options in JAVA_TOOL_OPTIONS)',
    );
    await jvm.line(/^after second GREETING=once$/);
    await jvm.line(/^returned in the caller$/);
    await waitFor(() => status(jvm.pid), 'restored');
    const again = await prepare(jvm.pid);
    simulateRestore(again, { env: { GREETING: 'twice' } });
    await jvm.line(/^after second GREETING=twice$/);
    expect(jvm.lines.filter((line) => line.startsWith('crac: warning'))).toHaveLength(1);
    const late = await ctl(['resume', again.mailbox.address, '--pid', String(jvm.pid)]);
    expect(late.status).toBe(1);
  });

  test('code that was compiled before the checkpoint asks for the process id', async () => {
    const added = planAddedJavaOptions([], { javaVersion: version, hotSpot: true }).map(({ option }) => option);
    const options = added.filter((option) => !option.startsWith('-agentpath:'));
    await using jvm = launchJvm(home, 'HotProcessId', {
      options: ['-Xbatch', '--add-opens=java.base/java.lang=ALL-UNNAMED', ...options],
    });
    expect(await jvm.exited).toBe(0);
    expect(jvm.lines).toEqual([String(2 * 4711)]);
  });
});
