/** examples/coordination, the patterns of docs/runtime.md, with a real dump and a real restore: one process has them all. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ctl, JDK_17, JDKS, openFiles } from '../java/jvm.ts';
import { dumpAndCompile, eventually, type HostJvm, openWork, startJvm, startRestored } from './host-jvm.ts';

const example = new URL('../../examples/coordination', import.meta.url).pathname;
const { work, native } = openWork('coordination-restore-test');

beforeAll(() => {
  const env = { ...process.env, JAVA_HOME: JDK_17 };
  execFileSync(join(example, 'build'), [join(native, 'crac.jar')], { env, stdio: 'pipe' });
}, 60_000);

test.each(JDKS)(
  'JDK %d: what is vetoed, blocked, held back, let go and stood in for goes on in the restored process',
  async (version, home) => {
    const host: HostJvm = { home, native, dir: join(work, String(version)) };
    mkdirSync(host.dir);
    await using oldMetrics = await listen();
    await using newMetrics = await listen();
    const [oldJournal, newJournal] = ['old', 'new'].map((name) => join(host.dir, `${name}-journal`)) as [
      string,
      string,
    ];
    const contentOf = (file: string) => readFileSync(file, 'utf8');
    using orders = openOrders(join(host.dir, 'orders'));
    const done = (log: 'app.log' | 'restored.log', ...lines: readonly string[]) =>
      eventually(() => expect(contentOf(join(host.dir, log)).split('\n')).toEqual(expect.arrayContaining([...lines])));
    const order = async (line: string, log: 'app.log' | 'restored.log' = 'app.log') => {
      orders.give(line);
      await done(log, `done: ${line}`);
    };

    const jvm = startJvm(host, ['-cp', join(example, 'target/coordination.jar'), 'coordination.Main'], {
      env: { JOURNAL: oldJournal, METRICS: String(oldMetrics.port) },
      stdin: orders.fd,
    });
    const pid = jvm.pid ?? 0;
    const ask = () => ctl(['checkpoint', '--settle-ms', '0', '--pid', String(pid)], undefined, join(native, 'ctl'));
    await done('app.log', 'ready');
    await order('write before');
    await order('count early');
    await eventually(() => expect(oldMetrics.heard).toEqual(['early:1|c']));

    await order('begin-migration customers');
    const vetoed = await ask();
    expect([vetoed.status, vetoed.json.details]).toEqual([1, [expect.stringContaining('customers is being migrated')]]);
    await order('end-migration');
    await order('write after the veto');

    await order('begin-transfer salaries');
    const asked = ask();
    await done('app.log', 'the checkpoint waits for [salaries]');
    orders.give('write held');
    await eventually(() => expect(threadNames(jvm)).toContain('write held'));
    await order('end-transfer salaries');
    const ready = await asked;
    expect([ready.status, ready.json.error]).toEqual([0, undefined]);
    await order('count meanwhile');
    expect(openFiles(pid)).not.toContain(oldJournal);
    await dumpAndCompile(host, jvm, JSON.parse(ready.stdout));
    expect(contentOf(oldJournal)).toBe('before\nafter the veto\n');

    const env = { JOURNAL: newJournal, METRICS: String(newMetrics.port) };
    const restored = startRestored(host, [], env, [], orders.fd);
    await done('restored.log', 'done: write held');
    await eventually(() => expect(newMetrics.heard).toEqual(['meanwhile:1|c']));
    await order('count late', 'restored.log');
    await order('write after', 'restored.log');
    await eventually(() => expect(newMetrics.heard).toEqual(['meanwhile:1|c', 'late:1|c']));
    expect(contentOf(newJournal)).toBe('held\nafter\n');
    expect(contentOf(oldJournal)).toBe('before\nafter the veto\n');
    expect(oldMetrics.heard).toEqual(['early:1|c']);
    expect(openFiles(restored.pid ?? 0)).toContain(newJournal);
  },
  60_000,
);

/** As the kernel knows them. */
function threadNames({ pid }: ChildProcess): readonly string[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trimEnd());
}

/** The app's stdin: a named pipe, which a dump, unlike node's own pipes, does not look behind. */
function openOrders(path: string): Disposable & { readonly fd: number; give(line: string): void } {
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, 'r+');
  return { fd, give: (line) => writeSync(fd, `${line}\n`), [Symbol.dispose]: () => closeSync(fd) };
}

/** Stands for the collector of the metrics. */
async function listen() {
  const socket = createSocket('udp4');
  const heard: string[] = [];
  socket.on('message', (message) => heard.push(message.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    heard,
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      socket.close();
    },
  };
}
