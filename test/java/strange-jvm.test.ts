/**
 * JVMs that are not HotSpot. There is none in Debian's archive to install, so a small library stands in for one: it has
 * JNI and JVMTI, and no symbol of HotSpot. A HotSpot that was built without vmStructs looks the same to the agent.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildRuntime, JDK_17, native } from './jvm.ts';

const source = join(import.meta.dirname, 'strange');
const work = mkdtempSync(join(tmpdir(), 'strange-jvm-'));
const REMEDY = "Use a build of OpenJDK 17, 21 or 25 with HotSpot, such as Temurin's or a distribution's";

beforeAll(() => {
  buildRuntime();
  const headers = ['include', 'include/linux'].map((folder) => `-I${join(JDK_17, folder)}`);
  const flags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', ...headers];
  execFileSync('gcc', [...flags, '-fPIC', '-shared', '-o', join(work, 'libfake.so'), join(source, 'jvm.c')]);
  const link = [`-L${work}`, '-lfake', `-Wl,-rpath,${work}`, '-ldl'];
  execFileSync('gcc', [...flags, '-o', join(work, 'host'), join(source, 'host.c'), ...link]);
}, 60_000);
afterAll(() => rmSync(work, { recursive: true }));

const host = (kind: string) => {
  const { stdout, stderr } = spawnSync(join(work, 'host'), [join(native, 'libcrac.so'), kind], { encoding: 'utf8' });
  return { stdout: stdout.trimEnd().split('\n'), stderr: stderr.trimEnd() };
};

test('without JVMTI the app starts, with one line that says why and what to do', () => {
  expect(host('none')).toEqual({
    stdout: ['returned 0', 'obstacle: none'],
    stderr: `crac: warning: this JVM offers no JVMTI 9: the checkpoint agent cannot work here, the app goes on without. ${REMEDY}`,
  });
});

test('without gHotSpotVMStructs the app starts, silently; whoever asks for a checkpoint is told', () => {
  expect(host('jvmti')).toEqual({
    // JVMTI_EVENT_VM_INIT is on, so that jdk.crac is there
    stdout: [
      'event 50 mode 1 callback 1',
      'returned 0',
      `obstacle: this JVM is not HotSpot, or does not describe its structures (gHotSpotVMStructs): no checkpoint of it can be taken. ${REMEDY}`,
    ],
    stderr: '',
  });
});
