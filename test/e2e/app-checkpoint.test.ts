/** Apps that ask for their checkpoint by themselves. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import { runInspect } from '../../src/cli/inspect-command.ts';
import type { JvmStep } from '../../src/criu/checkpoint.ts';
import type { CauseSize } from '../../src/restore-plan/measure-causes.ts';
import { JDKS, ROOT, runCli } from './support/build-example.ts';
import { runInCrun } from './support/run-in-crun.ts';
import { waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const run = promisify(execFile);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-batch-'));
  const classes = join(dir, 'classes');
  const classPath = ['-cp', join(ROOT, 'dist/native/crac.jar')];
  const source = join(import.meta.dirname, 'support/Batch.java');
  await run(join(JDKS[17], 'bin/javac'), ['--release', '17', ...classPath, '-d', classes, source]);
  const jar = ['--create', '--file', join(dir, 'batch.jar'), '--main-class', 'Batch', '-C', classes, '.'];
  await run(join(JDKS[17], 'bin/jar'), jar);
}, 60_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

async function build(flags: readonly string[], patience = '20s') {
  const output = await mkdtemp(join(dir, 'image-'));
  const config = join(dir, 'crac-build.yaml');
  const settings = {
    app: { jar: 'batch.jar', javaOptions: ['-Xmx64m', '-XX:+UseSerialGC'] },
    ...{ base: `jdk:${JDKS[17]}`, engine: 'oci', outputs: [`oci:${output}`] },
    ...{ checkpoint: { trigger: 'app', settle: '0ms' }, warmUp: { timeout: patience } },
  };
  await writeFile(config, stringify(settings));
  return { output, ...(await runCli(['build', '--config', config, ...flags])) };
}

/** Every byte of mem.bin has a cause, and a JVM with Serial has memory of all that are not G1's. */
async function expectSizes(output: string): Promise<void> {
  const [told, plan] = await Promise.all([
    runCli(['inspect', output, '--json']),
    runInspect(undefined, { plan: output }),
  ]);
  const { sizes, steps, skippedSteps, classes } = JSON.parse(told.stdout);
  expect(skippedSteps).toEqual(['trim', 'zero-pages']);
  expect(sizes.droppedPages.zero).toBe(0);
  expect(steps.map(({ name }: JvmStep) => name)).toEqual([
    ...['beforeCheckpoint', 'client', 'jit-idle', 'collect', 'arenas', 'resources'],
    ...['generators', 'histogram', 'free-heap', 'compiled-code'],
  ]);
  expect(classes).toMatchObject({ bytes: expect.any(Number), top: expect.arrayContaining([expect.any(Object)]) });
  const causes = Object.entries<CauseSize>(sizes.byCause);
  const ofG1 = ['heap-humongous', 'heap-archive'];
  const names = ['metaspace', 'code-cache', 'cds', 'malloc', 'stacks', 'libraries', 'agent', 'other'];
  expect(causes.map(([cause]) => cause)).toEqual(['heap-young', 'heap-old', ...ofG1, 'heap-other', ...names]);
  for (const [cause, { rawBytes, compressedBytes }] of causes) {
    const isUsed = 0 < compressedBytes && compressedBytes < rawBytes;
    expect([cause, isUsed]).toEqual([cause, ![...ofG1, 'heap-other'].includes(cause)]);
  }
  const all = causes.reduce((sum, [, { rawBytes }]) => sum + rawBytes, 0);
  expect(plan.json).toMatchObject({ memBytes: all });
  expect(sizes.byCause.other.rawBytes).toBeLessThan(all / 5);
}

test('goes on in the restored container behind its request, reads there, and ends with its own exit code', async () => {
  const { exitCode, stdout, stderr, output } = await build([
    '--json',
    '--skip-step',
    'trim',
    '--skip-step',
    'zero-pages',
  ]);
  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  const { warmth, verified }: BuildResult = JSON.parse(stdout);
  expect(warmth).toBeUndefined();
  // With nothing to read, restored twice and cold.
  expect(verified).toMatchObject({ exitCode: 0, restoredMs: [expect.any(Number), expect.any(Number)] });

  const environment = { CRAC_RESTORE: 'require', CUSTOMER: 'zoe' };
  expect(await runInCrun(output, '7\n12\nx\n', environment)).toEqual({
    exitCode: 3,
    output: 'restored for zoe in main\n7 49\n12 144\nx null\n',
  });
  expect(await runInCrun(output, '9\n', { CRAC_RESTORE: 'off' })).toEqual({
    exitCode: 1,
    output: 'loaded 1000\nnot restored: this JVM was not started for a checkpoint\n9 81\n',
  });
  await expectSizes(output);
}, 180_000);

test('a server that asks before it listens, as frameworks do, is verified by requests', async () => {
  const requests = ['--readiness', '/3', '--warm-up', '/12 x1'];
  const { exitCode, stdout, stderr, output } = await build(['--json', '--arg=serve', ...requests]);
  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  const { warmth, verified }: BuildResult = JSON.parse(stdout);
  expect([warmth, verified]).toEqual([undefined, expect.objectContaining({ checkedRequests: 1 })]);
  await using started = await startInCrun(output, { environment: { CRAC_RESTORE: 'require' } });
  expect(await waitUntilAnswered(() => started.get('/12'))).toBe('144');
}, 180_000);

test.each([
  [
    'ends without asking',
    'end',
    '20s',
    'the app exited with code 4 before its checkpoint, for which it was to ask by itself',
  ],
  ['does not ask in time', 'idle', '3s', 'the app did not ask for its checkpoint within 3.0 s'],
])(
  'an app that %s fails the build, with its last lines',
  async (_, argument, patience, message) => {
    const { exitCode, stderr, output } = await build([`--arg=${argument}`], patience);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`\nerror: ${message}\n  | loaded 1000\nhint: `);
    expect(await readdir(output)).toEqual([]);
  },
  120_000,
);
