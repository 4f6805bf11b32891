/** Apps that are clients of something, and one that reads its input: the examples jdbc, kafka-client and cli. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import type { Service } from '../../src/warm-up/service.ts';
import { buildImage, ROOT } from '../e2e/support/build-example.ts';
import { runInCrun } from '../e2e/support/run-in-crun.ts';
import { waitUntilAnswered } from '../e2e/support/start-image.ts';
import { findBase } from './find-base.ts';
import { startBeside } from './start-beside.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-clients-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The example, with its config elsewhere and no longer a warm-up than a test needs. */
async function build(example: string, flags: readonly string[]): Promise<{ layout: string; built: BuildResult }> {
  const folder = join(ROOT, 'examples', example);
  execFileSync(join(ROOT, 'examples/build'), [example], { stdio: 'inherit' });
  const settings = parse(await readFile(join(folder, 'crac-build.yaml'), 'utf8'));
  settings.app.jar = resolve(folder, settings.app.jar);
  settings.checkpoint = { ...settings.checkpoint, settle: '0ms' };
  if (settings.warmUp !== undefined) settings.warmUp.until = { duration: '3s' };
  for (const service of settings.warmUp?.services ?? [])
    service.process = service.process.map((word: string) => (word.startsWith('./') ? resolve(folder, word) : word));
  const config = join(dir, `${example}.yaml`);
  await writeFile(config, stringify(settings));
  const layout = join(dir, `${example}-${flags.join('')}`.replaceAll(/[^a-z0-9-]/g, ''));
  const more = ['--engine', 'oci', '--base', findBase(25), '--output', `oci:${layout}`];
  return { layout, built: await buildImage(['--config', config, ...more, ...flags]) };
}

/** The services of the warm-up, changed. */
function others({ plan }: BuildResult, change: (word: string) => string, more: object = {}): readonly Service[] {
  return plan.services.map(
    (service) =>
      ({
        ...service,
        ...more,
        source:
          service.source.kind === 'process'
            ? { kind: 'process', argv: service.source.argv.map(change) }
            : service.source,
      }) as Service,
  );
}

test.each(['hikari', 'agroal', 'dbcp'])(
  'the pool %s is empty at the checkpoint, and asks the database of the new environment',
  async (pool) => {
    const { layout, built } = await build('jdbc', ['--arg', pool]);
    expect(built.verified).toMatchObject({ restoredMs: [expect.any(Number), expect.any(Number)] });
    const elsewhere = others(built, (word) => word.replaceAll("'good'", "'other'"));
    await using app = await startBeside(layout, elsewhere, {
      DATABASE_URL: 'jdbc:postgresql://database:5432/template1',
      DATABASE_USER: 'warm',
    });
    expect(await waitUntilAnswered(() => app.get('/health'))).toBe('UP');
    expect(await app.get('/database')).toBe('template1');
    expect(await app.lines()).not.toMatch(/starting cold|Exception/);
  },
  180_000,
);

test('a producer of Kafka sends to the brokers of the new environment', async () => {
  execFileSync(join(ROOT, 'examples/build'), ['kafka-client/broker'], { stdio: 'inherit' });
  const { layout, built } = await build('kafka-client', []);
  expect(built.verified).toMatchObject({ restoredMs: [expect.any(Number), expect.any(Number)] });
  const elsewhere = others(built, (word) => word, { name: 'other', environment: { KAFKA_HOST: 'other' } });
  await using app = await startBeside(layout, elsewhere, { KAFKA_BROKERS: 'other:9092' });
  expect(await waitUntilAnswered(() => app.get('/health'))).toBe('UP');
  // New, with nothing in it but what comes now.
  expect(await app.post('/messages', 'one')).toBe('partition 0, offset 0');
  expect(await app.post('/messages', 'two')).toBe('partition 0, offset 1');
  expect(await app.lines()).not.toMatch(/starting cold|Exception/);
}, 240_000);

test('a program counts the words that it is given after the restore, and after a cold start alike', async () => {
  const { layout } = await build('cli', []);
  const input = 'the cat and the dog and the bird\n'.repeat(3);
  const expected = '     9 the\n     6 and\n     3 bird\n     3 cat\n     3 dog\n';
  for (const mode of ['require', 'off']) {
    expect(await runInCrun(layout, input, { CRAC_RESTORE: mode })).toEqual({ exitCode: 0, output: expected });
  }
}, 120_000);
