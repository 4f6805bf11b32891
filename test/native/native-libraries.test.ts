/** Java libraries with native code of their own, all of them in one JVM. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  askToPrepare,
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

const { work, native } = openWork('native-libraries-test');
const jars = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build-test/native-libraries');
const classPath = `${join(work, 'classes')}:${jars}/*`;
/** Where the libraries are unpacked. */
const tmp = join(work, 'tmp');
beforeAll(() => {
  mkdirSync(tmp);
  const source = join(import.meta.dirname, 'libraries/LibrariesApp.java');
  execFileSync(join(HOMES[17], 'bin/javac'), [
    '--release',
    '17',
    '-cp',
    `${jars}/*`,
    '-d',
    join(work, 'classes'),
    source,
  ]);
}, 60_000);

test.each([17, 25] as const)(
  'JDK %d: Netty with epoll and tcnative, Conscrypt, JNA and SQLite go on where they were',
  async (version) => {
    const host: HostJvm = { home: HOMES[version], native, dir: join(work, String(version)) };
    const { jvm, port } = await startLibraries(host, ':memory:');
    const { answer } = askToPrepare(host, jvm.pid ?? 0);
    expect([answer.error, answer.details]).toEqual([undefined, undefined]);
    const image = await dumpAndCompile(host, jvm, answer);
    expect(image.allocators).toEqual([]);

    const randoms: (string | undefined)[] = [];
    for (const container of [1, 2]) {
      const restored = startRestored(host);
      randoms.push(expectAnswer(await eventually(() => get(port, '/')), 2));
      expectAnswer(await get(port, '/'), 3);
      // An orderly end removes what was unpacked; the next one here needs it, as another container would have it.
      restored.kill(container === 1 ? 'SIGKILL' : 'SIGTERM');
      await ended(restored);
    }
    expect(randoms[0]).not.toBe(randoms[1]);
  },
  60_000,
);

test('a database file, and callbacks by way of a deleted library, are refused by name', async () => {
  const host: HostJvm = { home: HOMES[17], native, dir: join(work, 'refused') };
  const file = join(work, 'visits.db');
  const { jvm, port } = await startLibraries(host, file, '-Djnidispatch.preserve=false');
  const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
  expect([status, answer.error]).toEqual([1, 'what it has open cannot be taken along']);
  expect(answer.details).toEqual(
    expect.arrayContaining([
      expect.stringMatching(new RegExp(`^${file} \\(descriptor \\d+\\): it is open for writing$`)),
      expect.stringMatching(/ffi\w{6} \(descriptor \d+\): native code calls back .*\(-Djnidispatch.preserve=true\)$/),
    ]),
  );
  expect(answer.policies).toBe(`type: file\npath: ${file}\naction: reopen`);
  expectAnswer(await get(port, '/'), 2);
}, 60_000);

async function startLibraries(host: HostJvm, database: string, ...options: readonly string[]) {
  const port = await findFreePort();
  const unpackTo = [`-Djava.io.tmpdir=${tmp}`, `-Djna.tmpdir=${tmp}`];
  const program = ['-cp', classPath, 'LibrariesApp', String(port), database];
  const jvm = startJvm(host, [...unpackTo, ...options, ...program]);
  expectAnswer(await eventually(() => get(port, '/')), 1);
  return { jvm, port };
}

/** Returns the random number in it. */
function expectAnswer(answer: string, visits: number): string | undefined {
  const wanted = ['netty echo later', 'tcnative true', 'conscrypt 2d711642', 'random', 'jna 123', `sqlite ${visits}`];
  expect(
    answer
      .replace(/^(random) [0-9a-f]{32}$/m, '$1')
      .trimEnd()
      .split('\n'),
  ).toEqual(wanted);
  return /^random (.*)$/m.exec(answer)?.[1];
}
