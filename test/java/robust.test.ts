import { readdirSync, readFileSync } from 'node:fs';
import {
  agent,
  buildRuntime,
  ctl,
  JDKS,
  type Jvm,
  launchJvm,
  openFiles,
  prepare,
  simulateRestore,
  status,
  waitFor,
} from './jvm.ts';

beforeAll(buildRuntime, 60_000);

const options = [agent, '-Xcheck:jni'];
const env = { CRAC_RESOURCE_TIMEOUT: '1' };
const LATE = 'beforeCheckpoint of Stubborn$Slow did not return within 1 s (CRAC_RESOURCE_TIMEOUT)';

const ask = (jvm: Jvm) => ctl(['checkpoint', '--settle-ms', '0', '--pid', String(jvm.pid)]);
const resume = async (jvm: Jvm, address: string) => await ctl(['resume', address, '--pid', String(jvm.pid)]);

async function behave(jvm: Jvm, manner: string): Promise<void> {
  jvm.send(manner);
  await jvm.line(new RegExp(`^heard ${manner}$`));
}

/** A checkpoint that is called off, and what was notified for it. */
async function checkpointWorks(jvm: Jvm): Promise<void> {
  const before = jvm.lines.length;
  const ready = await prepare(jvm.pid);
  expect(await resume(jvm, ready.mailbox.address)).toMatchObject({ status: 0 });
  await waitFor(() => jvm.lines.length, before + 6);
  expect(jvm.lines.slice(before)).toEqual([
    ...['before last', 'before slow', 'before first'],
    ...['after first', 'after slow', 'after last'],
  ]);
}

describe.each(JDKS)('on JDK %d', (_, home) => {
  test('a beforeCheckpoint that takes too long is interrupted and named; the app goes on', async () => {
    await using jvm = launchJvm(home, 'Stubborn', { options, env });
    await behave(jvm, 'slow');
    const answer = await ask(jvm);
    expect(answer.status).toBe(1);
    expect(answer.json.error).toBe('the app refused the checkpoint');
    expect(answer.json.details).toEqual([expect.stringContaining(LATE)]);
    expect(answer.json.details?.[0]).toMatch(/ in Stubborn\$Slow.beforeCheckpoint\(Stubborn.java:\d+\)$/);
    expect(jvm.lines.slice(-6)).toEqual([
      ...['before last', 'before slow', 'before first'],
      ...['after first', 'after slow', 'after last'],
    ]);
    await behave(jvm, 'quick');
    await checkpointWorks(jvm);
  });

  test('one that hangs is left alone and named; the others and the app go on', async () => {
    await using jvm = launchJvm(home, 'Stubborn', { options, env });
    await behave(jvm, 'deaf');
    const answer = await ask(jvm);
    expect(answer.status).toBe(1);
    expect(answer.json.details).toEqual([expect.stringContaining(LATE)]);
    await jvm.line(/^after last$/);
    expect(jvm.lines).not.toContain('before first');
    expect(jvm.lines).not.toContain('after slow');
    const warning = `crac: warning: ${LATE} and does not let itself be interrupted: the checkpoint is given up`;
    await waitFor(() => jvm.lines.filter((line) => line === warning).length, 1);
    expect((await ask(jvm)).json.error).toBe(`another checkpoint is running: ${LATE}`);

    await behave(jvm, 'quick');
    await jvm.line(/^after slow$/);
    await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.checkpointing, false);
    await checkpointWorks(jvm);
  });

  test('an afterRestore that hangs is named with its stack, and waited for', async () => {
    await using jvm = launchJvm(home, 'Stubborn', { options, env: { CRAC_RESOURCE_TIMEOUT: '60' } });
    await behave(jvm, 'late');
    simulateRestore(await prepare(jvm.pid), { env: { CRAC_RESOURCE_TIMEOUT: '1' } });
    const message = 'afterRestore of Stubborn$Slow has not returned within 1 s (CRAC_RESOURCE_TIMEOUT)';
    expect(await jvm.line(/^crac: warning/)).toBe(`crac: warning: ${message}`);
    await jvm.line(/^ {4}at (app\/\/)?Stubborn\$Slow.afterRestore\(Stubborn.java:\d+\)$/);
    expect((await ask(jvm)).json.error).toBe(`another checkpoint is running: ${message}`);
    expect(jvm.lines).not.toContain('after slow');
    await behave(jvm, 'quick');
    await jvm.line(/^after last$/);
    await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.checkpointing, false);
    await checkpointWorks(jvm);
  });

  test("one that hangs in the app's own request: who waits to take the dump is told, the caller when it comes back", async () => {
    await using jvm = launchJvm(home, 'Stubborn', { options, env });
    await behave(jvm, 'deaf');
    const joined = ctl(['checkpoint', '--join', '--settle-ms', '0', '--pid', String(jvm.pid)]);
    await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.client, true);
    jvm.send('checkpoint');
    expect((await joined).json.details).toEqual([expect.stringContaining(LATE)]);
    await behave(jvm, 'quick');
    await jvm.line(/^jdk.crac.CheckpointException, interrupted: false$/);
    expect(await jvm.line(/^ {2}/)).toContain(LATE);
  });

  test('how the last checkpoint ended can be asked for', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options });
    await jvm.line(/^ready$/);
    const last = async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.last;
    expect(await last()).toBeNull();
    const ready = await prepare(jvm.pid);
    const resumed = await resume(jvm, ready.mailbox.address);
    expect(resumed).toMatchObject({ status: 0, json: { state: 'running', checkpointing: false } });
    const error = 'no checkpoint was taken: the dump failed or was given up';
    expect(await last()).toEqual({ outcome: 'not taken', error, details: [] });

    simulateRestore(await prepare(jvm.pid));
    await waitFor(async () => (await last())?.outcome, 'restored');
    expect(await last()).toEqual({ outcome: 'restored' });

    const again = await prepare(jvm.pid);
    await behaveBadly(jvm);
    const failed = await resume(jvm, again.mailbox.address);
    expect(failed.status).toBe(1);
    expect(failed.json).toEqual({
      error: 'not all of the app took up work again',
      details: [expect.stringMatching(/^java.io.IOException: no database at Restorable.afterRestore/)],
    });

    const bad = await ctl(['checkpoint', '--settle-ms', '0', '--pid', String(jvm.pid)]);
    expect(bad.json).toEqual({
      error: 'the app refused the checkpoint',
      details: [
        expect.stringMatching(/^java.io.IOException: a port is still open/),
        expect.stringMatching(/^java.io.IOException: no database/),
      ],
    });
  });
});

async function behaveBadly(jvm: Jvm): Promise<void> {
  jvm.send('failing');
  await jvm.line(/^failing from now on$/);
}

const [[, home]] = JDKS as [readonly [number, string]];

test('nobody dumps: the app goes on by itself', async () => {
  await using jvm = launchJvm(home, 'Stubborn', { options, env: { CRAC_CHECKPOINT_TIMEOUT: '1' } });
  await jvm.line(/^ready$/);
  const ready = await prepare(jvm.pid);
  await jvm.line(/^after last$/); // 10 s are the least
  await waitFor(() => status(jvm.pid), 'running');
  const late = await resume(jvm, ready.mailbox.address);
  expect(late.status).toBe(1);
  const { last } = (await ctl(['status', '--pid', String(jvm.pid)])).json;
  expect(last?.error).toBe('nobody dumped the process within 10 s (CRAC_CHECKPOINT_TIMEOUT)');
});

test('a wrong time-out is told, and the default taken', async () => {
  await using jvm = launchJvm(home, 'Stubborn', { options, env: { CRAC_RESOURCE_TIMEOUT: 'soon' } });
  await jvm.line(/^ready$/);
  await checkpointWorksOnce(jvm);
  const warning = 'crac: warning: CRAC_RESOURCE_TIMEOUT=soon is not a number of seconds: 30 s are taken';
  await waitFor(() => jvm.lines.includes(warning), true);
});

async function checkpointWorksOnce(jvm: Jvm): Promise<void> {
  const ready = await prepare(jvm.pid);
  expect((await resume(jvm, ready.mailbox.address)).status).toBe(0);
}

test('50 checkpoints of one JVM, restored and called off in turn, leave nothing behind', async () => {
  const heap = ['-XX:+UseSerialGC', '-Xms32m', '-Xmx32m'];
  await using jvm = launchJvm(home, 'Stubborn', { options: [agent, ...heap] });
  await jvm.line(/^ready$/);
  const usage = () => ({
    files: openFiles(jvm.pid).length,
    threads: readdirSync(`/proc/${jvm.pid}/task`).length,
    residentBytes: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${jvm.pid}/status`, 'utf8'))?.[1]) * 1024,
  });
  const round = async (number: number) => {
    const ready = await prepare(jvm.pid);
    if (number % 2 === 0) await resume(jvm, ready.mailbox.address);
    else simulateRestore(ready);
    await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.checkpointing, false);
  };
  for (let number = 0; number < 5; number++) await round(number);
  const before = usage();
  for (let number = 5; number < 50; number++) await round(number);
  const after = usage();
  expect(after.files).toBe(before.files);
  expect(Math.abs(after.threads - before.threads)).toBeLessThanOrEqual(1);
  expect(after.residentBytes / before.residentBytes).toBeLessThan(1.05);
}, 120_000);
