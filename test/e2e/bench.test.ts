import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { STEP_NAMES } from '../../src/steps.ts';
import { ROOT } from './support/build-example.ts';

const run = promisify(execFile);

test('bench restore prints one JSON object with every figure', async () => {
  const { stdout } = await run('npm', ['run', '-s', 'bench', '--', 'restore', '--json', '--runs', '1'], { cwd: ROOT });
  const { bench, machine, figures, runs } = JSON.parse(stdout);
  expect(bench).toBe('restore');
  expect(machine).toMatchObject({ cpus: expect.any(Number), kernel: expect.any(String) });
  const measured = [
    'cold_ms',
    'restore_ms',
    'criu_ms',
    'cold_container_ms',
    'restore_container_ms',
    'restore_200mb_ms',
    'criu_200mb_ms',
    'restorer_ms',
    'phase_memory_ms',
    'rss_mb',
    'rss_200mb_mb',
  ];
  for (const key of measured) {
    expect(runs[key]).toHaveLength(1);
    expect(figures[key]).toBeGreaterThan(0);
  }
  for (const key of ['restore_cold_cache_ms', 'criu_cold_cache_ms', 'cold_cold_cache_ms']) {
    expect(runs[key]).toHaveLength(1);
    expect(figures[key]).toBeGreaterThan(0);
  }
  expect(figures.pss_10_replicas_mb).toBeLessThan(figures.rss_10_replicas_mb);
  for (const key of ['compile_500mb_s', 'compile_500mb_js_s']) expect(figures[key]).toBeGreaterThan(0);
  expect(figures.dump_mb).toBeGreaterThan(480);
  expect(figures.mem_mb).toBeGreaterThan(480);
  // However much there is to compile: no load of the machine changes this.
  for (const key of ['compile_500mb_rss_mb', 'compile_500mb_js_rss_mb']) expect(figures[key]).toBeLessThan(300);
  // Mapped lazily: what the app holds is not read, let alone touched.
  expect(figures.rss_200mb_mb).toBeLessThan(figures.rss_mb + 50);
  expect(figures.layer_mb).toBeLessThanOrEqual(30);
  // Loose, as a busy machine measures: the bench itself is the place for figures.
  expect(figures.restore_ms).toBeLessThan(figures.criu_ms);
  expect(figures.restore_ms).toBeLessThan(figures.cold_ms);
  expect(figures.restorer_ms).toBeLessThan(figures.restore_ms * 2);
}, 300_000);

test('bench agent prints one JSON object with what the agent costs', async () => {
  const args = ['run', '-s', 'bench', '--', 'agent', '--json', '--runs', '3'];
  const { stdout } = await run('npm', args, { cwd: ROOT });
  const { bench, figures, runs } = JSON.parse(stdout);
  expect(bench).toBe('agent');
  const positive = [
    'throughput_ratio',
    'throughput_with',
    'throughput_without',
    'startup_with_ms',
    'startup_without_ms',
  ];
  for (const key of positive) expect(figures[key]).toBeGreaterThan(0);
  for (const key of [...positive, 'startup_cost_ms']) expect(runs[key]).toHaveLength(3);
  expect(figures.startup_cost_ms).toBeLessThan(figures.startup_without_ms);
  // Loose, as above: an agent that left the JVM in its interpreter would show.
  expect(figures.throughput_ratio).toBeGreaterThan(0.5);
}, 300_000);

test('bench size prints the table, step by step, and that a small image restores as quickly as a naive one', async () => {
  const args = ['run', '-s', 'bench', '--', 'size', '--json', '--runs', '3', '--java-option=-XX:+UseSerialGC'];
  const { stdout } = await run('npm', args, { cwd: ROOT });
  const { bench, figures, runs, table } = JSON.parse(stdout);
  expect(bench).toBe('size');
  expect(table.columns).toEqual(['Serial MB', 'compressed MB']);
  const names = table.rows.map(({ name }: { name: string }) => name);
  expect(names.slice(0, 3)).toEqual(['naive dump', '+ collect', '+ JVM options']);
  expect(names).toEqual(expect.arrayContaining(STEP_NAMES.map((name) => `+ ${name}`)));
  const sizes: readonly [number, number][] = table.rows.map(({ values }: { values: number[] }) => values);
  const [naive, last] = [sizes[0] ?? [], sizes.at(-1) ?? []];
  expect([figures.serial_naive_mb, figures.serial_naive_compressed_mb]).toEqual(naive);
  expect([figures.serial_mb, figures.serial_compressed_mb]).toEqual(last);
  expect(figures.serial_mb).toBeLessThan(figures.serial_naive_mb / 2);
  expect(figures.serial_mb).toBeLessThan(figures.serial_collected_mb / 2);
  expect(figures.serial_compressed_mb).toBeLessThan(figures.serial_mb / 3);
  for (const key of ['restore_untrimmed_ms', 'restore_trimmed_ms', 'restore_ratio']) {
    expect(runs[key]).toHaveLength(3);
    expect(figures[key]).toBeGreaterThan(0);
  }
  // Loose, as above.
  expect(figures.restore_ratio).toBeLessThan(1.5);
}, 300_000);

test('bench compression tells size and time for each compression and level', async () => {
  const args = ['run', '-s', 'bench', '--', 'compression', '--json', '--runs', '1'];
  const { figures, table } = JSON.parse((await run('npm', args, { cwd: ROOT })).stdout);
  const rows: readonly { name: string; values: number[] }[] = table.rows;
  expect(rows.map(({ name }) => name)).toEqual(['gzip 1', 'gzip 6', 'gzip 9', 'zstd 1', 'zstd 6', 'zstd 19']);
  for (const { values } of rows) for (const value of values) expect(value).toBeGreaterThan(0);
  expect(figures.zstd_6_image_mb).toBeLessThan(figures.gzip_6_image_mb);
  expect(figures.zstd_19_image_mb).toBeLessThan(figures.zstd_6_image_mb);
  expect(figures.zstd_6_checkpoint_mb).toBeLessThan(figures.gzip_6_checkpoint_mb);
}, 300_000);

test('bench build tells what crac-build itself costs, and that its memory does not grow with the image', async () => {
  const args = ['run', '-s', 'bench', '--', 'build', '--json', '--runs', '1'];
  const { bench, figures, runs, table } = JSON.parse((await run('npm', args, { cwd: ROOT })).stdout);
  expect(bench).toBe('build');
  const of = (suffix: string) => ['overhead', 'quiesce', 'verify'].map((key) => `${key}${suffix}_s`);
  for (const key of [...of(''), ...of('_500mb'), 'rss_mb', 'rss_500mb_mb', 'cached_s', 'base_s']) {
    expect(runs[key]).toHaveLength(1);
    expect(figures[key]).toBeGreaterThan(0);
  }
  // The JIT's memory is waited for.
  expect(figures.quiesce_s).toBeGreaterThan(5);
  // Loose, as above; the limit is 5 s.
  expect(figures.overhead_s).toBeLessThan(15);
  expect(figures.cached_s).toBeLessThan(figures.overhead_s + figures.quiesce_s + figures.verify_s);
  expect(figures.rss_mb).toBeLessThan(400);
  expect(figures.rss_500mb_mb).toBeLessThan(400);
  const stages = table.rows.map(({ name }: { name: string }) => name);
  expect(stages).toEqual(expect.arrayContaining(['containerize', 'compile', 'pack', 'arrange', 'process']));
}, 300_000);

test('an unknown bench is wrong usage and lists those that exist', async () => {
  const failure = await run('npm', ['run', '-s', 'bench', '--', 'nothing'], { cwd: ROOT }).catch((error) => error);
  expect(failure).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('restore') });
});
