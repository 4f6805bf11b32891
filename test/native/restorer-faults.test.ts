/** Every system call of a restore fails once: restored all the same, or started cold with the reason, or exit code 125. */
import { isDeepStrictEqual } from 'node:util';
import { MEM } from '../../src/restore-plan/format.ts';
import {
  type Launch,
  launchBeside,
  makeState,
  type Outcome,
  run,
  type State,
  setUpRestorer,
  work,
  writeCold,
} from './restorer-setup.ts';
import type { SubjectOptions } from './subject-state.ts';

setUpRestorer('restore-with-faults');

const ENOMEM = '12';
const EPERM = '1';
const EINTR = '4';
const AT_A_TIME = 4;
const CLONE = 56;
const FUTEX = 202;
const EXIT_GROUP = 231; // without it nothing can end
const IDLE_THREADS = 6;

/** Failures that do no harm, by number of the system call; and what is not the same then, by name of the subject's lines. */
const TOLERATED: Readonly<Record<number, readonly string[]>> = {
  0: [], // read: of a control group's limit
  3: [], // close
  11: [], // munmap: of the page that was tried
  25: [], // mremap: the vdso stays where it is
  28: [], // madvise
  35: [], // nanosleep: of the thread that populates later
  56: [], // clone: of the watchdog, and of that thread
  95: [], // umask: as it is set again later
  157: ['brk', 'first.name'], // prctl
  202: [], // futex: the threads look by themselves
  257: [], // openat: of a control group's limit
  334: ['first.rseq'],
  436: [], // close_range: one close after the other
};

/** Tells without another process where it is and with what. */
const SHELL = `echo cold "$0" "$@"; pwd; umask; echo /proc/self/fd/*; ulimit -n
while read line; do case $line in SigBlk*|SigIgn*) echo $line;; esac; done </proc/self/status; exit 3`;
const openFiles = run('sh', ['-c', 'ulimit -n']).trim();
const coldOutput = [
  'cold app -Dx=y -jar argument',
  work,
  '0022',
  '/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3', // 3: of the shell, which lists the folder
  openFiles,
  'SigBlk: 0000000000000000',
  'SigIgn: 0000000000000000',
];

let states: State[] = [];
let good: readonly string[] = [];
const withTimes = /^(map|deadline\.\d|clock_delta_ns|nano_offset|listener|cwd|env|arg) /;
const reportOf = (lines: readonly string[], without: readonly string[] = []): string[] =>
  lines.filter((line) => !withTimes.test(line) && !without.includes(line.split(' ')[0] ?? ''));

function start(state: State, env: Readonly<Record<string, string>>, how: Launch = {}): Promise<Outcome> {
  const args = ['-Dx=y', 'argument'];
  return launchBeside(state.dir, { build: 'restore-with-faults', cwd: work, args, ...how, env });
}

async function makeStates(options: Partial<SubjectOptions>): Promise<State[]> {
  const made = await Promise.all(Array.from({ length: AT_A_TIME }, () => makeState(options)));
  for (const { dir } of made) writeCold(dir, '4', '/bin/sh', '-c', SHELL, 'app', '-jar');
  return made;
}

beforeAll(async () => {
  const area = { kind: MEM.ANON, address: 0x500000000, length: 0x4000, prot: 3, flags: 0x22, file: 0xffffffff };
  const later = { kind: MEM.LATER, address: 0x500000000, length: 0x4000, file: 0xffffffff };
  states = await makeStates({ idleThreads: IDLE_THREADS, moreMemory: [area, later] });
  const [state] = states;
  if (state !== undefined) good = (await start(state, {})).lines;
}, 60_000);

interface Faulted extends Outcome {
  readonly at: number;
  /** The number of the system call. */
  readonly call: number;
}

/** One start for each call that can fail, from the `first` on. */
async function failEach(
  env: Readonly<Record<string, string>>,
  { first = 1, counter = 'CRAC_FAULT_AT', of = states } = {},
): Promise<Faulted[]> {
  const perState = of.map(async (state, index) => {
    const outcomes: Faulted[] = [];
    for (let at = first + index; ; at += of.length) {
      const outcome = await start(state, { ...env, [counter]: `${at}` });
      const fault = /^fault (\d+)\n/m.exec(outcome.stderr);
      if (fault === null) return outcomes;
      const stderr = outcome.stderr.replace(fault[0], '');
      outcomes.push({ ...outcome, stderr, at, call: Number(fault[1]) });
    }
  });
  return (await Promise.all(perState)).flat().sort((left, right) => left.at - right.at);
}

function isRestored({ status, stderr, lines, call }: Faulted): boolean {
  const differs = TOLERATED[call];
  if (status !== 42 || stderr !== '' || differs === undefined) return false;
  return isDeepStrictEqual(reportOf(lines, differs), reportOf(good, differs));
}

const isCold = ({ status, stderr, lines }: Outcome): boolean =>
  status === 3 && /^crac: starting cold: [^\n]+\n$/.test(stderr) && isDeepStrictEqual(lines, coldOutput);

/** Those that ended otherwise; of what they said only what a good restore does not. */
const wrong = (outcomes: readonly Faulted[], ...rights: readonly ((outcome: Faulted) => boolean)[]): Faulted[] =>
  outcomes
    .filter((outcome) => !rights.some((isRight) => isRight(outcome)))
    .map((outcome) => ({ ...outcome, lines: reportOf(outcome.lines).filter((line) => !good.includes(line)) }));

test('each call of a restore', async () => {
  const outcomes = await failEach({ CRAC_FAULT_WITH: ENOMEM });
  expect(wrong(outcomes, isCold, isRestored)).toEqual([]);
  expect(outcomes.filter(isCold).length).toBeGreaterThan(100);
  expect(outcomes.filter((outcome) => outcome.call === CLONE && isCold(outcome))).toHaveLength(IDLE_THREADS + 1);
}, 120_000);

test('each call of a restore that is required', async () => {
  const isRefused = ({ status, stderr, lines }: Outcome): boolean =>
    status === 125 && /^crac: cannot restore: [^\n]+\n$/.test(stderr) && lines.length === 0;
  const outcomes = await failEach({ CRAC_FAULT_WITH: EPERM, CRAC_RESTORE: 'require' });
  expect(wrong(outcomes, isRefused, isRestored)).toEqual([]);
  expect(outcomes.filter(isRefused).length).toBeGreaterThan(100);
}, 120_000);

test('each call of a cold start after everything has been changed', async () => {
  const broken = await makeStates({ header: { mailbox_nonce: 5 } });
  const reason = "crac: starting cold: the app's mailbox is not at 30000000\n";
  const env = { CRAC_FAULT_WITH: EPERM };
  const isBeforeReason = async (at: number): Promise<boolean> =>
    !(await start(broken[0] as State, { ...env, CRAC_FAULT_AT: `${at}` })).stderr.startsWith(reason);
  let first = 1;
  for (let step = 512; step >= 1; step /= 2) if (await isBeforeReason(first + step - 1)) first += step;

  const outcomes = await failEach(env, { first, of: broken });
  const isStarted = ({ status, stderr, lines }: Outcome): boolean =>
    status === 3 && stderr === reason && isDeepStrictEqual(lines, coldOutput);
  const isFailed = ({ status, stderr, lines }: Outcome): boolean =>
    status === 125 && /^crac: starting .*\ncrac: cannot start: [^\n]+\n$/.test(stderr) && lines.length === 0;
  expect(wrong(outcomes, isStarted, isFailed)).toEqual([]);
  expect(outcomes.filter(isFailed).length).toBeGreaterThan(60);
}, 120_000);

test('each kind of call, whenever it is made', async () => {
  const [state] = states;
  if (state === undefined) throw new Error('no state');
  const calls = new Set((await failEach({ CRAC_FAULT_WITH: EPERM })).map(({ call }) => call));
  expect(calls.size).toBeGreaterThan(30);
  calls.delete(EXIT_GROUP);
  for (const call of calls) {
    const { status, stderr, lines } = await start(state, { CRAC_FAULT_CALL: `${call}`, CRAC_FAULT_WITH: EPERM });
    const said = stderr.replaceAll(/^crac: (starting cold|cannot start): .+\n/gm, '');
    expect({ call, said, isKnown: [3, 42, 125].includes(status ?? -1) }).toEqual({ call, said: '', isKnown: true });
    if (status === 3) expect({ call, lines }).toEqual({ call, lines: coldOutput });
    if (status === 42) expect({ call, isTolerated: call in TOLERATED }).toEqual({ call, isTolerated: true });
  }
}, 60_000);

test('each call of the threads that are made', async () => {
  const how = { counter: 'CRAC_FAULT_BESIDE', of: await makeStates({}) };
  const outcomes = await failEach({ CRAC_FAULT_WITH: EPERM, CRAC_RESTORE_TIMEOUT: '0' }, how);
  expect(outcomes.map(({ call }) => call).slice(0, 3)).toEqual([273, 157, 334]); // set_robust_list, prctl, rseq
  for (const { status, stderr, lines, call } of outcomes) {
    const differs = { ...TOLERATED, 273: ['second.fs'], 157: ['second.name'] }[call];
    expect({ call, status, stderr, lines: reportOf(lines, differs) }).toEqual({
      ...{ call, status: 42, stderr: '', lines: reportOf(good, differs) },
    });
  }
}, 60_000);

test('waits that are interrupted are waited again: a thread is held back as long as it should be', async () => {
  const [state] = await makeStates({ held: 'opened' });
  if (state === undefined) throw new Error('no state');
  const { status, stderr, lines } = await start(state, { CRAC_FAULT_CALL: `${FUTEX}`, CRAC_FAULT_WITH: EINTR });
  expect({ status, stderr }).toEqual({ status: 42, stderr: '' });
  expect(lines).toContain('second.held yes');
});
