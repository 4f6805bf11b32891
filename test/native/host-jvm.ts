/** A JVM is prepared, dumped and restored on this machine, outside a container. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadyFacts } from '../../src/criu/checkpoint.ts';
import { parseCpu } from '../../src/criu/control.ts';
import { DESCRIPTOR_FACTS } from '../../src/criu/descriptor-facts.ts';
import { readDump } from '../../src/criu/read-dump.ts';
import { openToolbox } from '../../src/criu/toolbox.ts';
import { compileDump } from '../../src/restore-plan/compile-dump.ts';
import type { RestoreImage } from '../../src/restore-plan/restore-image.ts';
import type { StepName } from '../../src/steps.ts';

export { findFreePort } from '../support/free-port.ts';

const repo = new URL('../..', import.meta.url).pathname;
export const HOMES = { 17: '/usr/lib/jvm/java-17-openjdk-amd64', 25: '/usr/lib/jvm/temurin-25-jdk-amd64' } as const;
/** Descriptors of this process and of those that started it must not get into the dump. */
const CLOSE_OTHERS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash that expands it
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; exec "$@"';

/** What a JVM without the agent is dumped with: nobody has prepared it. */
export const UNPREPARED: ReadyFacts = {
  ...{ pid: 0, mailbox: { address: '0x0', sizeBytes: 0, nonce: '0x0' }, nanoOffset: '0x0' },
  ...{ javaVersion: '', gc: '', steps: [] },
};

/** A folder of the calling test file, with the native parts in `native`; it is gone after the tests. */
export function openWork(name: string): { readonly work: string; readonly native: string } {
  const work = mkdtempSync(join(tmpdir(), `${name}-`));
  const native = join(work, 'native');
  beforeAll(() => buildNative(native), 120_000);
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  return { work, native };
}

/** What was started here ends with its test. */
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

export function buildNative(out: string): void {
  const parts = ['restore', 'ctl', 'libcrac.so', 'crac.jar'].map((part) => join(out, part));
  execFileSync('make', ['-s', '-C', join(repo, 'native'), `OUT=${out}`, ...parts]);
}

/** Compiles test/native/jvm/NAME.java, or another file of the repository, for JDK 17 and newer. */
export function compileJava(source: string, classes: string, classPath: readonly string[] = []): void {
  const path = join(repo, source.includes('/') ? source : `test/native/jvm/${source}.java`);
  const javac = ['--release', '17', '-Xlint:all', '-Werror', '-cp', classPath.join(':'), '-d', classes, path];
  execFileSync(join(HOMES[17], 'bin/javac'), javac);
}

export interface HostJvm {
  readonly home: string;
  readonly native: string;
  /** For logs, dump and plan. */
  readonly dir: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A descriptor; nothing where it is left out. */
  readonly stdin?: number;
}

/** `options` win over what is set here; its output goes to DIR/app.log. */
export function startJvm(host: HostJvm, options: readonly string[], start: StartOptions = {}): ChildProcess {
  const collector = options.some((option) => /^-XX:\+Use\w+GC$/.test(option)) ? [] : ['-XX:+UseSerialGC'];
  return startPlainJvm(host, [`-agentpath:${host.native}/libcrac.so`, ...collector, ...options], start);
}

/** Without the agent. */
export function startPlainJvm(
  { home, dir }: HostJvm,
  options: readonly string[],
  { env = {}, stdin }: StartOptions = {},
): ChildProcess {
  mkdirSync(dir, { recursive: true });
  const argv = [join(home, 'bin/java'), '-Xmx64m', '-XX:+PerfDisableSharedMem', ...options];
  return start(argv, join(dir, 'app.log'), env, stdin);
}

/** `ctl checkpoint`: ReadyFacts, or the refusal. */
export function askToPrepare({ native }: HostJvm, pid: number, settleMs = 0) {
  const argv = ['checkpoint', '--settle-ms', String(settleMs), '--pid', String(pid)];
  const { stdout, status } = spawnSync(join(native, 'ctl'), argv, { encoding: 'utf8' });
  return { status, answer: JSON.parse(stdout) };
}

/** Dumps a JVM, ends it, and compiles the dump. */
export async function dumpAndCompile(
  { native, dir }: HostJvm,
  jvm: ChildProcess,
  ready: ReadyFacts,
  memory: 'map' | 'read' = 'map',
  skip: readonly StepName[] = [],
): Promise<RestoreImage> {
  const images = join(dir, 'images');
  mkdirSync(images, { recursive: true });
  const toolbox = await openToolbox({
    criu: undefined,
    dir: undefined,
    cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build'),
    signal: new AbortController().signal,
  });
  const [command = '', ...args] = toolbox.criuCommand.map((word) => word.replaceAll('{}', toolbox.dir));
  const options = '--unprivileged --shell-job --tcp-close --manage-cgroups=ignore --leave-stopped -v4 -o dump.log';
  const dumped = spawnSync(command, [...args, 'dump', '-t', `${jvm.pid}`, '-D', images, ...options.split(' ')], {
    cwd: toolbox.dir,
    encoding: 'utf8',
  });
  if (dumped.status !== 0)
    throw new Error(`${dumped.stderr}${readFileSync(join(images, 'dump.log'), 'utf8').slice(-2000)}`);
  const facts = execFileSync(join(native, 'ctl'), ['descriptors', '--pid', `${jvm.pid}`]);
  writeFileSync(join(images, DESCRIPTOR_FACTS), facts);
  jvm.kill('SIGKILL');
  await ended(jvm);
  const cpu = parseCpu(execFileSync(join(native, 'ctl'), ['cpu'], { encoding: 'utf8' }));
  const rootFile = async (path: string) => {
    const found = existsSync(path) ? statSync(path) : undefined;
    return found && { sizeBytes: found.size, mtimeSeconds: found.mtimeMs / 1000, localPath: path };
  };
  return await compileDump(readDump(images), { cpu, ready, rootFile }, memory, dir, undefined, new Set(skip));
}

/** Its output goes to DIR/restored.log. */
export function startRestored(
  { native, dir }: HostJvm,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
  stdin?: number,
): ChildProcess {
  writeFileSync(join(dir, 'cold'), '0\0/bin/false\0');
  const own = { CRAC_CHECKPOINT: dir, CRAC_COLD: join(dir, 'cold'), CRAC_RESTORE: 'require' };
  return start([...wrapper, join(native, 'restore'), ...args], join(dir, 'restored.log'), { ...env, ...own }, stdin);
}

function start(
  argv: readonly string[],
  log: string,
  env: Readonly<Record<string, string>>,
  stdin?: number,
): ChildProcess {
  const out = openSync(log, 'a');
  const child = spawn('bash', ['--norc', '-c', CLOSE_OTHERS, 'bash', ...argv], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: [stdin ?? 'ignore', out, out],
    detached: true,
  });
  closeSync(out);
  started.push(child);
  return child;
}

/** Its exit code; null when a signal has ended it. */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve));
  return child.exitCode;
}

/** Tries again until it does not fail. */
export async function eventually<T>(attempt: () => Promise<T> | T): Promise<T> {
  for (let left = 200; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(50);
    }
  }
}

/** The body of a GET on 127.0.0.1. */
export async function get(port: number, path: string, timeoutMs = 10_000): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(timeoutMs),
  });
  return await response.text();
}
