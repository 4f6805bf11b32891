import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { FD } from '../../src/restore-plan/format.ts';
import { parsePlan } from '../../src/restore-plan/read-plan.ts';
import {
  askToPrepare,
  compileJava,
  dumpAndCompile,
  ended,
  eventually,
  findFreePort,
  get,
  HOMES,
  type HostJvm,
  openWork,
  startJvm,
  startRestored,
} from './host-jvm.ts';

const { work, native } = openWork('open-resources-test');
const classes = join(work, 'classes');
const held: (Socket | { close(): void })[] = [];

beforeAll(() => compileJava('OpenApp', classes), 60_000);
afterEach(() => {
  for (const each of held.splice(0)) {
    if ('destroy' in each) each.destroy();
    else each.close();
  }
});

const hold = <T extends (typeof held)[number]>(each: T): T => {
  held.push(each);
  return each;
};

test.each([17, 25] as const)(
  'JDK %d: what is open is refused, then allowed by the printed rules, and is what they say after the restore',
  async (version) => {
    const host: HostJvm = { home: HOMES[version], native, dir: join(work, String(version)) };
    const policies = join(work, `policies-${version}.yaml`);
    const log = join(work, `app-${version}.log`);
    const database = join(work, `app-${version}.db`);
    writeFileSync(database, 'abcdef');
    writeFileSync(policies, '');
    const port = await findFreePort();
    const jvm = startJvm(host, [
      `-Djdk.crac.resource-policies=${policies}`,
      '-Djdk.crac.collect-fd-stacktraces=true',
      ...['-cp', classes, 'OpenApp', String(port)],
    ]);
    const ask = (path: string) => get(port, path);
    await eventually(() => ask('/'));
    const remote = hold(createServer());
    await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve));
    const remotePort = (remote.address() as { port: number }).port;

    await ask(`/append/log?${log}`);
    await ask('/write/log?before');
    await ask(`/append/closed?${log}.closed`);
    await ask(`/both/db?${database}`);
    await ask('/overwrite/db?XY');
    const listening = Number(await ask('/listen/listener'));
    const client = hold(connect(listening, '127.0.0.1'));
    await once(client, 'connect');
    await ask('/accept/client?listener');
    await ask(`/connect/server?${remotePort}`);
    const datagrams = Number(await ask('/datagrams/datagrams'));
    const path = join(work, `unix-${version}`);
    await ask(`/unix/unix?${path}`);
    // An idle keep-alive connection of the HTTP server.
    const idle = hold(connect(port, '127.0.0.1'));
    idle.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(idle, 'data');

    const { status, answer } = askToPrepare(host, jvm.pid ?? 0);
    expect(status).toBe(1);
    expect(answer.error).toBe('what it has open cannot be taken along');
    const details: string = answer.details.join('\n');
    expect(details).toMatch(new RegExp(`^${log} \\(descriptor \\d+\\): it is open for writing$`, 'm'));
    expect(details).toMatch(new RegExp(`^${database} \\(descriptor \\d+\\): it is open for writing$`, 'm'));
    expect(details).toMatch(
      new RegExp(
        `^TCP connection 127.0.0.1:\\d+ to 127.0.0.1:${remotePort} \\(descriptor \\d+\\): the app has opened`,
        'm',
      ),
    );
    expect(details.match(/^ {2}opened by thread "HTTP-Dispatcher"$/gm)).toHaveLength(4);
    expect(details).toMatch(/^ {4}at OpenApp.connect\(OpenApp.java:\d+\)$/m);
    expect(await ask('/heard/client')).toBe('nothing');

    writeFileSync(policies, answer.policies.replace('.closed\naction: reopen', '.closed\naction: close'));
    const ready = askToPrepare(host, jvm.pid ?? 0);
    expect([ready.status, ready.answer.error]).toEqual([0, undefined]);
    const { planFile } = await dumpAndCompile(host, jvm, ready.answer);
    const { fd: fds, epoll: watched } = parsePlan(readFileSync(planFile)).sections;
    const epolls = fds.filter(({ kind }) => kind === FD.EPOLL).map(({ fd }) => fd);
    expect(watched.some(({ fd }) => epolls.includes(fd))).toBe(version >= 22); // the pollers of virtual threads
    expect(readFileSync(join(host.dir, 'app.log'), 'utf8')).toMatch(
      /^crac: warning: .*app-\d+.log .* action: reopen$/m,
    );
    appendFileSync(log, 'meanwhile\n');

    const restored = startRestored(host);
    await eventually(() => ask('/'));
    expect(await ask('/write/closed?x')).toMatch(/^java.io.IOException: Bad file descriptor$/);
    await ask('/write/log?after');
    expect(readFileSync(log, 'utf8')).toBe('before\nmeanwhile\nafter\n');
    await ask('/overwrite/db?Z');
    expect(readFileSync(database, 'utf8')).toBe('XYZdef');
    expect(await ask('/heard/client')).toBe('-1');
    expect(await ask('/heard/server')).toBe('-1');
    expect(await ask('/send/server?x')).toMatch(/^java.*Broken pipe/);
    expect(await ask(`/acceptUnix/unix?${path}`)).toBe(`${path} ${path}`);
    const received = ask('/receive/datagrams');
    await sendDatagram(datagrams, 'over UDP');
    expect(await received).toBe('over UDP');
    hold(await connected(listening));
    expect(await ask('/accept/again?listener')).toBe('accepted');
    expect(await ask('/heard/again')).toBe('nothing');

    // Another container: the log lies on a fresh volume.
    await end(restored);
    rmSync(log);
    const fresh = startRestored(host);
    await eventually(() => ask('/'));
    await ask('/write/log?anew');
    expect(readFileSync(log, 'utf8')).toBe('anew\n');

    await end(fresh);
    writeFileSync(database, 'ab');
    expect(await end(startRestored(host), 'SIGCONT')).toBe(125);
    expect(readFileSync(join(host.dir, 'restored.log'), 'utf8')).toMatch(
      /^crac: cannot restore: .*\.db has changed: 2 bytes, 6 at the checkpoint$/m,
    );
  },
  60_000,
);

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
  child.kill(signal);
  return await ended(child);
}

async function sendDatagram(port: number, text: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send(text, port, '127.0.0.1', resolve));
  socket.close();
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}
