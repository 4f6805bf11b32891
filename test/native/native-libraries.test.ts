/** Java libraries with native code of their own, all of them in one JVM. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  askToPrepare,
  dumpAndCompile,
  eventually,
  findFreePort,
  get,
  HOMES,
  type HostJvm,
  openWork,
  startJvm,
  startRestored,
} from './host-jvm.ts';

/** They unpack their libraries, load them, and delete them: then no image has what is mapped. */
const KEEP_UNPACKED = [
  '-Dio.netty.native.deleteLibAfterLoading=false',
  '-Dorg.conscrypt.native.deleteLibAfterLoading=false',
  '-Djnidispatch.preserve=true',
];
const { work, native } = openWork('native-libraries-test');
const jars = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build-test/native-libraries');
const classPath = `${join(work, 'classes')}:${jars}/*`;
const tmp = join(work, 'tmp');
beforeAll(() => {
  mkdirSync(tmp);
  const source = join(import.meta.dirname, 'libraries/LibrariesApp.java');
  execFileSync(join(HOMES[17], 'bin/javac'), ['-cp', `${jars}/*`, '-d', join(work, 'classes'), source]);
}, 60_000);

test('Netty with epoll and tcnative, Conscrypt, JNA and SQLite go on where they were', async () => {
  const host: HostJvm = { home: HOMES[17], native, dir: join(work, 'jvm') };
  const port = await findFreePort();
  const unpackTo = [`-Djava.io.tmpdir=${tmp}`, `-Djna.tmpdir=${tmp}`];
  const jvm = startJvm(host, [...unpackTo, ...KEEP_UNPACKED, '-cp', classPath, 'LibrariesApp', String(port)]);
  const answerOf = (visits: number) =>
    ['netty echo later', 'tcnative true', 'conscrypt 2d711642', 'jna 123', `sqlite ${visits}`, ''].join('\n');
  expect(await eventually(() => get(port, '/'))).toBe(answerOf(1));

  const { answer } = askToPrepare(host, jvm.pid ?? 0);
  expect([answer.error, answer.details]).toEqual([undefined, undefined]);
  const image = await dumpAndCompile(host, jvm, answer);
  expect(image.allocators).toEqual([]);
  startRestored(host);
  expect(await eventually(() => get(port, '/'))).toBe(answerOf(2));
  expect(await get(port, '/')).toBe(answerOf(3));
  expect(readdirSync(tmp).length).toBeGreaterThan(3);
}, 60_000);
