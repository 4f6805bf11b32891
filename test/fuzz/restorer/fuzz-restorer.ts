/** Lets clang's libFuzzer loose on the restorer (see fake-kernel.h), with plans and a vdso to start from. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOwnVdso } from '../../native/own-vdso.ts';
import { makePlans } from '../plan/make-plans.ts';

export const RESTORER_TARGETS = ['plan', 'launch', 'vdso'] as const;
const MAX_INPUT_BYTES = 20_000;
const LAUNCH = Buffer.from(
  `\x02\x18\x002\0/bin/app\0-jar\0app.jar\0\0restore\0-Dkey=value\0CRAC_RESTORE=off\0`,
  'latin1',
);

/** False when something was found; the input is then in `dir`, where the corpus grows from run to run. */
export async function fuzzRestorer(
  target: (typeof RESTORER_TARGETS)[number],
  options: { readonly seconds: number; readonly seed: number; readonly repo: string; readonly dir: string },
): Promise<boolean> {
  const { seconds, seed, repo, dir } = options;
  const corpus = join(dir, `corpus-${target}`);
  mkdirSync(corpus, { recursive: true });
  const make = ['-s', '-j2', '-C', join(repo, 'test/fuzz/restorer'), `OUT=${dir}/build`, 'CC=clang', 'FUZZER=1'];
  run('make', make, {});
  const plans = await makePlans();
  for (const [index, plan] of plans.entries()) writeFileSync(join(dir, `plan-${index}`), plan);
  const seeds = { plan: plans, launch: [LAUNCH], vdso: [Buffer.from(readOwnVdso().bytes)] }[target];
  for (const [index, bytes] of seeds.entries()) writeFileSync(join(corpus, `seed-${index}`), bytes);
  const limits = [`-max_total_time=${seconds}`, `-max_len=${MAX_INPUT_BYTES}`, '-rss_limit_mb=2048', '-timeout=10'];
  return run(
    join(dir, 'build/fuzz'),
    [corpus, `-seed=${seed}`, ...limits, `-artifact_prefix=${dir}/${target}-`, '-verbosity=0'],
    {
      FUZZ_TARGET: target,
      FUZZ_PLAN: join(dir, 'plan-0'),
    },
  );
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): boolean {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 << 20,
  });
  if (status === 0) return true;
  console.log(`${command}: ${error?.message ?? ''}${stdout}${stderr}`);
  return false;
}
