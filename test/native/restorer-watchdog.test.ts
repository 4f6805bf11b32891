/** A restore that takes too long ends in a cold start, wherever it waits. */
import { readFileSync, rmSync } from 'node:fs';
import {
  type Build,
  launch,
  launchBeside,
  makeState,
  type Outcome,
  pathOf,
  run,
  type State,
  setUpRestorer,
  work,
  writeCold,
} from './restorer-setup.ts';

setUpRestorer('restore', 'restore-with-faults');

/** One process that tells where it is, with what, and which process it is. */
const SHELL = `echo cold "$0" "$@"; pwd; umask; echo /proc/self/fd/*; ulimit -n; [ $$ = 1 ] && echo first
while read line; do case $line in SigIgn*) echo $line;; esac; done </proc/self/status; exit 3`;
const coldOutput = (openFiles = run('sh', ['-c', 'ulimit -n']).trim()): string[] => [
  'cold app -jar argument',
  work,
  '0022',
  '/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3', // 3: of the shell, which lists the folder
  openFiles,
  'SigIgn: 0000000000000000',
];

async function makeShellState(): Promise<State> {
  const state = await makeState();
  writeCold(state.dir, '1', '/bin/sh', '-c', SHELL, 'app', '-jar');
  return state;
}

/** Nobody writes to it, so opening it waits. */
async function makeStuckState(): Promise<State> {
  const state = await makeShellState();
  rmSync(state.planFile);
  run('mkfifo', [state.planFile]);
  return state;
}

const args = ['argument'];
const stuckInChecks = 'not restored within 0.2 s (CRAC_RESTORE_TIMEOUT): stuck in checks\n';

test('a plan that cannot be read: started cold, as the same process', async () => {
  const { dir } = await makeStuckState();
  const prefix = ['unshare', '--pid', '--fork', '--kill-child'];
  const outcome = launch(dir, { args, cwd: work, prefix, env: { CRAC_RESTORE_TIMEOUT: '0.2' } });
  expect(outcome).toEqual({
    ...{
      status: 3,
      lines: [...coldOutput().slice(0, -1), 'first', ...coldOutput().slice(-1)],
      stderr: `crac: starting cold: ${stuckInChecks}`,
    },
  });
});

test('a plan that cannot be read, where a restore is required: exit 125', async () => {
  const { dir } = await makeStuckState();
  const env = { CRAC_RESTORE_TIMEOUT: '0.2', CRAC_RESTORE: 'require' };
  expect(launch(dir, { args, env })).toEqual({
    status: 125,
    lines: [],
    stderr: `crac: cannot restore: ${stuckInChecks}`,
  });
});

test.each(['soon', '', '-1', '1s', '10000000'])('CRAC_RESTORE_TIMEOUT "%s"', async (text) => {
  const { dir } = await makeShellState();
  const outcome = launch(dir, { env: { CRAC_RESTORE_TIMEOUT: text } });
  const isDefault = text === '';
  expect({ status: outcome.status, stderr: outcome.stderr }).toEqual({
    status: isDefault ? 42 : 3,
    stderr: isDefault
      ? ''
      : `crac: starting cold: CRAC_RESTORE_TIMEOUT is "${text}", it must be a number of seconds, 0 for no limit\n`,
  });
});

test('only the restorer of the tests knows faults', () => {
  const knows = (build: Build): boolean => readFileSync(pathOf(build)).includes('CRAC_FAULT');
  expect([knows('restore'), knows('restore-with-faults')]).toEqual([false, true]);
});

test('a wait that only a deadly signal ends, at each phase', async () => {
  const states = await Promise.all(Array.from({ length: 8 }, makeShellState));
  const build = 'restore-with-faults';
  const fail = (at: number): Outcome =>
    launch(states[0]?.dir ?? '', {
      build,
      env: { CRAC_FAULT_AT: `${at}`, CRAC_FAULT_WITH: '1', CRAC_RESTORE: 'require' },
    });
  let calls = 1;
  for (let step = 512; step >= 1; step /= 2) if (/^fault/.test(fail(calls + step - 1).stderr)) calls += step;
  // From what follows the watchdog's clone to what precedes its end.
  let first = 1;
  while (!fail(first).stderr.includes('fault 56')) first++; // clone
  let last = calls - 1;
  for (let wakes = 0; wakes < 2; last--) if (fail(last).stderr.startsWith('fault 202')) wakes++; // the gate's, the watchdog's

  const env = { CRAC_FAULT_WITH: '0', CRAC_RESTORE_TIMEOUT: '0.2' };
  const perState = states.map(async ({ dir }, index) => {
    const outcomes: Outcome[] = [];
    for (let at = last - 3 * index; at > first; at -= 3 * states.length)
      outcomes.push(await launchBeside(dir, { build, args, cwd: work, env: { ...env, CRAC_FAULT_AT: `${at}` } }));
    return outcomes;
  });
  const outcomes = (await Promise.all(perState)).flat();
  const phases = new Set<string | undefined>();
  for (const { status, lines, stderr } of outcomes) {
    expect({ status, lines }).toEqual({ status: 3, lines: coldOutput() });
    const line =
      /^fault \d+\ncrac: starting cold: not restored within 0\.2 s \(CRAC_RESTORE_TIMEOUT\): stuck in (\w+)\n$/;
    phases.add(line.exec(stderr)?.[1]);
  }
  expect([...phases].sort()).toEqual(['checks', 'clearing', 'descriptors', 'memory', 'process', 'threads']);
  expect(run('ps', ['-eo', 'args'])).not.toContain(`${work}/native`);
}, 60_000);

test('a time that runs out at any moment: restored or started cold, never both', async () => {
  const states = await Promise.all(Array.from({ length: 4 }, makeShellState));
  const prefix = ['prlimit', '--nofile=50:4096']; // fewer than the restorer needs on its way
  const ends = await Promise.all(
    states.map(async ({ dir }) => {
      const outcomes: Outcome[] = [];
      for (let i = 0; i < 30; i++) {
        const env = { CRAC_RESTORE_TIMEOUT: `0.00${1 + (i % 4)}` };
        outcomes.push(await launchBeside(dir, { args, cwd: work, prefix, env }));
      }
      return outcomes;
    }),
  );
  for (const { status, lines, stderr } of ends.flat()) {
    if (status === 42)
      expect({ stderr, end: lines.includes('second.cleared right') }).toEqual({ stderr: '', end: true });
    else expect({ status, lines }).toEqual({ status: 3, lines: coldOutput('50') });
  }
}, 60_000);
