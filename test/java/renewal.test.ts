/** What must not be the same in two processes restored from one image, and what ties the process to its surroundings. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  agent,
  buildRuntime,
  ctl,
  JDKS,
  type Jvm,
  launchJvm,
  prepare,
  simulateRestore,
  status,
  waitFor,
} from './jvm.ts';

const work = mkdtempSync(join(tmpdir(), 'renewal-test-'));
/** Preloaded, it has a JVM see the wall clock that moveWallClock() makes. */
const movableClock = join(work, 'wall_clock.so');
const wallClock = join(work, 'offset');
const source = join(import.meta.dirname, 'programs/wall_clock.c');

beforeAll(() => {
  buildRuntime();
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', movableClock, source]);
}, 60_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** In place: JVMs have mapped the file. */
function moveWallClock(ms: number): void {
  const offset = Buffer.alloc(8);
  offset.writeBigInt64LE(BigInt(ms) * 1_000_000n);
  writeFileSync(wallClock, offset, { flag: existsSync(wallClock) ? 'r+' : 'w' });
}

// HotSpot warns of every wrong use of JNI
const CHECKED = [agent, '-Xcheck:jni'];
const AS_IN_A_BUILD = [agent, '-XX:+PerfDisableSharedMem'];

/** The program looks into the generators. */
const OPEN = [
  'java.base/java.lang',
  'java.base/java.util',
  'java.base/java.security',
  'java.base/sun.security.provider',
].map((name) => `--add-opens=${name}=ALL-UNNAMED`);

async function valuesOf(jvm: Jvm): Promise<Readonly<Record<string, string>>> {
  jvm.send('values');
  const line = await jvm.line(/^values /);
  return Object.fromEntries(
    line
      .split(' ')
      .slice(1)
      .map((pair) => pair.split('=')),
  );
}

function withPrefix(values: Readonly<Record<string, string>>, prefix: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith(prefix)));
}

describe.each(JDKS)('random numbers on JDK %d', (_, home) => {
  test('generators that the app seeded go on, all others have been found', async () => {
    await using untouched = launchJvm(home, 'Generators', { options: ['-Xint'] });
    await untouched.line(/^ready$/);
    const expected = await valuesOf(untouched);

    await using jvm = launchJvm(home, 'Generators', { options: CHECKED });
    await jvm.line(/^ready$/);
    simulateRestore(await prepare(jvm.pid), { env: { CRAC_LOG: 'debug' } });
    const told = await jvm.line(/generators and threads have new seeds/);
    // made by the program: 4 of SecureRandom, 1 foreign, 3 of Random, 2 of SplittableRandom; 3 that seed new ones; its thread
    expect(Number(/crac: (\d+) generators/.exec(told)?.[1])).toBeGreaterThanOrEqual(14);
    await waitFor(() => status(jvm.pid), 'restored');
    const values = await valuesOf(jvm);
    expect(Object.keys(withPrefix(values, 'seeded.'))).toHaveLength(6);
    expect(withPrefix(values, 'seeded.')).toEqual(withPrefix(expected, 'seeded.'));
    expect(values['foreign.seedBytes']).toBe('32');
    expect(jvm.lines.join('\n')).not.toMatch(/WARNING/);
  });

  test('what follows from the state at the checkpoint is not what comes', async () => {
    await using jvm = launchJvm(home, 'Twins', { options: [...CHECKED, ...OPEN] });
    await jvm.line(/^ready$/);
    simulateRestore(await prepare(jvm.pid));
    await waitFor(() => status(jvm.pid), 'restored');
    jvm.send('compare');
    expect(await jvm.line(/^differ/)).toBe('differ Random Gaussian SHA1PRNG DRBG SplittableRandom ThreadLocalRandom');
    expect(await jvm.line(/^equal/)).toBe('equal seededRandom seededSHA1PRNG seededSplittableRandom');
    // What each new Random multiplies: an even factor becomes 0 before long.
    expect(await jvm.line(/^factor/)).toBe('factor odd');
  });
});

describe.each(JDKS)('surroundings on JDK %d', (version, home) => {
  test('CRAC_LOG=debug lists the names of what has changed, without values', async () => {
    const env = { GONE: 'secret-1', SAME: 'secret-2', OTHER: 'secret-3' };
    await using jvm = launchJvm(home, 'Restorable', { env });
    await jvm.line(/^ready$/);
    simulateRestore(await prepare(jvm.pid), {
      args: ['-Dapp.color=secret-4', '-Djava.vendor=secret-5'],
      env: { PATH: '/usr/bin:/bin', SAME: 'secret-2', OTHER: 'secret-6', FRESH: 'secret-7', CRAC_LOG: 'debug' },
    });
    const names = 'CRAC_LOG added, FRESH added, GONE removed, OTHER changed';
    const line = await jvm.line(/^crac: environment/);
    expect(line.replace(/, (PWD|SHLVL|_) removed/g, '')).toBe(`crac: environment: ${names}`); // those are of the launching shell
    expect(await jvm.line(/^crac: properties/)).toBe('crac: properties: app.color added, java.vendor changed');
    await jvm.line(/^after second/);
    expect(jvm.lines.join('\n')).not.toContain('secret');
  });

  test('jps and jstat find the JVM, not in a dump, not after its end', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: AS_IN_A_BUILD });
    await jvm.line(/^ready$/);
    const file = `/tmp/hsperfdata_${userInfo().username}/${jvm.pid}`;
    const isThere = () => existsSync(file);
    const isMapped = () => readFileSync(`/proc/${jvm.pid}/maps`, 'utf8').includes(file);
    expect(isThere()).toBe(false);
    simulateRestore(await prepare(jvm.pid));
    await waitFor(isThere, true);
    const tool = (...args: string[]) =>
      execFileSync(join(home, 'bin', args[0] ?? ''), args.slice(1), { encoding: 'utf8' });
    await waitFor(isMapped, true);
    expect(tool('jps')).toContain(`${jvm.pid} Restorable\n`);
    const collections = () =>
      Number(/(\d+)\s+[\d.]+\s+\d+\s+[\d.]+\s+[\d.]+\s*$/.exec(tool('jstat', '-gcutil', String(jvm.pid)))?.[1]);
    expect(collections()).toBeGreaterThanOrEqual(0);

    const again = await prepare(jvm.pid);
    expect([isThere(), isMapped()]).toEqual([false, false]);
    await ctl(['resume', again.mailbox.address, '--pid', String(jvm.pid)]);
    await waitFor(isThere, true);
    expect(tool('jcmd', String(jvm.pid), 'VM.version')).toContain(`${jvm.pid}:`);
    jvm.send('exit');
    expect(await jvm.exited).toBe(0);
    expect(isThere()).toBe(false);
  });

  test.each([
    ['an hour later', 3_600_000],
    ['and the clock was set back by an hour', -3_600_000],
  ])('java.util.Timer neither makes up for what it has missed nor waits for the old time: %s', async (_, jumpMs) => {
    const env = { LD_PRELOAD: movableClock, WALL_CLOCK: wallClock };
    moveWallClock(0);
    await using jvm = launchJvm(home, 'Restorable', { options: [...CHECKED, ...OPEN], env });
    jvm.send('timer 0');
    await jvm.line(/^timer runs/);
    jvm.send('waiting');
    await jvm.line(/^waiting/);
    const nextRuns = async () => {
      jvm.send('next');
      return (await jvm.line(/^next/)).split(' ').slice(1).map(Number);
    };
    const [once = 0, again = 0] = await nextRuns();
    const ready = await prepare(jvm.pid);
    const ticks = async () => {
      jvm.send('ticks');
      return Number((await jvm.line(/^ticks/)).slice('ticks '.length));
    };
    process.kill(jvm.pid, 'SIGSTOP'); // as if it were in a dump
    moveWallClock(jumpMs);
    simulateRestore(ready);
    process.kill(jvm.pid, 'SIGCONT');
    await jvm.line(/^after second/);
    const before = await ticks();
    await new Promise((resolve) => setTimeout(resolve, 800));
    // a run takes 20 ms: 8 are due, and making up for the hour would be as many as can be
    const runs = (await ticks()) - before;
    expect(runs).toBeGreaterThan(1);
    expect(runs).toBeLessThan(20);
    // a task for one point in time keeps it, a delay has as much left as when the clock stopped
    const [onceNow = 0, againNow = 0] = await nextRuns();
    expect(onceNow).toBe(once);
    expect(againNow - again).toBeGreaterThanOrEqual(jumpMs);
    expect(againNow - again).toBeLessThan(jumpMs + 60_000);
    expect(jvm.lines.join('\n')).not.toMatch(/WARNING/);
  });

  test('pools of the JDK follow the number of processors', async () => {
    await using jvm = launchJvm(home, 'Restorable', { options: [agent, ...OPEN] });
    const schedulerOf = (count: number) => (version < 21 ? '' : String(count));
    const count = availableParallelism();
    expect(count).toBeGreaterThan(1);
    jvm.send('processors before');
    expect(await jvm.line(/^processors/)).toBe(`processors ${count} before ${schedulerOf(count)}`);
    const ready = await prepare(jvm.pid);
    execFileSync('taskset', ['-a', '-p', '-c', '0', String(jvm.pid)]);
    simulateRestore(ready, { env: { CRAC_LOG: 'debug' } });
    await jvm.line(new RegExp(`^crac: processors: 1 instead of ${count}$`));
    jvm.send('processors after');
    expect(await jvm.line(/^processors/)).toBe(`processors 1 after ${schedulerOf(1)}`);
  });
});

const [[, home]] = JDKS as [readonly [number, string]];

test.each([
  ['a user without a name', home, 54321],
  ['a /tmp that cannot be written', readOnlyTmp(home), undefined],
])('with %s there is no such file, and nobody complains', async (_, home, uid) => {
  await using jvm = launchJvm(home, 'Restorable', { options: AS_IN_A_BUILD, ...(uid && { uid }) });
  await jvm.line(/^ready$/);
  simulateRestore(await prepare(jvm.pid));
  await jvm.line(/^after second/);
  await waitFor(() => status(jvm.pid), 'restored');
  expect(existsSync(`/proc/${jvm.pid}/root/tmp/hsperfdata_${userInfo().username}/${jvm.pid}`)).toBe(false);
  expect(jvm.lines.filter((line) => !/^(before|after|ready)/.test(line))).toEqual([]);
});

/** A JDK whose JVMs see /tmp read-only. */
function readOnlyTmp(home: string): string {
  const jdk = join(work, 'read-only-tmp');
  const java = `unshare --mount sh -c 'mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp && exec "$0" "$@"' ${home}/bin/java "$@"`;
  mkdirSync(join(jdk, 'bin'), { recursive: true });
  writeFileSync(join(jdk, 'bin/java'), `#!/bin/sh\nexec ${java}\n`, { mode: 0o755 });
  return jdk;
}
