/** Every system, really built and really restored: `npm run test:systems`. What came of it is told in docs/systems.md. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { BuildResult } from '../../src/build.ts';
import { buildImage, ROOT } from '../e2e/support/build-example.ts';
import { waitUntilAnswered } from '../e2e/support/start-image.ts';
import { startInCrun } from '../e2e/support/start-in-crun.ts';
import { findBase } from './find-base.ts';
import { keepOutcome } from './outcomes.ts';
import { type JavaVersion, SYSTEMS, type System } from './systems.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-systems-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Of the whole output of an app: an exception, or a line of a log at the level of an error. */
const TROUBLE = /Exception|\b(?:ERROR|SEVERE|FATAL)\b|^\s+at \S+\(/m;
const WARM_UP = { duration: '4s' };
const NEW_BOOK = { title: 'A', author: 'B', isbn: '978-0000000999', price: 1, tags: [] };

for (const system of SYSTEMS) {
  describe(system.name, () => {
    beforeAll(() => void execFileSync(system.build[0] ?? '', system.build.slice(1), { stdio: 'inherit' }), 300_000);
    for (const jdk of system.jdks) describe(`on JDK ${jdk}`, () => testRestored(system, jdk));
  });
}

function testRestored(system: System, jdk: JavaVersion): void {
  const layout = () => join(dir, `${system.name}-${jdk}`.replaceAll(/[^a-z0-9]+/g, '-'));
  let built: BuildResult;
  afterAll(() => rm(layout(), { recursive: true, force: true }));

  test('is restored faster than it starts', async () => {
    const config = await writeConfig(system, jdk, `${layout()}.yaml`);
    const flags = [...(system.flags ?? []), '--engine', 'oci', '--base', findBase(jdk)];
    built = await buildImage(['--config', config, ...flags, '--output', `oci:${layout()}`]);
    const { restoredMs, coldMs } = built.verified ?? { restoredMs: [], coldMs: 0 };
    expect(Math.min(...restoredMs)).toBeLessThan(coldMs);
    await keepOutcome({
      ...{ system: system.name, jdk, gc: built.ready.gc, restoredMs: Math.min(...restoredMs), coldMs },
      ...measureCheckpoint(built),
    });
  }, 240_000);

  test('two at once answer, know their own environment, and end when they are told to', async () => {
    const start = (greeting: string) =>
      startInCrun(layout(), {
        environment: { CRAC_RESTORE: 'require', GREETING: greeting },
        arguments: [`-Dcolor=of-${greeting}`],
      });
    await using one = await start('one');
    await using two = await start('two');
    for (const [started, greeting] of [
      [one, 'one'],
      [two, 'two'],
    ] as const) {
      expect(await waitUntilAnswered(() => started.get(system.health))).toContain('UP');
      for (const { path, contains } of system.paths) expect(await started.get(path)).toContain(contains);
      if (system.tellsEnvironment) {
        expect(await started.getJson('/environment')).toEqual({ greeting, color: `of-${greeting}` });
      }
    }
    if (system.hasSessions) expect(await one.getJson('/visits')).toEqual({ visits: 1 });
    if (system.ticks !== undefined) {
      const { ticks } = system;
      const before = Number(await one.get(ticks));
      // Five in a second: neither stopped, nor caught up with what it missed while it was a file.
      await new Promise((done) => setTimeout(done, 1000));
      const count = Number(await one.get(ticks)) - before;
      expect(count).toBeGreaterThan(1);
      expect(count).toBeLessThan(20);
    }
    if (system.isShop) {
      const { id } = JSON.parse(await one.send('POST', '/books', NEW_BOOK));
      expect(await one.getJson(`/books/${id}`)).toMatchObject({ title: 'A', isbn: '978-0000000999' });
      // What one has, the other has not.
      await expect(two.get(`/books/${id}`)).rejects.toThrow('404');
      await one.send('DELETE', `/books/${id}`);
      await expect(one.get(`/books/${id}`)).rejects.toThrow('404');
    }
    for (const started of [one, two]) {
      const { exitCode, output } = await started.stop();
      expect(system.stopsWith).toContain(exitCode);
      expect(output).not.toMatch(TROUBLE);
    }
  }, 60_000);
}

function measureCheckpoint({ layers }: BuildResult) {
  const { uncompressedBytes = 0, sizeBytes = 0 } = layers.find(({ kind }) => kind === 'checkpoint') ?? {};
  return { rawBytes: uncompressedBytes, compressedBytes: sizeBytes };
}

/** The example's own, with a warm-up that is only as long as a test needs. */
async function writeConfig(system: System, jdk: JavaVersion, path: string): Promise<string> {
  const { example, config = 'crac-build.yaml' } = system;
  const folder = join(ROOT, 'examples', example);
  const settings = parse(await readFile(join(folder, config), 'utf8'));
  const { app } = settings;
  if (app.jar !== undefined) app.jar = resolve(folder, system.jar ?? app.jar);
  if (app.classPath !== undefined)
    app.classPath = app.classPath.map((entry: string) =>
      resolve(folder, system.folder === undefined ? entry : entry.replace('target/tomcat', system.folder)),
    );
  settings.warmUp.until = WARM_UP;
  // The JVM of an image is as it is.
  if (findBase(jdk).startsWith('oci:')) settings.modules = undefined;
  settings.checkpoint = { ...settings.checkpoint, settle: '0ms' };
  await writeFile(path, stringify(settings));
  return path;
}
