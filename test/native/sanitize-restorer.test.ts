/** The restorer's own code under AddressSanitizer and UndefinedBehaviorSanitizer, over a kernel that is made up: test/fuzz/restorer. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCracBuildError } from '../../src/errors.ts';
import { parsePlan } from '../../src/restore-plan/read-plan.ts';
import { type Change, changePlan, chooseChange } from '../fuzz/plan/change-plan.ts';
import { makePlans } from '../fuzz/plan/make-plans.ts';
import { openRandom, type Random } from '../fuzz/random.ts';
import { readOwnVdso } from './own-vdso.ts';

const fuzz = new URL('../fuzz', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'sanitize-restorer-'));
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_126);
let plans: readonly Buffer[];

beforeAll(async () => {
  const { status, stderr } = spawnSync('make', ['-s', '-j2', '-C', join(fuzz, 'restorer'), `OUT=${work}/build`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  plans = await makePlans();
}, 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** How each start of the restorer ended: "released", "cold" or "failed", and what it said first. */
function replay(target: string, plan: Buffer, inputs: readonly Buffer[]): readonly string[] {
  const dir = join(work, target);
  mkdirSync(dir, { recursive: true });
  const files = [...inputs.keys()].map((index) => join(dir, `${index}`));
  for (const [index, file] of files.entries()) writeFileSync(file, inputs[index] ?? '');
  writeFileSync(join(work, 'plan.bin'), plan);
  const { status, stdout, stderr } = spawnSync(join(work, 'build/replay'), [target, join(work, 'plan.bin'), ...files], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (status !== 0) throw new Error(`seed ${seed}, target ${target}: ${stderr.slice(stderr.lastIndexOf(dir))}`);
  return stdout.trimEnd().split('\n');
}

/** What crac-build says of a plan; "" when it takes it. */
function judge(plan: Buffer): string {
  try {
    parsePlan(plan);
    return '';
  } catch (error) {
    if (isCracBuildError(error, 'IMAGE_INVALID')) return error.message;
    throw error;
  }
}

test('what the compile step writes is restored', () => {
  for (const plan of plans) expect(replay('plan', plan, [plan])).toEqual([expect.stringMatching(/^released/)]);
});

test('of a damaged plan nothing is followed, and both languages say the same of it', () => {
  const [plan = Buffer.alloc(0)] = plans;
  const random = openRandom(seed);
  const inputs = Array.from({ length: 1500 }, () => {
    const base = random.pick(plans) ?? plan;
    return changePlan(
      base,
      Array.from({ length: 1 + random.below(2) }, () => chooseChange(base, random)),
    );
  });
  const outcomes = replay('plan', plan, inputs);
  // An unknown descriptor is refused where it is made, if nothing stands in the way before.
  const sayBoth = (line: string, judged: string) =>
    /kind of descriptor/.test(judged) && line.startsWith('failed')
      ? judged
      : (/^failed crac: cannot restore: (plan\.bin .*)$/.exec(line)?.[1] ?? '');
  const judgements = inputs.map(judge);
  const refusals = outcomes.map((line, index) => sayBoth(line, judgements[index] ?? ''));
  expect(refusals).toEqual(judgements);
  expect(new Set(refusals).size).toBeGreaterThan(30);
  expect(outcomes.filter((line) => line.startsWith('released')).length).toBeGreaterThan(100);
});

interface Found {
  readonly name: string;
  readonly changes: readonly (Omit<Change, 'value'> & { readonly value: string })[];
  readonly is: 'refused' | 'taken';
}
const found = JSON.parse(readFileSync(join(fuzz, 'corpus/plan.json'), 'utf8')) as readonly Found[];
test.each(found)('found before: $name', ({ changes, is }) => {
  const [plan = Buffer.alloc(0)] = plans;
  const input = changePlan(
    plan,
    changes.map((change) => ({ ...change, value: BigInt(change.value) })),
  );
  replay('plan', plan, [input]);
  expect(judge(input) === '' ? 'taken' : 'refused').toBe(is);
});

test('arguments, environment and cold commands of any kind', () => {
  const random = openRandom(seed);
  const outcomes = replay(
    'launch',
    plans[0] ?? Buffer.alloc(0),
    Array.from({ length: 500 }, () => anyLaunch(random)),
  );
  expect(new Set(outcomes.map((line) => line.split(' ')[0]))).toEqual(new Set(['released', 'cold', 'failed']));
});

test('a kernel whose vdso is damaged', () => {
  const random = openRandom(seed);
  const { bytes } = readOwnVdso();
  const inputs = Array.from({ length: 300 }, () => {
    const vdso = Buffer.from(bytes.subarray(0, random.below(4) === 0 ? random.below(bytes.length) : bytes.length));
    for (let left = random.below(20); left > 0; left--)
      vdso[random.below(Math.min(vdso.length, 2048))] = random.below(256);
    return vdso;
  });
  const outcomes = replay('vdso', plans[0] ?? Buffer.alloc(0), [Buffer.from(bytes), ...inputs]);
  expect(outcomes.filter((line) => !line.startsWith('released'))).toEqual([]);
});

/** As run_launch in targets.c takes it apart. */
function anyLaunch(random: Random): Buffer {
  const cold = random.pick([
    '2\0/bin/app\0-jar\0app.jar\0',
    '0\0/bin/app\0',
    '99999999999999999999\0a\0',
    '2\0/bin/app',
    'x\0/bin/app\0',
    '1\0',
    '',
    '\0\0\0\0',
    `1\0${'a\0'.repeat(random.below(40_000))}`,
  ]) as string;
  const strings = Array.from({ length: random.below(12) }, () =>
    random.pick([
      '-Dkey=value',
      '-D',
      '',
      'CRAC_RESTORE=require',
      'CRAC_RESTORE=off',
      `CRAC_RESTORE=${'x'.repeat(random.below(3000))}`,
      `CRAC_CHECKPOINT=/${'d'.repeat(random.below(9000))}`,
      `CRAC_COLD=/${'%s'.repeat(random.below(3000))}/cold`,
      'CRAC_LOG=debug',
      'CRAC_RESTORE_TIMEOUT=1.5',
      `CRAC_RESTORE_TIMEOUT=${random.below(2 ** 32)}${random.below(2 ** 32)}.`,
      `HOME=${'h'.repeat(random.below(20_000))}`,
      random.bytes(random.below(30)).toString('latin1').replaceAll('\0', '='),
    ]),
  );
  const head = Buffer.from([random.below(4) | (random.below(3) === 0 ? 0 : 128), cold.length & 255, cold.length >> 8]);
  return Buffer.concat([head, Buffer.from(cold.slice(0, 65535), 'latin1'), Buffer.from(strings.join('\0'), 'latin1')]);
}
