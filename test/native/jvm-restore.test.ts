/** The whole way on this machine, without container and agent: stock JVM → CRIU → compile → restorer → the same JVM. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  get as ask,
  compileJava,
  dumpAndCompile,
  ended,
  eventually,
  findFreePort,
  HOMES,
  type HostJvm,
  openWork,
  startPlainJvm,
  startRestored,
  UNPREPARED,
} from './host-jvm.ts';

const { work, native } = openWork('jvm-restore-test');
const classes = join(work, 'classes');
beforeAll(() => compileJava('RestoredApp', classes), 60_000);

test.each([
  [17, 'Serial', 'map'],
  [17, 'G1', 'read'],
  [25, 'Serial', 'read'],
  [25, 'G1', 'map'],
] as const)(
  'JDK %d with %s, memory %s, goes on where it was',
  async (version, collector, mode) => {
    const host: HostJvm = { home: HOMES[version], native, dir: join(work, `${version}-${collector}-${mode}`) };
    const port = await findFreePort();
    const jvm = startApp(host, collector, port);
    await eventually(() => ask(port, '/hit'));
    for (const path of ['/gc', '/null', '/overflow', '/threads', '/hit']) await ask(port, path);
    await sleep(700);
    const compiled = await dumpAndCompile(host, jvm, UNPREPARED, mode);
    expect(compiled.threadCount).toBeGreaterThan(10);
    expect(compiled.droppedPages.zero).toBeGreaterThan(0);
    expect(compiled.allocators).toEqual([]);

    const restored = startRestored(host);
    const [roundsBefore = 0] = numbersIn(await eventually(() => ask(port, '/rounds')));
    expect(await ask(port, '/hit')).toBe('hits 3');
    const ticksBefore = Number(await ask(port, '/ticks'));
    expect(await ask(port, '/null')).toBe('caught');
    expect(await ask(port, '/overflow')).toBe('caught');
    expect(await ask(port, '/gc')).toBe('collected');
    expect(await ask(port, '/threads')).toBe('threads 100');
    expect(Number(await ask(port, '/sleep'))).toBeGreaterThanOrEqual(100);
    for (let i = 0; i < 200; i++) expect(await ask(port, '/hit')).toBe(`hits ${i + 4}`);
    expect(await ask(port, '/gc')).toBe('collected');
    expect(Number(await ask(port, '/ticks'))).toBeGreaterThan(ticksBefore);
    const [rounds = 0, wrongSums] = numbersIn(await ask(port, '/rounds'));
    expect(rounds).toBeGreaterThan(roundsBefore);
    expect(wrongSums).toBe(0);

    restored.kill('SIGTERM');
    expect(await ended(restored)).toBe(143);
    expect(readFileSync(join(host.dir, 'restored.log'), 'utf8')).toContain('shutdown hook ran');
  },
  60_000,
);

test("HotSpot's thread ids are the new ones: a thread dump names the threads that exist", async () => {
  const host: HostJvm = { home: HOMES[17], native, dir: join(work, 'ids') };
  const port = await findFreePort();
  const jvm = startApp(host, 'Serial', port);
  await eventually(() => ask(port, '/hit'));
  await dumpAndCompile(host, jvm, UNPREPARED);
  const restored = startRestored(host);
  await eventually(() => ask(port, '/hit'));
  restored.kill('SIGQUIT');
  const dump = await eventually(async () => {
    const log = readFileSync(join(host.dir, 'restored.log'), 'utf8');
    if (!log.includes('JNI global refs')) throw new Error('no thread dump yet');
    return log;
  });
  const ids = [...dump.matchAll(/nid=0x([0-9a-f]+)/g)].map(([, hex]) => Number.parseInt(hex ?? '', 16));
  expect(ids.length).toBeGreaterThan(10);
  for (const id of ids) expect(existsSync(`/proc/${restored.pid}/task/${id}`)).toBe(true);
}, 60_000);

function startApp(host: HostJvm, collector: string, port: number): ChildProcess {
  return startPlainJvm(host, [`-XX:+Use${collector}GC`, '-cp', classes, 'RestoredApp', String(port)]);
}

function numbersIn(text: string): number[] {
  return text.split(' ').map(Number);
}
