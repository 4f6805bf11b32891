import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ReadyFacts } from '../../src/criu/checkpoint.ts';

import.meta.jest.setTimeout(60_000);

const repo = new URL('../..', import.meta.url).pathname;
const work = join(repo, 'target/java-test');
const classes = join(work, 'classes');
export const native = join(work, 'native');
export const agent = `-agentpath:${native}/libcrac.so`;
export const ctlPath = join(native, 'ctl');

export const CACHE = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
export const JDK_17 = '/usr/lib/jvm/java-17-openjdk-amd64';
/** The machine's own, or what scripts/install-jdk21.ts has put into the cache. */
const JDK_21 =
  ['/usr/lib/jvm/java-21-openjdk-amd64', '/usr/lib/jvm/temurin-21-jdk-amd64'].find((home) => existsSync(home)) ??
  join(CACHE, 'crac-build-test/jdk-21/usr/lib/jvm/java-21-openjdk-amd64');
/** CRAC_TEST_JDKS="21=/path/to/jdk …" names other ones. */
export const JDKS: readonly (readonly [version: number, home: string])[] = (
  process.env['CRAC_TEST_JDKS'] ?? `17=${JDK_17} 21=${JDK_21} 25=/usr/lib/jvm/temurin-25-jdk-amd64`
)
  .split(' ')
  .map((entry) => [Number(entry.split('=')[0]), entry.slice(entry.indexOf('=') + 1)] as const);

/** Builds agent, ctl and the test programs; several test files may ask at the same time. */
export function buildRuntime(): void {
  mkdirSync(classes, { recursive: true });
  const script = `set -e
    make -s -C native OUT=${native} ${native}/libcrac.so ${native}/ctl
    changed=$(find test/java/programs ${native}/crac.jar -newer ${classes}/.compiled 2>&1 || true)
    [ -z "$changed" ] || ${JDK_17}/bin/javac --release 17 -Xlint:all -Werror -cp ${native}/crac.jar -d ${classes} test/java/programs/*.java
    [ -z "$changed" ] || touch ${classes}/.compiled`;
  execFileSync('flock', [join(work, 'lock'), 'bash', '-c', script], { cwd: repo, stdio: 'pipe' });
}

export interface Jvm extends AsyncDisposable {
  readonly pid: number;
  /** What stdout and stderr have said so far. */
  readonly lines: readonly string[];
  send(line: string): void;
  /** The next line not yet seen by an earlier call that matches; the lines before it count as seen. */
  line(pattern: RegExp): Promise<string>;
  readonly exited: Promise<number>;
}

export interface JvmOptions {
  readonly options?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** The option that names it; [] where `options` do. */
  readonly classPath?: readonly string[];
}

/** What this process has inherited is not the app's: the check for open resources must not find it. */
const CLOSE_OTHERS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash that expands it
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; exec "$@"';

/** Runs one of test/java/programs. */
export function launchJvm(home: string, program: string, launch: JvmOptions = {}): Jvm {
  const { options = [agent], args = [], env = {}, uid, classPath = ['-cp', classes] } = launch;
  const argv = [join(home, 'bin/java'), ...options, ...classPath, program, ...args];
  const process_ = spawn('/bin/bash', ['--norc', '-c', CLOSE_OTHERS, 'bash', ...argv], {
    env: { PATH: '/usr/bin:/bin', ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const lines: string[] = [];
  const rest = { stdout: '', stderr: '' };
  let seen = 0;
  for (const stream of ['stdout', 'stderr'] as const)
    process_[stream].setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest[stream] + chunk).split('\n');
      rest[stream] = parts.pop() ?? '';
      lines.push(...parts);
    });
  const exited = once(process_, 'close').then(([code]) => Number(code ?? -1));
  return {
    pid: process_.pid ?? 0,
    lines,
    send: (line) => process_.stdin.write(`${line}\n`),
    async line(pattern) {
      const deadline = Date.now() + 30_000;
      for (;;) {
        for (let at = seen; at < lines.length; at++)
          if (pattern.test(lines[at] ?? '')) {
            seen = at + 1;
            return lines[at] ?? '';
          }
        if (Date.now() > deadline || process_.stdout.closed)
          throw new Error(`no line ${pattern} from ${program}:\n${lines.join('\n')}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    exited,
    async [Symbol.asyncDispose]() {
      process_.kill('SIGKILL');
      await exited;
    },
  };
}

export interface CtlAnswer {
  readonly status: number;
  readonly json: {
    readonly error?: string;
    readonly details?: readonly string[];
    readonly state?: string;
    readonly client?: boolean;
    readonly checkpointing?: boolean;
    readonly last?: { readonly outcome: string; readonly error?: string; readonly details?: readonly string[] } | null;
  };
  readonly stdout: string;
}

export async function ctl(args: readonly string[], uid?: number, path = ctlPath): Promise<CtlAnswer> {
  const process_ = spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'], ...(uid ? { uid, gid: uid } : {}) });
  let stdout = '';
  process_.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  const [status] = await once(process_, 'close');
  return {
    status,
    stdout,
    get json() {
      return stdout.startsWith('{') ? JSON.parse(stdout) : {};
    },
  };
}

/** `ctl checkpoint` that must succeed. */
export async function prepare(pid: number, ...flags: readonly string[]): Promise<ReadyFacts> {
  const answer = await ctl(['checkpoint', '--settle-ms', '0', '--pid', String(pid), ...flags]);
  if (answer.status !== 0) throw new Error(answer.stdout);
  return JSON.parse(answer.stdout);
}

export const status = async (pid: number, path = ctlPath) =>
  (await ctl(['status', '--pid', String(pid)], undefined, path)).json.state;

export async function waitFor<T>(look: () => Promise<T> | T, wanted: T): Promise<void> {
  for (const deadline = Date.now() + 10_000; ; ) {
    const found = await look();
    if (found === wanted) return;
    if (Date.now() > deadline) throw new Error(`still ${found} instead of ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Resident anonymous memory. */
export function anonymousBytes(pid: number): number {
  const kilobytes = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

export function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
}

function writeMemory(pid: number, address: number, bytes: Buffer): void {
  const memory = openSync(`/proc/${pid}/mem`, 'r+');
  try {
    writeSync(memory, bytes, 0, bytes.length, address);
  } finally {
    closeSync(memory);
  }
}

// struct crac_mailbox, native/mailbox.h
const STATE = 24;
const COUNTS = 28;
const DATA = 80;
const RESTORED = 2;

export interface Restore {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly clockDeltaNs?: bigint;
}

/** Does to a prepared JVM what the restorer does to its image: mailbox and clock. */
export function simulateRestore(ready: ReadyFacts, { args = [], env = {}, clockDeltaNs = 0n }: Restore = {}): void {
  const mailbox = Number(ready.mailbox.address);
  const strings = [...args, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const data = Buffer.from(strings.map((text) => `${text}\0`).join(''));
  const counts = Buffer.alloc(12);
  counts.writeUInt32LE(args.length, 0);
  counts.writeUInt32LE(strings.length - args.length, 4);
  counts.writeUInt32LE(data.length, 8);
  const offset = Buffer.alloc(8);
  offset.writeBigInt64LE(-clockDeltaNs);
  writeMemory(ready.pid, Number(ready.nanoOffset), offset);
  writeMemory(ready.pid, mailbox + COUNTS, counts);
  if (data.length > 0) writeMemory(ready.pid, mailbox + DATA, data);
  writeMemory(ready.pid, mailbox + STATE, Buffer.from([RESTORED, 0, 0, 0]));
}
