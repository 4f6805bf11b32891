import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agent, buildRuntime, ctl, JDKS, type Jvm, launchJvm, prepare, simulateRestore, waitFor } from './jvm.ts';

let dir: string;
let policies: string;
beforeAll(buildRuntime, 60_000);
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'open-'));
  policies = join(dir, 'policies.yaml');
  writeFileSync(policies, '');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Refusal {
  readonly error?: string;
  readonly details?: readonly string[];
  readonly policies?: string;
}

const launch = (home: string, ...options: string[]) =>
  launchJvm(home, 'Opener', {
    options: [agent, '-Xcheck:jni', `-Djdk.crac.resource-policies=${policies}`, ...options],
    env: { CRAC_CHECKPOINT_TIMEOUT: '0' },
  });
const STRICT = '-Dcrac.resources=strict';

/** Has the app open something; what it says of it. */
async function open(jvm: Jvm, what: string): Promise<string> {
  jvm.send(what);
  const verb = what.split(' ')[0] ?? '';
  return (await jvm.line(new RegExp(`^done ${verb}\\b`))).slice(`done ${verb} `.length);
}

async function refusal(jvm: Jvm): Promise<Refusal> {
  await waitFor(() => jvm.lines.includes('ready'), true);
  const { status, json } = await ctl(['checkpoint', '--settle-ms', '0', '--pid', String(jvm.pid)]);
  expect(status).toBe(1);
  return json;
}

/** What is in the way, without numbers of descriptors. */
const problems = async (jvm: Jvm) =>
  ((await refusal(jvm)).details ?? []).map((line) => line.replace(/ \(descriptor \d+\)/, '')).sort();

/** Prepares, calls it off, and tells the decisions that were made, without those that do not count here. */
async function decisions(jvm: Jvm): Promise<readonly string[]> {
  const ready = await prepare(jvm.pid);
  await ctl(['resume', ready.mailbox.address, '--pid', String(jvm.pid)]);
  await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.state, 'running');
  return (ready.resources ?? []).map(({ action }) => action).sort();
}

async function withServer(use: (port: number) => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use((server.address() as { port: number }).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe.each(JDKS)('open resources on JDK %d', (_, home) => {
  test('transparent: what is read, listened on or inside the JVM stays', async () => {
    await using jvm = launch(home);
    for (const what of [
      'read /etc/passwd',
      `folder ${dir}`,
      'listen 0',
      'pipe',
      'selector',
      'random',
      'datagram',
      `unix ${dir}/s`,
    ])
      await open(jvm, what);
    expect(await decisions(jvm)).toEqual([]);
  });

  test('everything that is in the way is told at once, with what resources throw', async () => {
    await using jvm = launch(home);
    const log = join(dir, 'a[1].log');
    await open(jvm, `append ${log}`);
    await open(jvm, `both ${dir}/db`);
    await open(jvm, `write ${dir}/gone`);
    unlinkSync(`${dir}/gone`);
    await open(jvm, `watch ${dir}`);
    await open(jvm, `lock ${dir}/pid`);
    await open(jvm, 'failing');
    await withServer(async (port) => {
      const local = await open(jvm, `connect ${port}`);
      const answer = await refusal(jvm);
      expect(answer.error).toBe('the app refused the checkpoint');
      const told = (answer.details ?? []).map((line) => line.replace(/ \(descriptor \d+\)/, ''));
      expect(told[0]).toMatch(/^java.io.IOException: not now at Opener\$Failing.beforeCheckpoint/);
      expect(told.slice(1).sort()).toEqual(
        [
          `${log}: it is open for writing`,
          `${dir}/db: it is open for writing`,
          `${dir}/gone: it was deleted, but is still open: no rule helps, close it in beforeCheckpoint`,
          'anon_inode:inotify: it watches files (WatchService): no rule helps, close it in beforeCheckpoint',
          `${dir}/pid: it is locked (FileLock, FileHandler of java.util.logging): no rule helps, close it in beforeCheckpoint`,
          `TCP connection 127.0.0.1:${local} to 127.0.0.1:${port}: the app has opened it, and its peer would not know it any more`,
        ].sort(),
      );
      expect(answer.policies?.split('\n---\n').sort()).toEqual(
        [
          `type: file\npath: ${dir}/a\\[1\\].log\naction: reopen`,
          `type: file\npath: ${dir}/db\naction: reopen`,
          `type: socket\nremoteAddress: 127.0.0.1\nremotePort: ${port}\naction: close`,
        ].sort(),
      );

      // The printed rules allow what they were printed for, and nothing else.
      writeFileSync(policies, answer.policies ?? '');
      expect(await problems(jvm)).toEqual([
        `${dir}/gone: it was deleted, but is still open: no rule helps, close it in beforeCheckpoint`,
        `${dir}/pid: it is locked (FileLock, FileHandler of java.util.logging): no rule helps, close it in beforeCheckpoint`,
        'anon_inode:inotify: it watches files (WatchService): no rule helps, close it in beforeCheckpoint',
        expect.stringMatching(/^java.io.IOException: not now/),
      ]);
    });
  });

  test('the caller of checkpointRestore() gets the exceptions of the CRaC JDK', async () => {
    await using jvm = launch(home, '-Djdk.crac.collect-fd-stacktraces=true');
    await open(jvm, `append ${dir}/log`);
    await withServer(async (port) => {
      await open(jvm, `channel ${port}`);
      await open(jvm, `watch ${dir}`);
      jvm.send('checkpoint');
      await jvm.line(/^refused null$/);
    });
    const said = jvm.lines.filter((line) => line.startsWith('jdk.crac.impl.'));
    const by = (what: string) => `caused by java.lang.Exception: opened by thread "opener of ${what}"`;
    expect(said).toEqual([
      `jdk.crac.impl.CheckpointOpenFileException < CheckpointOpenResourceException ${by('append')}`,
      `jdk.crac.impl.CheckpointOpenSocketException < CheckpointOpenResourceException ${by('channel')}`,
      'jdk.crac.impl.CheckpointOpenResourceException < Exception caused by null',
    ]);
  });

  test("the opener's stack is told when it is asked for", async () => {
    for (const option of ['-Djdk.crac.collect-fd-stacktraces=true', '-Djdk.crac.collect-fd-stacktraces=false']) {
      await using jvm = launch(home, option);
      await open(jvm, `append ${dir}/log`);
      await withServer(async (port) => {
        await open(jvm, `channel ${port}`);
        const details = ((await refusal(jvm)).details ?? []).join('\n');
        const expected = option.endsWith('true') ? 1 : 0;
        expect(details.match(/^ {2}opened by thread "opener of append"$/gm) ?? []).toHaveLength(expected);
        expect(details.match(/^ {2}opened by thread "opener of channel"$/gm) ?? []).toHaveLength(expected);
        expect(details.match(/^ {4}at Opener.open\(Opener.java:\d+\)$/gm) ?? []).toHaveLength(2 * expected);
      });
      expect(jvm.lines.join('\n')).not.toMatch(/WARNING|crac: warning/);
    }
  });

  test('connections that came to the app end when they are idle, and are waited for when they are not', async () => {
    await using jvm = launch(home);
    const port = Number(await open(jvm, 'listen 0'));
    const client = connect(port, '127.0.0.1');
    await open(jvm, 'accept');
    expect(await decisions(jvm)).toEqual(['close']);
    await new Promise((resolve) => client.write('question', resolve));
    expect(await problems(jvm)).toEqual([
      expect.stringMatching(/^TCP connection .*: a request on it is not answered yet$/),
    ]);
    const waiting = decisions(jvm);
    for (let left = 'question'.length; left > 0; left--) await open(jvm, 'receive');
    expect(await waiting).toEqual(['close']);
    client.destroy();
  });

  test('one who was refused can ask again at once', async () => {
    await using jvm = launch(home, STRICT);
    await open(jvm, 'read /etc/passwd');
    for (let time = 0; time < 15; time++) expect(await problems(jvm)).toEqual(['/etc/passwd: it is open']);
  });

  test('a connection that its peer has ended is in nobody’s way', async () => {
    await using jvm = launch(home);
    await withServer(async (port) => {
      await open(jvm, `connect ${port}`);
      expect(await problems(jvm)).toHaveLength(1);
    });
    await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.state, 'running');
    expect(await decisions(jvm)).toEqual(['close']);
  });

  test('strict: as in the CRaC JDK all is refused that no rule allows; what is the JDK’s own is not asked about', async () => {
    await using jvm = launch(home, STRICT);
    await open(jvm, 'selector');
    await open(jvm, 'random');
    expect(await decisions(jvm)).toEqual([]);
    const port = await open(jvm, 'listen 0');
    const client = connect(Number(port), '127.0.0.1');
    const peer = await open(jvm, 'accept');
    await open(jvm, 'read /etc/passwd');
    await open(jvm, `folder ${dir}`);
    await open(jvm, 'pipe');
    const told = await problems(jvm);
    expect(told.map((line) => line.replace(/pipe:\[\d+\]/, 'pipe'))).toEqual(
      [
        `/etc/passwd: it is open`,
        // A stream of a folder holds two descriptors.
        `${dir}: it is open`,
        `${dir}: it is open`,
        `TCP connection 127.0.0.1:${port} to 127.0.0.1:${peer}: it is open`,
        `socket listening on 127.0.0.1:${port}: it is open`,
        'pipe: it is open',
        'pipe: it is open',
      ].sort(),
    );
    writeFileSync(policies, (await refusal(jvm)).policies ?? '');
    expect(await decisions(jvm)).toEqual(['close', 'close', 'close', 'reopen', 'reopen', 'reopen', 'reopen']);
    client.destroy();
  });

  test('after a failed dump everything is as it was', async () => {
    await using jvm = launch(home);
    writeFileSync(policies, 'type: file\naction: close\n---\ntype: socket\naction: close\nwarn: false\n');
    await open(jvm, `append ${dir}/log`);
    const port = Number(await open(jvm, 'listen 0'));
    expect(await decisions(jvm)).toContain('close');
    expect(await open(jvm, 'print still here')).toBe('still here');
    const client = connect(port, '127.0.0.1');
    await open(jvm, 'accept');
    client.write('x');
    expect(await open(jvm, 'receive')).toBe(String('x'.charCodeAt(0)));
    client.destroy();
    const warnings = jvm.lines.filter((line) => line.startsWith('crac: warning: '));
    expect(warnings.join('\n')).toMatch(/log \(descriptor \d+\) is open; action: close/);
    expect(warnings.join('\n')).not.toMatch(/socket/);
  });
});

const [[, home]] = JDKS as [readonly [number, string]];

describe('rules', () => {
  /** Which action is found for an appended log, a listening socket, a client connection. */
  const check = async (rules: string, opened: readonly string[], expected: readonly string[]) => {
    writeFileSync(policies, rules.replaceAll('DIR', dir));
    await using jvm = launch(home);
    for (const what of opened) await open(jvm, what.replaceAll('DIR', dir));
    expect(await decisions(jvm)).toEqual([...expected].sort());
  };

  test('the first that matches decides; comments, case and globs', async () => {
    await check(
      '# a comment\ntype: FILE\npath: **/*.log\naction: Reopen\n---\n\ntype: file\npath: DIR/?.txt\naction: ignore\n---\ntype: file\npath: DIR/**\naction: close\nwarn: FALSE\n---\n',
      ['append DIR/a.log', 'append DIR/b.txt', 'append DIR/cc.txt', 'append DIR/d'],
      ['reopen', 'ignore', 'close', 'close'],
    );
  });

  test('sockets by family, address, port, path and whether they listen', async () => {
    await withServer(async (port) => {
      await check(
        [
          'type: socket\nfamily: unix\nlocalPath: DIR/*.sock\naction: close',
          'type: socket\nlistening: true\nlocalAddress: localhost\nlocalPort: *\naction: reopen',
          `type: socket\nfamily: ip\nremoteAddress: 127.0.0.1\nremotePort: ${port}\nlocalAddress: *\naction: ignore`,
          'type: socket\nfamily: inet\naction: close',
        ].join('\n---\n'),
        ['unix DIR/a.sock', 'listen 0', `connect ${port}`, 'datagram'],
        ['close', 'reopen', 'ignore', 'close'],
      );
    });
  });

  test('any remote port is one: a socket that listens has none', async () => {
    await withServer(async (port) => {
      await check(
        'type: socket\nremotePort: *\naction: ignore\n---\ntype: socket\naction: reopen',
        ['listen 0', `connect ${port}`],
        ['reopen', 'ignore'],
      );
    });
  });

  test('descriptors by number and by name', async () => {
    await check(
      'type: filedescriptor\nregex: .*/raw.*\naction: ignore\n---\ntype: filedescriptor\nvalue: 99999\naction: close',
      ['append DIR/raw.log'],
      ['ignore'],
    );
  });

  test('error forbids what the mode would keep', async () => {
    writeFileSync(policies, 'type: socket\nlistening: true\naction: error');
    await using jvm = launch(home);
    const port = await open(jvm, 'listen 0');
    expect(await problems(jvm)).toEqual([
      `socket listening on 127.0.0.1:${port}: a rule of the policies file forbids it`,
    ]);
  });

  test('reopen is refused where it cannot be done', async () => {
    writeFileSync(policies, 'type: socket\naction: reopen');
    await using jvm = launch(home);
    await open(jvm, 'datagram'); // this one can be opened again
    await withServer(async (port) => {
      const local = await open(jvm, `connect ${port}`);
      expect(await problems(jvm)).toEqual([
        `TCP connection 127.0.0.1:${local} to 127.0.0.1:${port}: action: reopen does not work for it; there are ignore and close`,
      ]);
    });
  });

  test('every mistake of the file is told with its line', async () => {
    writeFileSync(
      policies,
      [
        ...[
          'type: file',
          'action: open',
          '---',
          'type: socket',
          '---',
          'action: close',
          '---',
          'type: files',
          'action: close',
        ],
        ...[
          '---',
          'type: pipe',
          'action: close',
          'path: /x',
          '---',
          'type: socket',
          'remotePort: http',
          'action: close',
        ],
        ...['---', 'type: filedescriptor', 'regex: (', 'action: close', '---', 'type: file', 'what', 'type: pipe'],
      ].join('\n'),
    );
    await using jvm = launch(home);
    const { error, details = [] } = await refusal(jvm);
    expect(error).toBe('the app refused the checkpoint');
    expect(details.map((line) => line.replace(`${policies}:`, ''))).toEqual([
      '1: action: open is not known for file; there are error, ignore, close, reopen',
      '4: the rule has no action; there are error, ignore, close, reopen',
      '6: the rule has no type; there are file, pipe, socket, filedescriptor',
      '8: type: files is not known; there are file, pipe, socket, filedescriptor',
      '11: path is not a key of type: pipe; there are type, action, warn',
      '15: remotePort: http is neither a port nor *',
      '19: not a pattern: Unclosed group: (',
      '24: "what" is not of the form `key: value`',
      '25: type is there twice; rules are separated by a line ---',
      '23: the rule has no action; there are error, ignore, close',
    ]);
  });

  test('a file that cannot be read and a mode that does not exist are told', async () => {
    rmSync(policies);
    await using jvm = launch(home);
    expect(await problems(jvm)).toEqual([
      `the policies file ${policies} (jdk.crac.resource-policies) cannot be read: java.nio.file.NoSuchFileException: ${policies}`,
    ]);
    await using other = launch(home, '-Dcrac.resources=lax');
    expect(await problems(other)).toEqual(['crac.resources=lax is not known; there are strict and transparent']);
  });
});

test('what was decided is decided anew for another checkpoint', async () => {
  await using jvm = launch(home);
  const port = Number(await open(jvm, 'listen 0'));
  const client = connect(port, '127.0.0.1');
  await open(jvm, 'accept');
  const ready = await prepare(jvm.pid);
  expect(ready.resources?.map(({ action }) => action)).toEqual(['close']);
  simulateRestore(ready);
  client.destroy();
  await waitFor(async () => (await ctl(['status', '--pid', String(jvm.pid)])).json.state, 'restored');
  await open(jvm, 'close');
  expect((await prepare(jvm.pid)).resources).toEqual([]);
});
