/** A restored JVM is checkpointed and restored again, and again. */
import { type ChildProcess, execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  askToPrepare,
  compileJava,
  dumpAndCompile,
  eventually,
  findFreePort,
  HOMES,
  type HostJvm,
  openWork,
  startJvm,
  startRestored,
} from './host-jvm.ts';

const run = promisify(execFile);
const { work, native } = openWork('cycles-test');
const classes = join(work, 'classes');
/** What the system's vdso does with the old one: it takes its place, or is called from it, or is not moved at all. */
const VDSO_WAYS = ['', 'patch', 'patch', '', 'stay', '', 'patch'];
const SETTLED_CYCLE = 5;
const USE_REQUESTS = 20;
/** HotSpot cleans its pool of arenas every 5 s. */
const ARENAS_MS = 5500;
/** What CyclesApp adds to its table with each request. */
const SUM_PER_REQUEST = 992;
/** With which CyclesApp fills an array that is garbage after the first restore. */
const ONCE = 0x5a;
const PAGE_BYTES = 4096;
const TICK_MS = 10;
/** In which no time passes for the app. */
const LONG_PAUSE_MS = 3000;

beforeAll(() => compileJava('CyclesApp', classes, [join(native, 'crac.jar')]), 60_000);

test.each([
  [17, 'Serial', 'map', 50],
  [17, 'G1', 'read', 3],
  [17, 'Parallel', 'map', 3],
  [25, 'Serial', 'map', SETTLED_CYCLE + 2],
  [25, 'G1', 'map', 3],
  [25, 'Parallel', 'read', 3],
] as const)(
  'JDK %d with %s, memory %s: %d checkpoints and restores in a row lose and leak nothing',
  async (version, collector, memory, cycles) => {
    const home = HOMES[version];
    const port = await findFreePort();
    const hostOf = (cycle: number): HostJvm => ({ home, native, dir: join(work, `${version}-${collector}-${cycle}`) });
    let jvm = startJvm(hostOf(0), [`-XX:+Use${collector}GC`, '-cp', classes, 'CyclesApp', String(port)]);
    const launchedMs = performance.now();
    const [firstNanos = 0] = await said(port, 'nanos');
    let lastNanos = firstNanos;
    let requests = 1;
    let deadMs = 0;
    const uses: Use[] = [];
    // From then on HotSpot has a socket, which is not taken along.
    const useJcmd = async () => {
      if (version !== 25 || collector !== 'Serial') return;
      const { stdout } = await run(join(home, 'bin/jcmd'), [String(jvm.pid), 'VM.version'], { timeout: 20_000 });
      expect(stdout).toContain(`${jvm.pid}:\n`);
      rmSync(`/tmp/.java_pid${jvm.pid}`);
    };
    await useJcmd();

    for (let cycle = 1; cycle <= cycles; cycle++) {
      const host = hostOf(cycle);
      const isMeasured = cycles > SETTLED_CYCLE && (cycle === SETTLED_CYCLE || cycle === cycles);
      if (isMeasured) requests += await useAll(port);
      const { answer } = askToPrepare(host, jvm.pid ?? 0, isMeasured ? ARENAS_MS : 0);
      expect(answer.error).toBeUndefined();
      const { memFile, unknownMalloc } = await dumpAndCompile(
        host,
        jvm,
        answer,
        memory,
        cycle === 1 ? ['duplicates'] : [],
      );
      // Of memory that is mapped from the last checkpoint, too, malloc's free part is known.
      expect(unknownMalloc).toBeUndefined();
      if (cycle === 1) expect(countPagesOfOnce(memFile)).toBeGreaterThan(200);
      else expect(countPagesOfOnce(memFile)).toBe(0);
      const diedMs = performance.now();
      // Only what the app was restored from last is needed now: one checkpoint replaces the other.
      rmSync(hostOf(cycle - 1).dir, { recursive: true });
      rmSync(join(host.dir, 'images'), { recursive: true });
      if (cycle === 2 && cycles > SETTLED_CYCLE) await sleep(LONG_PAUSE_MS);
      deadMs += performance.now() - diedMs;
      jvm = startRestored(host, [], { CRAC_VDSO: VDSO_WAYS[cycle % VDSO_WAYS.length] ?? '' });

      const [sum, before, after, backwards, pid, ticks = 0, nanos = 0] = await said(
        ...([port, 'sum', 'before', 'after', 'backwards', 'pid', 'ticks', 'nanos'] as const),
      );
      requests++;
      expect({ cycle, sum, before, after, backwards, pid }).toEqual({
        ...{ cycle, before: cycle, after: cycle, backwards: 0, pid: jvm.pid },
        sum: requests * SUM_PER_REQUEST,
      });
      const aliveMs = performance.now() - launchedMs - deadMs;
      expect(nanos).toBeGreaterThan(lastNanos);
      expect((nanos - firstNanos) / 1e6).toBeLessThan(aliveMs);
      expect(ticks).toBeLessThanOrEqual(aliveMs / TICK_MS);
      lastNanos = nanos;
      await useJcmd();
      if (isMeasured) uses.push(await takeUse(jvm));
    }
    const [early, late] = uses;
    if (early === undefined || late === undefined) return;
    expect(late.descriptors).toBe(early.descriptors);
    expect(late.threads).toBe(early.threads);
    expect(late.ownBytes).toBeLessThan(early.ownBytes * 1.05);
    expect(late.areas).toBeLessThan(early.areas * 1.2);
  },
  300_000,
);

interface Use {
  readonly descriptors: number;
  readonly threads: number;
  readonly ownBytes: number;
  readonly areas: number;
}

/** The app touches all that it uses. */
async function useAll(port: number): Promise<number> {
  for (let i = 0; i < USE_REQUESTS; i++) await said(port);
  return USE_REQUESTS;
}

/** Of a JVM that has just been restored: what its compilers needed in between has been given back before. */
async function takeUse(jvm: ChildProcess): Promise<Use> {
  await sleep(500); // it closes its end of the last connection
  const folder = `/proc/${jvm.pid}`;
  return {
    descriptors: readdirSync(`${folder}/fd`).length,
    threads: readdirSync(`${folder}/task`).length,
    ownBytes: measureOwnMemory(jvm.pid ?? 0),
    areas: readFileSync(`${folder}/maps`, 'utf8').split('\n').length,
  };
}

/**
 * What is resident, without the pages of libraries and jars, and all of it: of mapped files the kernel has as much
 * resident as it likes, which is more than 5 % of the whole one time or another. Reading brings in what is missing.
 */
function measureOwnMemory(pid: number): number {
  const isOwn = (line: string) =>
    /^[0-9a-f]+-[0-9a-f]+ r..p .* (0 *(\[(heap|stack)\])?|\S+ +\S+\/mem\.bin)$/.test(line);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const buffer = Buffer.alloc(1 << 20);
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').filter(isOwn)) {
    const [start = 0, end = 0] = line.split(/[- ]/, 2).map((hex) => Number.parseInt(hex, 16));
    for (let at = start; at < end; at += buffer.length)
      readSync(memory, buffer, 0, Math.min(buffer.length, end - at), at);
  }
  closeSync(memory);
  let isCounted = false;
  let bytes = 0;
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-/.test(line)) isCounted = isOwn(line);
    else if (isCounted && line.startsWith('Rss:')) bytes += Number(/\d+/.exec(line)) * 1024;
  }
  return bytes;
}

/** What is garbage now was in the first checkpoint, and must not come out of it into later ones. */
function countPagesOfOnce(memFile: string): number {
  const memory = readFileSync(memFile);
  const wanted = Buffer.alloc(PAGE_BYTES, ONCE);
  let pages = 0;
  for (let at = 0; at < memory.length; at += PAGE_BYTES)
    if (wanted.equals(memory.subarray(at, at + PAGE_BYTES))) pages++;
  return pages;
}

/** The app's answer, when there is one: "name value …". */
async function said(port: number, ...names: readonly string[]): Promise<readonly (number | undefined)[]> {
  const answer = await eventually(async () => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    let text = '';
    for await (const part of socket.setEncoding('utf8')) text += part;
    if (text === '') throw new Error('an empty answer');
    return new Map([...text.matchAll(/(\w+) (\S+)/g)].map(([, name, value]) => [name, Number(value)]));
  });
  return names.map((name) => answer.get(name));
}
