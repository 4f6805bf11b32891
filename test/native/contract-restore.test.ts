/** What matters most of jdk.crac's contract, with a real dump and a real restore. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JDK_17, JDKS, status as stateOf, waitFor } from '../java/jvm.ts';
import { askToPrepare, buildNative, dumpAndCompile, type HostJvm, startJvm, startRestored } from './host-jvm.ts';

const repo = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'contract-restore-test-'));
const native = join(work, 'native');
const classes = join(work, 'classes');
const started: ChildProcess[] = [];

beforeAll(() => {
  buildNative(native);
  const javac = ['--release', '17', '-Xlint:all', '-Werror', '-cp', join(native, 'crac.jar'), '-d', classes];
  execFileSync(join(JDK_17, 'bin/javac'), [...javac, join(repo, 'test/native/jvm/Survivor.java')]);
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const ended = (child: ChildProcess) =>
  new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once('exit', resolve);
  });

test.each(JDKS)(
  'JDK %d: the caller comes back, notified in order, with what is new, and goes on',
  async (version, home) => {
    const host: HostJvm = { home, native, dir: join(work, String(version)) };
    const jvm = startJvm(host, ['-cp', classes, 'Survivor']);
    started.push(jvm);
    await waitFor(() => stateOf(jvm.pid ?? 0, join(native, 'ctl')), 'waiting');
    const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
    expect([status, answer.error]).toEqual([0, undefined]);
    await dumpAndCompile(host, jvm, answer);
    const lines = (log: string) => readFileSync(join(host.dir, log), 'utf8').trimEnd().split('\n');
    expect(lines('app.log')).toEqual(['restored at -1', 'before second', 'before first']);

    const env = { GREETING: 'good evening', CRAC_CHECKPOINT_TIMEOUT: '0' };
    const restored = startRestored(host, ['-Dcolor=blue', 'serve'], env);
    started.push(restored);
    expect(await ended(restored)).toBe(0);
    expect(lines('restored.log')).toEqual([
      ...['after first good evening blue', 'after second good evening blue'],
      'RestoreException 1 java.io.IOException: no database',
      'main kept true',
      'age true true',
      'pid true',
      'ticks true',
      ...['before second', 'before first', 'after first good evening blue', 'after second good evening blue'],
      'nobody came to take the checkpoint within 0 s (CRAC_CHECKPOINT_TIMEOUT); `ctl checkpoint` takes it',
      'end',
    ]);
  },
  60_000,
);
