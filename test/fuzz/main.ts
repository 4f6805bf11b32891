/**
 * npm run -s fuzz -- dump|plan|launch|vdso [--seconds N] [--seed N]
 *
 * dump: damaged CRIU images into the compile step. The others go into the restorer: plans, arguments and cold commands, the
 * kernel's vdso. What is found lies in target/fuzz; the exit code is then 1. The same seed makes the same inputs.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzDumps } from './dump/fuzz-dumps.ts';
import { fuzzRestorer, RESTORER_TARGETS } from './restorer/fuzz-restorer.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, dir: { type: 'string' } },
});
const repo = join(process.argv[1] ?? '', '../../..');
const dir = values.dir ?? join(repo, 'target/fuzz');
const seconds = Number(values.seconds ?? 60);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const [name] = positionals;
const target = RESTORER_TARGETS.find((known) => known === name);
console.log(`seed ${seed}`);
if (name === 'dump') process.exitCode = (await fuzzDumps({ seconds, seed, repo })) ? 0 : 1;
else if (target !== undefined) process.exitCode = (await fuzzRestorer(target, { seconds, seed, repo, dir })) ? 0 : 1;
else {
  console.log(`usage: npm run -s fuzz -- dump|${RESTORER_TARGETS.join('|')} [--seconds N] [--seed N]`);
  process.exitCode = 2;
}
