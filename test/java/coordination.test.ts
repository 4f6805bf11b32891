/** examples/coordination: the patterns of docs/runtime.md, "Patterns". */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildRuntime,
  ctl,
  JDK_17,
  JDKS,
  type Jvm,
  launchJvm,
  native,
  openFiles,
  prepare,
  simulateRestore,
  status,
  waitFor,
} from './jvm.ts';

const example = new URL('../../examples/coordination', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'coordination-'));
const classPath = ['-cp', join(example, 'target/coordination.jar')];

beforeAll(() => {
  buildRuntime();
  const env = { ...process.env, JAVA_HOME: JDK_17 };
  execFileSync(join(example, 'build'), [join(native, 'crac.jar')], { env, stdio: 'pipe' });
}, 60_000);
afterAll(() => rmSync(work, { recursive: true }));

const ask = (jvm: Jvm) => ctl(['checkpoint', '--settle-ms', '0', '--pid', String(jvm.pid)]);
/** As the kernel knows them: the first 15 bytes of a thread's name. One that ends meanwhile is left out. */
function threadNames(pid: number): string[] {
  const command = `cat /proc/${pid}/task/*/comm 2>&- || true`;
  return execFileSync('sh', ['-c', command], { encoding: 'utf8' }).split('\n');
}

async function order(jvm: Jvm, line: string): Promise<void> {
  jvm.send(line);
  await jvm.line(new RegExp(`^done: ${line}$`));
}

describe.each(JDKS)('on JDK %d', (version, home) => {
  const journal = join(work, `journal-${version}`);
  const launch = (env: Readonly<Record<string, string>> = {}) =>
    launchJvm(home, 'coordination.Main', { classPath, env: { JOURNAL: journal, ...env } });

  test('quiet and blocking: what has begun ends before the checkpoint, what comes later waits for the restore', async () => {
    await using jvm = launch();
    await order(jvm, 'write before');
    expect(openFiles(jvm.pid)).toContain(journal);
    await order(jvm, 'begin-transfer salaries');

    const asked = ask(jvm);
    await jvm.line(/^the checkpoint waits for \[salaries\]$/);
    jvm.send('write held');
    await waitFor(() => threadNames(jvm.pid).includes('write held'), true);
    expect((await ctl(['status', '--pid', String(jvm.pid)])).json).toMatchObject({ checkpointing: true });
    await order(jvm, 'end-transfer salaries');
    const answer = await asked;
    expect(answer.json.details ?? []).toEqual([]);
    expect(answer.status).toBe(0);
    expect(openFiles(jvm.pid)).not.toContain(journal);
    expect(threadNames(jvm.pid)).toContain('write held');
    expect(readFileSync(journal, 'utf8')).toBe('before\n');

    const restored = `${journal}-restored`;
    simulateRestore(JSON.parse(answer.stdout), { env: { JOURNAL: restored } });
    await jvm.line(/^done: write held$/);
    expect(readFileSync(journal, 'utf8')).toBe('before\n');
    expect(readFileSync(restored, 'utf8')).toBe('held\n');
    await order(jvm, 'write after');
    expect(readFileSync(restored, 'utf8')).toBe('held\nafter\n');
  });

  test('blocking: what does not end in time is named, and the app works on', async () => {
    await using jvm = launch({ CRAC_RESOURCE_TIMEOUT: '1' });
    await order(jvm, 'begin-transfer endless');
    const answer = await ask(jvm);
    expect(answer.status).toBe(1);
    expect(answer.json.details?.join('\n')).toMatch(
      /beforeCheckpoint of coordination.Transfers did not return within 1 s/,
    );
    await order(jvm, 'write on');
    await order(jvm, 'end-transfer endless');
    await prepare(jvm.pid);
  });

  test('veto: the checkpoint is refused in the words of the app, which works on', async () => {
    await using jvm = launch();
    await order(jvm, 'begin-migration customers');
    const answer = await ask(jvm);
    expect(answer).toMatchObject({ status: 1, json: { error: 'the app refused the checkpoint' } });
    expect(answer.json.details).toEqual([expect.stringContaining('table customers is being migrated')]);
    await order(jvm, 'write during the migration');
    await order(jvm, 'end-migration');
    await prepare(jvm.pid);
  });

  test('stand-in: nobody waits, and what came meanwhile is delivered to the new place', async () => {
    await using before = await listen();
    await using after = await listen();
    await using jvm = launch({ METRICS: String(before.port) });
    await order(jvm, 'count early');
    await waitFor(() => before.heard.join(), 'early:1|c');

    const ready = await prepare(jvm.pid);
    await order(jvm, 'count meanwhile');
    simulateRestore(ready, { env: { METRICS: String(after.port), JOURNAL: journal } });
    await waitFor(() => after.heard.join(), 'meanwhile:1|c');
    await waitFor(() => status(jvm.pid), 'restored');
    await order(jvm, 'count late');
    await waitFor(() => after.heard.join(), 'meanwhile:1|c,late:1|c');
    expect(before.heard).toEqual(['early:1|c']);
  });
});

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
