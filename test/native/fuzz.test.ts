/** A short run of each fuzzer, always with the same seed: `npm run -s fuzz` looks further. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repo = new URL('../..', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'fuzz-test-'));
const seed = process.env['FUZZ_SEED'] ?? '1';
afterAll(() => rmSync(work, { recursive: true, force: true }));

test.each([
  ['dump', 10],
  ['plan', 8],
  ['launch', 3],
  ['vdso', 2],
])(
  '%s: nothing is found in %i s',
  (target, seconds) => {
    const command = ['scripts/run-ts.mjs', 'test/fuzz/main.ts', target, '--seconds', `${seconds}`, '--seed', seed];
    const { status, stdout, stderr } = spawnSync('node', [...command, '--dir', work], { cwd: repo, encoding: 'utf8' });
    expect({ status, ...(status === 0 ? {} : { stdout, stderr }) }).toEqual({ status: 0 });
  },
  180_000,
);
