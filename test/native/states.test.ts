/** Every program of test/states: set a state, dump, compile, restore as a user without rights, look at the state. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
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
import type { Checkpoint, CpuidLeaf } from '../../src/criu/checkpoint.ts';
import { parseCpu } from '../../src/criu/control.ts';
import { DESCRIPTOR_FACTS } from '../../src/criu/descriptor-facts.ts';
import { diagnoseLog } from '../../src/criu/diagnose-log.ts';
import { readDump } from '../../src/criu/read-dump.ts';
import { composeCriuCommand, openToolbox } from '../../src/criu/toolbox.ts';
import { isCracBuildError } from '../../src/errors.ts';
import { compileDump } from '../../src/restore-plan/compile-dump.ts';
import type { Toolbox } from '../../src/world.ts';
import { type Clock, type Mode, matches, readStatePrograms, type StateProgram } from './state-program.ts';

const repo = new URL('../..', import.meta.url).pathname;
const states = join(repo, 'test/states');
const programs = join(repo, 'target/states');
const work = mkdtempSync(join(tmpdir(), 'states-test-'));
/** CRIU keeps there what it found out about the kernel; it must be a tmpfs. */
const criuCache = mkdtempSync('/dev/shm/states-test-');
const native = process.env['CRAC_BUILD_NATIVE'] || join(work, 'native');
const NOBODY = '--reuid=12345 --regid=12345 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all'.split(
  ' ',
);
/** Runs a command where the machine seems to have started 100 000 s earlier. */
const CLOCK_AHEAD = 'unshare --time --monotonic 100000 --boottime 100000 --fork'.split(' ');
const RESTORE_LIMIT_MS = 10_000;
const FAILED_ITSELF = 125;
const CANNOT_BE_SET = 77;
/** Standard input of all programs: a FIFO into which nothing is ever written. */
let silence: number;
let toolbox: Toolbox;
let cpu: readonly CpuidLeaf[];
let subject: ChildProcess | undefined;

beforeAll(async () => {
  chmodSync(work, 0o755);
  execFileSync('make', ['-s', '-C', join(repo, 'native'), `OUT=${native}`, `${native}/restore`, `${native}/ctl`]);
  execFileSync('make', ['-s', '-j2', '-C', states, `OUT=${programs}`]);
  execFileSync('mkfifo', [join(work, 'silence')]);
  silence = openSync(join(work, 'silence'), 'r+');
  toolbox = await openToolbox({
    cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build'),
    signal: AbortSignal.timeout(60_000),
  });
  cpu = parseCpu(execFileSync(join(native, 'ctl'), ['cpu'], { encoding: 'utf8' }));
}, 120_000);
afterEach(() => end(subject));
afterAll(() => {
  closeSync(silence);
  for (const folder of [work, criuCache]) rmSync(folder, { recursive: true, force: true });
});

/** Of the first processor: all have the same. */
const cpuFlags = /^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
const isPossible = ({ needs }: StateProgram): boolean => needs === undefined || cpuFlags.includes(needs);
const programsOfStates = readStatePrograms(states);
const all = programsOfStates.filter(isPossible);
const named = (wanted: (program: StateProgram) => boolean): [string, StateProgram][] =>
  all.filter(wanted).map((program) => [`${program.name}: ${program.title}`, program]);

const restored = named((program) => program.restored.length > 0).flatMap(([name, program]) =>
  program.clocks.map((clock): [string, StateProgram, Clock] => [
    clock === 'same' ? name : `${name}, the clock is ${clock}`,
    program,
    clock,
  ]),
);
test.each(restored)(
  'restored: %s',
  async (_, program, clock) => {
    const state = await set(program, clock);
    dumpOrThrow(state);
    runCommands(program.beforeCompile, state);
    for (const mode of program.restored) {
      await compile(program, state, mode);
      runCommands(program.beforeRestore, state);
      expect({ mode, ...restore(state, clock) }).toEqual({ mode, status: 0, signal: null, stdout: '', stderr: '' });
    }
  },
  30_000,
);

test.each(named(({ refused }) => refused.length > 0))('refused: %s', async (_, program) => {
  const state = await set(program);
  dumpOrThrow(state);
  runCommands(program.beforeCompile, state);
  const error: unknown = await compile(program, state, 'map').then(
    () => 'it was not refused',
    (caught: unknown) => caught,
  );
  if (!isCracBuildError(error, 'STATE_REFUSED')) throw error;
  const patterns = error.details.map((line) => program.refused.find((pattern) => matches(pattern, line)) ?? line);
  expect(new Set(patterns)).toEqual(new Set(program.refused));
});

test.each(named(({ notDumped }) => notDumped !== undefined))('not dumped: %s', async (_, program) => {
  const log = dump(await set(program));
  expect(log).not.toBe('');
  const { sentence, hint } = diagnoseLog(log);
  const said = `${sentence}. ${hint}`;
  expect(matches(program.notDumped ?? '', said) ? program.notDumped : said).toBe(program.notDumped);
});

test.each(named(({ notRestored }) => notRestored !== undefined))('not restored: %s', async (_, program) => {
  const state = await set(program);
  dumpOrThrow(state);
  runCommands(program.beforeCompile, state);
  await compile(program, state, 'map');
  runCommands(program.beforeRestore, state);
  const { status, stderr } = restore(state);
  const expected = `crac: cannot restore: ${program.notRestored}\n`;
  expect({ status, stderr: matches(expected, stderr) ? expected : stderr }).toEqual({
    status: FAILED_ITSELF,
    stderr: expected,
  });
});

/** What no process of this machine can get into need not be restored or refused here. */
for (const program of programsOfStates.filter((one) => !isPossible(one)))
  test(`not on this processor, which has no ${program.needs}: ${program.name}`, async () => {
    await expect(set(program)).rejects.toThrow('this machine cannot be brought into the state');
  });

/** A program that has set its state, and where it works. */
interface SetState {
  readonly pid: number;
  /** Put before a command that shall see the process's clock. */
  readonly enter: readonly string[];
  readonly child: ChildProcess;
  readonly cwd: string;
  /** Of the dump, and of plan.bin and mem.bin. */
  readonly images: string;
  readonly checkpoint: string;
}

async function set({ name }: StateProgram, clock: Clock = 'same'): Promise<SetState> {
  const dir = join(work, `${name}-${clock}`);
  const state = { cwd: join(dir, 'cwd'), images: join(dir, 'images'), checkpoint: join(dir, 'checkpoint') };
  for (const folder of [dir, ...Object.values(state)]) mkdirSync(folder);
  const output = openSync(join(dir, 'output'), 'a+');
  const [command = '', ...args] = [...(clock === 'behind' ? CLOCK_AHEAD : []), join(programs, name)];
  const child = spawn(command, args, {
    cwd: state.cwd,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: [silence, output, output],
    detached: true,
  });
  subject = child;
  closeSync(output);
  const said = (): string => readFileSync(join(dir, 'output'), 'utf8');
  while (child.exitCode === null && child.signalCode === null && said() !== 'ready\n') await sleep(3);
  if (child.exitCode === CANNOT_BE_SET) throw new Error(`this machine cannot be brought into the state: ${said()}`);
  if (said() !== 'ready\n' || child.pid === undefined)
    throw new Error(`it ended with ${child.exitCode ?? child.signalCode}: ${said()}`);
  if (clock !== 'behind') return { pid: child.pid, enter: [], child, ...state };
  const pid = childOf(child.pid);
  return { pid, enter: ['nsenter', `--time=/proc/${pid}/ns/time`], child, ...state };
}

function childOf(pid: number): number {
  return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
}

function dumpOrThrow(state: SetState): void {
  const log = dump(state);
  if (log !== '') throw new Error(JSON.stringify(diagnoseLog(log), undefined, 2));
}

/** "" or CRIU's log; the process has gone. */
function dump({ pid, enter, child, images }: SetState): string {
  const options = '--unprivileged --shell-job --tcp-close --manage-cgroups=ignore --leave-stopped -v4 -o dump.log';
  const [command = '', ...args] = [...enter, ...composeCriuCommand(toolbox, toolbox.dir), 'dump', '-t', `${pid}`];
  const { status } = spawnSync(command, [...args, '-D', images, ...options.split(' ')], {
    cwd: toolbox.dir,
    env: { ...process.env, XDG_RUNTIME_DIR: criuCache },
  });
  if (status === 0) {
    const facts = execFileSync(join(native, 'ctl'), ['descriptors', '--pid', `${pid}`]);
    writeFileSync(join(images, DESCRIPTOR_FACTS), facts);
  }
  end(child);
  return status === 0 ? '' : readFileSync(join(images, 'dump.log'), 'utf8');
}

/** With its children; there is no harm in ending it twice, as long as nobody has asked for its exit code. */
function end(child: ChildProcess | undefined): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, 'SIGKILL');
}

function runCommands(commands: readonly string[], { cwd }: SetState): void {
  for (const command of commands) execFileSync('sh', ['-c', command], { cwd });
}

async function compile({ resources }: StateProgram, { images, checkpoint }: SetState, mode: Mode): Promise<void> {
  const ready: Checkpoint['ready'] = {
    pid: 0,
    mailbox: { address: '0x0', sizeBytes: 0, nonce: '0x0' },
    nanoOffset: '0x0',
    javaVersion: '',
    gc: '',
    steps: [],
    ...(resources === undefined ? {} : { resources }),
  };
  const rootFile: Checkpoint['rootFile'] = async (path) => {
    const found = existsSync(path) ? statSync(path) : undefined;
    return found && { sizeBytes: found.size, mtimeSeconds: found.mtimeMs / 1000, localPath: path };
  };
  await compileDump(readDump(images), { cpu, ready, rootFile }, mode, checkpoint);
}

function restore({ checkpoint }: SetState, clock: Clock = 'same') {
  writeFileSync(join(checkpoint, 'cold'), '0\0/bin/false\0');
  const [command = '', ...args] = [
    ...(clock === 'ahead' ? [...CLOCK_AHEAD, '--kill-child'] : []),
    'setpriv',
    ...NOBODY,
    join(native, 'restore'),
  ];
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd: '/',
    env: { CRAC_CHECKPOINT: checkpoint, CRAC_COLD: join(checkpoint, 'cold'), CRAC_RESTORE: 'require' },
    input: 'x',
    encoding: 'utf8',
    timeout: RESTORE_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  return { status, signal, stdout, stderr };
}
