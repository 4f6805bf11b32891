/** The restorer, built once a test file, and states for it that are made by hand. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../support/free-port.ts';
import { fieldOf, seal } from './plan-maker.ts';
import { type SubjectOptions, type SubjectState, writeSubjectState } from './subject-state.ts';

export const repo = new URL('../..', import.meta.url).pathname;
export const work = mkdtempSync(join(tmpdir(), 'restorer-test-'));
const builtSubject = join(work, 'subject-as-built');

/** `restore` is the one of images, `restore-with-faults` that of restore-faults.c. */
export type Build = 'restore' | 'restore-with-faults';
export const pathOf = (build: Build): string => join(work, 'native', build);

export function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

export function compile(name: string, source: string): string {
  const program = join(work, name);
  run('gcc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', program, join(repo, 'test/native', source)]);
  return program;
}

/** To be called once in a test file. */
export function setUpRestorer(...builds: readonly Build[]): void {
  beforeAll(() => {
    chmodSync(work, 0o755);
    run('make', ['-s', '-C', join(repo, 'native'), `OUT=${work}/native`, ...builds.map(pathOf)]);
    const sources = [join(repo, 'test/native/restore-subject.c'), join(repo, 'native/restore/text.c')];
    const flags =
      '-std=gnu11 -Wall -Wextra -Werror -O1 -ffreestanding -fno-builtin -fno-stack-protector -fno-pie -static -no-pie -nostdlib -mgeneral-regs-only -fcf-protection=none -fno-tree-loop-distribute-patterns -Wl,-Ttext-segment=0x10000000,-e,start_first,-z,noexecstack,-z,norelro,--build-id=none';
    run('gcc', [...flags.split(' '), '-o', builtSubject, ...sources]);
  }, 60_000);
  afterAll(() => rmSync(work, { recursive: true, force: true }));
}

export interface Outcome {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}
export interface Launch {
  readonly build?: Build;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Put before the restorer's own command. */
  readonly prefix?: readonly string[];
}

const nonEmptyLines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

function planLaunch(dir: string, { build = 'restore', args = [], env = {}, cwd = '/', prefix = [] }: Launch) {
  const [command = '', ...rest] = [...prefix, pathOf(build), ...args];
  return {
    command,
    rest,
    // The restorer blocks all other signals, and one that hangs would never end.
    options: {
      ...{ cwd, env: { CRAC_CHECKPOINT: join(dir, 'checkpoint'), ...env } },
      ...{ timeout: 20_000, killSignal: 'SIGKILL' as const },
    },
  };
}

export function launch(dir: string, how: Launch = {}): Outcome {
  const { command, rest, options } = planLaunch(dir, how);
  const { status, stdout, stderr } = spawnSync(command, rest, { ...options, encoding: 'utf8' });
  return { status, lines: nonEmptyLines(stdout), stderr };
}

/** The same without waiting in between, so that several may run. */
export function launchBeside(dir: string, how: Launch = {}): Promise<Outcome> {
  const { command, rest, options } = planLaunch(dir, how);
  const child = spawn(command, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, lines: nonEmptyLines(stdout), stderr }));
  });
}

export type State = SubjectState & { readonly dir: string; readonly port: number; readonly subject: string };

/** Says where it is started and with what; to be compared with `coldOutput`. */
const COLD_SCRIPT = 'echo cold "$0" "$@"; pwd; umask; ls /proc/self/fd; ulimit -n; exit 3';
let folders = 0;

export async function makeState(options: Partial<SubjectOptions> = {}): Promise<State> {
  const dir = join(work, `state-${folders++}`);
  mkdirSync(dir);
  const subject = join(dir, 'subject');
  cpSync(builtSubject, subject);
  writeCold(dir, '4', '/bin/sh', '-c', COLD_SCRIPT, 'app', '-jar');
  const port = options.port ?? (await findFreePort());
  const monotonicNs = process.hrtime.bigint() - 5_000_000_000n;
  return { ...writeSubjectState({ dir, subject, port, monotonicNs, ...options }), dir, port, subject };
}

export function writeCold(dir: string, ...words: readonly string[]): void {
  writeFileSync(join(dir, 'cold'), words.map((word) => `${word}\0`).join(''));
}

export async function listen(wanted: number): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

export function patch(state: SubjectState, field: string, value: number): void {
  const plan = readFileSync(state.planFile);
  plan.writeUInt32LE(value, fieldOf('crac_header', field)[0]);
  writeFileSync(state.planFile, seal(plan));
}

export const anyUser = [
  'setpriv',
  '--reuid=54321',
  '--regid=54321',
  '--clear-groups',
  '--no-new-privs',
  '--bounding-set=-all',
];
