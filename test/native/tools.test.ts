/** What a restored JVM is to the JDK's tools that look into it from outside, and what waited across the checkpoint. */
import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JDK_17, JDKS, status as stateOf, waitFor } from '../java/jvm.ts';
import { findFreePort } from '../support/free-port.ts';
import { askToPrepare, buildNative, dumpAndCompile, type HostJvm, startJvm, startRestored } from './host-jvm.ts';

const run = promisify(execFile);
const repo = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'tools-test-'));
const native = join(work, 'native');
const classes = join(work, 'classes');
/** Both monotonic clocks jump. */
const LATER = ['unshare', '--time', '--monotonic', '100000', '--boottime', '100000', '--fork', '--kill-child', '--'];
/** More than a checkpoint takes on a busy machine: it must not be over before the restore. */
const PENDING_MS = 10_000;
/** As in a container that was killed and started again: a socket of an ended JVM with the same process id. */
const LEFT_BEHIND = [
  ...['bash', '-c'],
  `"${process.execPath}" -e "require('net').createServer().listen('/tmp/.java_pid$$', () => process.kill(process.pid, 'SIGKILL'))"
  [ -S /tmp/.java_pid$$ ] && exec "$@"`,
  'bash',
];
const started: ChildProcess[] = [];
const leftovers: string[] = [];

beforeAll(() => {
  buildNative(native);
  const javac = ['--release', '17', '-Xlint:all', '-Werror', '-d', classes];
  execFileSync(join(JDK_17, 'bin/javac'), [...javac, join(repo, 'test/native/jvm/ToolsApp.java')]);
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));
afterEach(() => {
  for (const file of leftovers.splice(0)) rmSync(file, { force: true });
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

test.each(JDKS)(
  'JDK %d: the tools see the restored JVM, and what waited wakes in time, though the clock has jumped',
  async (version, home) => {
    const host: HostJvm = { home, native, dir: join(work, String(version)) };
    const port = String(await findFreePort());
    const tool = async (name: string, ...args: readonly string[]) =>
      (await run(join(home, 'bin', name), args, { timeout: 20_000 })).stdout;
    const log = (name: string) => readFileSync(join(host.dir, name), 'utf8').trimEnd().split('\n');
    const jmx = [
      ...['-Djava.rmi.server.hostname=127.0.0.1', '-Dcom.sun.management.jmxremote.host=127.0.0.1'],
      ...[`-Dcom.sun.management.jmxremote.port=${port}`, `-Dcom.sun.management.jmxremote.rmi.port=${port}`],
      ...['-Dcom.sun.management.jmxremote.authenticate=false', '-Dcom.sun.management.jmxremote.ssl=false'],
    ];
    const startsJmxLater = version === 21;
    const options = startsJmxLater ? jmx.slice(0, 1) : jmx;
    const jvm = startJvm(host, [...options, '-cp', classes, 'ToolsApp', String(PENDING_MS)]);
    started.push(jvm);
    const pid = String(jvm.pid);
    await waitFor(() => log('app.log').includes('ready'), true);

    expect(await tool('jcmd', pid, 'VM.version')).toMatch(new RegExp(`^${pid}:\n`));
    leftovers.push(attachFile(pid));
    expect(existsSync(attachFile(pid))).toBe(true);
    // A running recording cannot be taken along: the app is told, and another one can be started later.
    const [, early = ''] =
      /(\S+)\/[^/]+\.jfr \(descriptor/.exec(await refusedBecauseOfRecording(host, pid, tool)) ?? [];
    await tool('jcmd', pid, 'JFR.stop', 'name=early');
    const { answer, status } = askToPrepare(host, Number(pid));
    expect([status, answer.error]).toEqual([0, undefined]);
    await dumpAndCompile(host, jvm, answer);
    rmSync(early, { recursive: true }); // a new container need not have what JFR has left in /tmp
    expect(log('app.log').join('\n')).not.toMatch(/woke/);
    const restoredMs = Date.now();
    started.push(startRestored(host, [], {}, [...LATER, ...LEFT_BEHIND]));
    const restoredPid = await waitForRestored(started.at(-1) as ChildProcess);
    leftovers.push(attachFile(restoredPid));
    expect(restoredPid).not.toBe(pid);

    expect(await tool('jcmd', restoredPid, 'VM.version')).toMatch(
      new RegExp(`^${restoredPid}:\n.*HotSpot|OpenJDK`, 's'),
    );
    expect(await tool('jstack', restoredPid)).toMatch(/"main"|"DestroyJavaVM"/);
    expect(await tool('jps')).toContain(`${restoredPid} ToolsApp\n`);
    expect(await tool('jstat', '-gcutil', restoredPid)).toMatch(/^\s+S0 .*\n\s+[\d.-]+ /);

    const recording = join(host.dir, 'x.jfr');
    await tool('jcmd', restoredPid, 'JFR.start', 'name=x');
    await tool('jcmd', restoredPid, 'JFR.dump', 'name=x', `filename=${recording}`);
    await tool('jcmd', restoredPid, 'JFR.stop', 'name=x');
    const printed = await tool('jfr', 'print', '--json', '--events', 'jdk.JVMInformation', recording);
    const [{ values: seenByJfr }] = JSON.parse(printed).recording.events;
    expect(seenByJfr.pid).toBe(Number(restoredPid));
    const recordedMs = Date.parse(seenByJfr.startTime);
    expect([recordedMs >= restoredMs, recordedMs <= Date.now()]).toEqual([true, true]);

    if (startsJmxLater) {
      const settings = jmx.flatMap((option) => /^-Dcom.sun.management.(.*)/.exec(option)?.[1] ?? []);
      await tool('jcmd', restoredPid, 'ManagementAgent.start', ...settings);
    }
    const seen = await tool('java', '-Xmx64m', '-XX:TieredStopAtLevel=1', '-cp', classes, 'ToolsApp', 'jmx', port);
    expect(seen).toMatch(new RegExp(`^Name ${restoredPid}@.*\nPid ${restoredPid}\nThreads \\d+\n$`));

    const kinds = ['monitor', 'task', ...(version >= 21 ? ['virtual', 'virtual-monitor'] : [])];
    const woken = () =>
      log('restored.log').flatMap((line) => {
        const [, kind, afterMs, atMs] = /^woke (\S+) after (\d+) at (\d+)$/.exec(line) ?? [];
        return kind === undefined ? [] : [{ kind, afterMs: Number(afterMs), atMs: Number(atMs) }];
      });
    await waitFor(() => woken().length, kinds.length);
    expect(
      woken()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(kinds);
    for (const { kind, afterMs, atMs } of woken()) {
      expect({ kind, inTime: afterMs >= PENDING_MS && afterMs < PENDING_MS + 2000 }).toEqual({ kind, inTime: true });
      expect({ kind, clock: atMs > restoredMs && atMs <= Date.now() }).toEqual({ kind, clock: true });
    }

    // The listener of the restored process is its own, too.
    const again = askToPrepare(host, Number(restoredPid));
    expect([again.status, again.answer.error]).toEqual([0, undefined]);
    await run(join(native, 'ctl'), ['resume', again.answer.mailbox.address, '--pid', restoredPid]);
    expect(await tool('jcmd', restoredPid, 'VM.version')).toContain(`${restoredPid}:\n`);

    process.kill(Number(restoredPid), 'SIGTERM');
    await waitFor(() => existsSync(attachFile(restoredPid)), false);
  },
  60_000,
);

type Tool = (name: string, ...args: readonly string[]) => Promise<string>;

/** Starts the recording `early` and asks for a checkpoint; returns what stands in the way. */
async function refusedBecauseOfRecording(host: HostJvm, pid: string, tool: Tool): Promise<string> {
  await tool('jcmd', pid, 'JFR.start', 'name=early');
  const { answer, status } = askToPrepare(host, Number(pid));
  const reason = 'a JFR recording is running: stop it before the checkpoint, and start one after the restore';
  expect([status, answer.details]).toEqual([1, expect.arrayContaining([expect.stringContaining(`): ${reason}`)])]);
  return answer.details.join('\n');
}

const attachFile = (pid: string) => `/tmp/.java_pid${pid}`;

/** The process id of the JVM that the wrapper has started. */
async function waitForRestored(wrapper: ChildProcess): Promise<string> {
  let pid = '';
  await waitFor(() => {
    pid = readFileSync(`/proc/${wrapper.pid}/task/${wrapper.pid}/children`, 'utf8').trim();
    return pid !== '';
  }, true);
  await waitFor(() => stateOf(Number(pid), join(native, 'ctl')), 'restored');
  return pid;
}
