import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { release } from 'node:os';
import { agent, buildRuntime, ctl, ctlPath, JDKS, launchJvm, openFiles, prepare, status, waitFor } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

// HotSpot warns of every wrong use of JNI
const CHECKED = [agent, '-Xcheck:jni'];

describe.each(JDKS)('control channel on JDK %d', (version, home) => {
  test('ctl checkpoint prepares, ctl resume calls it off, and again', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: CHECKED });
    await jvm.line(/^ready$/);
    expect(await status(jvm.pid)).toBe('running');
    for (const nonces of [new Set<string>()])
      for (let round = 0; round < 2; round++) {
        const ready = await prepare(jvm.pid);
        await jvm.line(/^before second$/);
        await jvm.line(/^before first$/);
        expect(ready).toMatchObject({ pid: jvm.pid, mailbox: { sizeBytes: 1 << 20 } });
        expect(ready.javaVersion).toMatch(new RegExp(`^${version}\\.`));
        expect(ready.mailbox.address).toMatch(/^0x[0-9a-f]+000$/);
        expect(ready.mailbox.nonce).toMatch(/^0x[0-9a-f]+$/);
        expect(ready.steps.map(({ name }) => name)).toEqual([
          ...['beforeCheckpoint', 'jit-idle', 'collect', 'arenas', 'resources', 'generators', 'histogram'],
          ...['free-heap', 'compiled-code', 'trim'],
        ]);
        nonces.add(ready.mailbox.nonce);
        expect(nonces.size).toBe(round + 1);
        // stdin, stdout and stderr of this test are sockets; the runtime has none
        expect(openFiles(jvm.pid).filter((name) => name.startsWith('socket:')).length).toBeLessThanOrEqual(3);
        expect((await ctl(['status', '--pid', String(jvm.pid)])).json.error).toMatch(/no JVM .* answers here/);
        expect((await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)])).status).toBe(0);
        await jvm.line(/^after first GREETING=null$/);
        await jvm.line(/^after second/);
        await waitFor(() => status(jvm.pid), 'running');
      }
  });

  test('a resource that fails is named, and the app goes on', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: CHECKED });
    jvm.send('failing');
    await jvm.line(/^failing from now on$/);
    const answer = await ctl(['checkpoint', '--settle-ms', '0', '--pid', String(jvm.pid)]);
    expect(answer.status).toBe(1);
    expect(answer.json.error).toBe('the app refused the checkpoint');
    expect(answer.json.details?.[0]).toMatch(
      /^java.io.IOException: a port is still open at Restorable.beforeCheckpoint\(Restorable.java:\d+\)$/,
    );
    expect(answer.json.details?.[1]).toMatch(/^java.io.IOException: no database/);
    expect(await status(jvm.pid)).toBe('running');
  });

  test('ZGC is refused before any resource is told, and the app goes on', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: [...CHECKED, '-XX:+UseZGC', '-Xmx64m'] });
    await jvm.line(/^ready$/);
    const answer = await ctl(['checkpoint', '--settle-ms', '0', '--pid', String(jvm.pid)]);
    const error = expect.stringMatching(/^this JVM runs with ZGC.* shared memory.* Use -XX:\+UseG1GC/);
    expect(answer).toMatchObject({ status: 1, json: { error } });
    expect(jvm.lines).toEqual(['ready']);
    expect(await status(jvm.pid)).toBe('running');
  });

  test('the app asks, ctl checkpoint joins, the caller is told that there was no dump', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: CHECKED });
    jvm.send('checkpoint');
    await waitFor(() => status(jvm.pid), 'waiting');
    const ready = await prepare(jvm.pid);
    await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)]);
    await jvm.line(/^after second/);
    await jvm.line(/^CheckpointException in the caller: no checkpoint was taken/);
    await waitFor(() => status(jvm.pid), 'running');
    expect(jvm.lines.join('\n')).not.toMatch(/WARNING/);
  });

  test('ctl checkpoint --join waits for the app', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: CHECKED });
    await jvm.line(/^ready$/);
    const joined = prepare(jvm.pid, '--join');
    await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.client, true);
    expect((await ctl(['checkpoint', '--pid', String(jvm.pid)])).json.error).toBe(ALREADY);
    expect(jvm.lines).toEqual(['ready']);
    jvm.send('checkpoint');
    const ready = await joined;
    await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)]);
    await jvm.line(/^CheckpointException in the caller/);
  });
});

const [[, home]] = JDKS as [readonly [number, string]];

test("a client that has gone is in nobody's way", async () => {
  await using jvm = launchJvm(home, 'Restorable');
  await jvm.line(/^ready$/);
  const gone = spawn(ctlPath, ['checkpoint', '--join', '--pid', String(jvm.pid)], { stdio: 'ignore' });
  await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.client, true);
  gone.kill('SIGKILL');
  await once(gone, 'exit');
  jvm.send('checkpoint');
  await waitFor(() => status(jvm.pid), 'waiting');
  const ready = await prepare(jvm.pid);
  await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)]);
  await jvm.line(/^CheckpointException in the caller: no checkpoint was taken/);
});

test('steps are left out by name, and what needs them with them', async () => {
  await using jvm = launchJvm(home, 'Restorable', { options: CHECKED });
  await jvm.line(/^ready$/);
  const unknown = await ctl(['checkpoint', '--skip', 'trim,gc', '--pid', String(jvm.pid)]);
  expect(unknown).toMatchObject({
    status: 1,
    json: { error: 'there is no step gc to be left out, only jit-idle, collect, arenas, histogram, free-heap, trim' },
  });
  const always = ['beforeCheckpoint', 'resources', 'generators', 'compiled-code'];
  for (const [skip, left] of [
    ['trim', ['jit-idle', 'collect', 'arenas', 'histogram', 'free-heap']],
    ['free-heap,jit-idle', ['collect', 'arenas', 'histogram', 'trim']],
    ['collect', ['jit-idle', 'arenas', 'trim']],
    ['jit-idle,arenas,collect,free-heap,histogram,trim', []],
  ] as const) {
    const ready = await prepare(jvm.pid, '--skip', skip);
    expect(ready.steps.map(({ name }) => name).toSorted()).toEqual([...always, ...left].toSorted());
    expect((await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)])).status).toBe(0);
    await waitFor(() => status(jvm.pid), 'running');
  }
});

const ALREADY = 'another checkpoint is already asked for';

test('nobody comes: the caller is told after CRAC_CHECKPOINT_TIMEOUT', async () => {
  await using jvm = launchJvm(home, 'Restorable', { env: { CRAC_CHECKPOINT_TIMEOUT: '1' } });
  jvm.send('checkpoint');
  await jvm.line(/^after second/);
  expect(await jvm.line(/^CheckpointException/)).toMatch(/nobody came to take the checkpoint within 1 s/);
  expect(await status(jvm.pid)).toBe('running');
});

test('only root and the user of the JVM may ask', async () => {
  await using jvm = launchJvm(home, 'Restorable', { uid: 1000 });
  await jvm.line(/^ready$/);
  const args = ['status', '--pid', String(jvm.pid)];
  expect(await ctl(args, 1001)).toMatchObject({
    status: 1,
    json: { error: 'only root and the user of the JVM may ask' },
  });
  expect(await ctl(args, 1000)).toMatchObject({ status: 0, json: { state: 'running' } });
  expect(await ctl(args)).toMatchObject({ status: 0, json: { state: 'running' } });
});

test('ctl says what is wrong', async () => {
  expect(await ctl(['status', '--pid', '2'])).toMatchObject({ status: 1, json: { details: [] } });
  expect(await ctl(['resume', '0x1000', '--pid', String(process.pid)])).toMatchObject({
    status: 1,
    json: { error: `process ${process.pid} has no mailbox at this address` },
  });
});

test('ctl cpu prints leaves and XCR0 in hexadecimal', async () => {
  const { stdout } = await ctl(['cpu']);
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^([0-9a-f]{1,8} ){5}[0-9a-f]{1,8}$/);
  const leaves = lines.map((line) => line.split(' ').slice(0, 2).join(' '));
  expect(leaves).toEqual(expect.arrayContaining(['0 0', '1 0', '7 0', 'd 0', '80000001 0', 'ffffff00 0']));
});

test('ctl kernel prints the release of the kernel', async () => {
  expect((await ctl(['kernel'])).stdout).toBe(`${release()}\n`);
});
