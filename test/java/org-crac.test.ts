/** org.crac as Maven Central has it, unmodified, on top of jdk.crac; scripts/install-dependencies fetches it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  agent,
  buildRuntime,
  CACHE,
  JDK_17,
  JDKS,
  launchJvm,
  prepare,
  simulateRestore,
  status,
  waitFor,
} from './jvm.ts';

const repo = new URL('../..', import.meta.url).pathname;
const jars = join(CACHE, 'crac-build-test/org.crac');
const work = mkdtempSync(join(tmpdir(), 'org-crac-'));
const VERSIONS = readdirSync(jars)
  .filter((name) => name.endsWith('.jar'))
  .map((name) => name.slice('crac-'.length, -'.jar'.length));

const jarOf = (version: string) => join(jars, `crac-${version}.jar`);
const javac = (out: string, classPath: string, ...sources: string[]) =>
  execFileSync(join(JDK_17, 'bin/javac'), ['--release', '17', '-Xlint:all', '-cp', classPath, '-d', out, ...sources]);

beforeAll(() => {
  buildRuntime();
  for (const version of VERSIONS)
    javac(join(work, version), jarOf(version), join(repo, 'test/java/orgcrac/OrgCrac.java'));
  writeJavaxCrac();
}, 60_000);
afterAll(() => rmSync(work, { recursive: true }));

/** A library that has the classes of jdk.crac under the name that was theirs for a while. */
function writeJavaxCrac(): void {
  const sources = join(work, 'javax-source');
  mkdirSync(sources);
  for (const name of ['Context', 'Resource', 'CheckpointException', 'RestoreException']) {
    const text = readFileSync(join(repo, `native/agent/java/jdk/crac/${name}.java`), 'utf8');
    writeFileSync(join(sources, `${name}.java`), text.replaceAll('jdk.crac', 'javax.crac'));
  }
  const core = readFileSync(join(repo, 'test/java/orgcrac/OtherCore.java'), 'utf8');
  writeFileSync(join(sources, 'Core.java'), core);
  javac(join(work, 'javax'), '', ...readdirSync(sources).map((name) => join(sources, name)));
}

test('1.4.0, 1.5.0 and the newest are here', () => {
  expect(VERSIONS).toEqual(expect.arrayContaining(['1.4.0', '1.5.0']));
});

const cases = JDKS.flatMap(([jdk, home]) => VERSIONS.map((version) => [version, jdk, home] as const));

test.each(cases)('org.crac %s on JDK %d: restored, refused, restored with a failure', async (version, _, home) => {
  const time = version === '1.4.0' ? [] : ['time'];
  const args = ['checkpoint', ...time, 'checkpoint', 'checkpoint'];
  const options = [agent, '-Xcheck:jni', '-cp', `${join(work, version)}:${jarOf(version)}`];
  await using jvm = launchJvm(home, 'OrgCrac', { options, args, classPath: [] });
  const restore = async (GREETING: string) => {
    await waitFor(() => status(jvm.pid), 'waiting');
    simulateRestore(await prepare(jvm.pid), { env: { GREETING } });
  };
  await restore('once');
  await jvm.line(/^org.crac.CheckpointException$/);
  await restore('twice');
  expect(await jvm.exited).toBe(0);
  expect(jvm.lines).toEqual([
    ...['before second true', 'before first true', 'after first once', 'after second once', 'returned'],
    ...(time.length > 0 ? ['restored true'] : []),
    ...['before second true', 'before first true', 'after first once', 'after second once'],
    'org.crac.CheckpointException',
    ...['  java.io.IOException: second is busy', '  java.io.IOException: first is busy'],
    ...['before second true', 'before first true', 'after first twice', 'after second twice'],
    'org.crac.RestoreException',
    ...['  java.io.IOException: first is unreachable', '  java.io.IOException: second is unreachable'],
    'kept 2',
  ]);
});

const [[, home]] = JDKS as [readonly [number, string]];

test('where nobody takes a checkpoint, org.crac says what it was told', async () => {
  const options = [`${agent}=off`, '-cp', `${join(work, '1.5.0')}:${jarOf('1.5.0')}`];
  await using jvm = launchJvm(home, 'OrgCrac', { options, args: ['checkpoint'], classPath: [] });
  await jvm.exited;
  expect(jvm.lines).toEqual([
    'org.crac.CheckpointException',
    '  java.lang.UnsupportedOperationException: this JVM was not started for a checkpoint',
    'kept 2',
  ]);
});

test.each([
  ['javax.crac, where there is one, comes first', [], ['registered with javax.crac', 'registered with javax.crac']],
  ['-Dorg.crac.Core.Compat decides', ['-Dorg.crac.Core.Compat=jdk.crac'], []],
])('%s', async (_, decision, expected) => {
  const path = [join(work, '1.5.0'), jarOf('1.5.0'), join(work, 'javax')].join(':');
  await using jvm = launchJvm(home, 'OrgCrac', { options: [agent, ...decision, '-cp', path], classPath: [] });
  await jvm.exited;
  expect(jvm.lines).toEqual([...expected, 'kept 2']);
});
