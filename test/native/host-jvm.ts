/** A JVM with the agent is prepared, dumped and restored on this machine, outside a container. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ReadyFacts } from '../../src/criu/checkpoint.ts';
import { parseCpu } from '../../src/criu/control.ts';
import { readDump } from '../../src/criu/read-dump.ts';
import { openToolbox } from '../../src/criu/toolbox.ts';
import { compileDump } from '../../src/restore-plan/compile-dump.ts';

const repo = new URL('../..', import.meta.url).pathname;
/** Descriptors of this process and of those that started it must not get into the dump. */
const CLOSE_OTHERS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash that expands it
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; exec "$@"';

export function buildNative(out: string): void {
  const parts = ['restore', 'ctl', 'libcrac.so', 'crac.jar'].map((part) => join(out, part));
  execFileSync('make', ['-s', '-C', join(repo, 'native'), `OUT=${out}`, ...parts]);
}

export interface HostJvm {
  readonly home: string;
  readonly native: string;
  /** For logs, dump and plan. */
  readonly dir: string;
}

export function startJvm({ home, native, dir }: HostJvm, options: readonly string[]): ChildProcess {
  mkdirSync(dir, { recursive: true });
  const jvm = [`-agentpath:${native}/libcrac.so`, '-Xmx64m', '-XX:+UseSerialGC', '-XX:+PerfDisableSharedMem'];
  return start([join(home, 'bin/java'), ...jvm, ...options], join(dir, 'app.log'), {});
}

/** `ctl checkpoint`: ReadyFacts, or the refusal. */
export function askToPrepare({ native }: HostJvm, pid: number) {
  const argv = ['checkpoint', '--settle-ms', '0', '--pid', String(pid)];
  const { stdout, status } = spawnSync(join(native, 'ctl'), argv, { encoding: 'utf8' });
  return { status, answer: JSON.parse(stdout) };
}

/** Dumps a prepared JVM, ends it, and compiles the dump. */
export async function dumpAndCompile({ native, dir }: HostJvm, jvm: ChildProcess, ready: ReadyFacts): Promise<void> {
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
  jvm.kill('SIGKILL');
  if (jvm.exitCode === null && jvm.signalCode === null) await new Promise((resolve) => jvm.once('exit', resolve));
  const cpu = parseCpu(execFileSync(join(native, 'ctl'), ['cpu'], { encoding: 'utf8' }));
  const rootFile = async (path: string) => {
    const found = existsSync(path) ? statSync(path) : undefined;
    return found && { sizeBytes: found.size, mtimeSeconds: found.mtimeMs / 1000, localPath: path };
  };
  await compileDump(readDump(images), { cpu, ready, rootFile }, 'map', dir);
}

export function startRestored(
  { native, dir }: HostJvm,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): ChildProcess {
  writeFileSync(join(dir, 'cold'), '0\0/bin/false\0');
  return start([...wrapper, join(native, 'restore'), ...args], join(dir, 'restored.log'), {
    ...env,
    CRAC_CHECKPOINT: dir,
    CRAC_COLD: join(dir, 'cold'),
    CRAC_RESTORE: 'require',
  });
}

function start(argv: readonly string[], log: string, env: Readonly<Record<string, string>>): ChildProcess {
  const out = openSync(log, 'a');
  return spawn('bash', ['--norc', '-c', CLOSE_OTHERS, 'bash', ...argv], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', out, out],
    detached: true,
  });
}
