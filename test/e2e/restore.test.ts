import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BuildResult } from '../../src/build.ts';
import { buildPlainHttp, JDKS } from './support/build-example.ts';
import { type StartedImage, startInDocker, waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const run = promisify(execFile);
const MIB = 2 ** 20;

/** The app's: who makes the checkpoint. Whoever restores it is another, or the image's own. */
const USERS = { Serial: { 17: '1000:1000', 25: '0:0' }, G1: { 17: '0:0', 25: '12345:54321' } } as const;
const MATRIX = (['oci', 'docker'] as const).flatMap((engine) =>
  ([17, 25] as const).flatMap((jdk) =>
    (['Serial', 'G1'] as const).map((gc) => ({ engine, jdk, gc, user: USERS[gc][jdk] })),
  ),
);

/** Digests of the layers below the state, by what was built. */
const lowerLayers = new Map<string, readonly string[]>();

describe.each(MATRIX)('plain-http with $engine, JDK $jdk and $gc as $user', ({ engine, jdk, gc, user }) => {
  let dir: string;
  let layout: string;
  let result: BuildResult;
  let started: StartedImage;
  /** Of the container started last. */
  let firstAnswers: readonly string[];
  let startAnother: (environment?: Readonly<Record<string, string>>) => Promise<StartedImage>;
  const reference = `crac-e2e/plain-http:${jdk}-${gc.toLowerCase()}`;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'crac-e2e-'));
    layout = join(dir, 'image');
    result = await buildPlainHttp([
      ...['--engine', engine, '--base', `jdk:${JDKS[jdk]}`],
      ...['--java-option=-Xmx128m', `--java-option=-XX:+Use${gc}GC`],
      ...['--env', 'GREETING=old', '--user', user, '--report', join(dir, 'warm-up.html')],
      ...['--output', engine === 'oci' ? `oci:${layout}` : `docker:${reference}`],
    ]);
    startAnother = async (environment = {}) => {
      const options = {
        environment: { CRAC_RESTORE: 'require', GREETING: 'new', ADDED: 'yes', ...environment },
        arguments: ['-Dlate=property', 'extra'],
      };
      const image = engine === 'oci' ? await startInCrun(layout, options) : await startInDocker(reference, options);
      const ask = (path: string) => waitUntilAnswered(() => image.get(path));
      firstAnswers = await Promise.all([ask('/env?name=GREETING'), ask('/property?name=late')]);
      return image;
    };
    started = await startAnother();
  }, 180_000);

  afterAll(async () => {
    await started?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
    if (engine === 'docker' && result) await run('docker', ['rmi', '-f', reference]);
  }, 60_000);

  test('was verified by two restores that were quicker than the cold start', () => {
    expect(result.verified?.restoredMs).toHaveLength(2);
    expect(Math.min(...(result.verified?.restoredMs ?? []))).toBeLessThan(result.verified?.coldMs ?? 0);
  });

  test('tells how warm the app became, what its JIT did meanwhile, and what the first users get', async () => {
    const { warmth, verified } = result;
    expect(warmth?.stopped.reason).toBe('counts');
    const compilations = warmth?.curve.jit.compilations ?? [];
    expect(compilations.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBeGreaterThan(50);
    const root = warmth?.endpoints.find(({ path }) => path === '/');
    expect(root?.last.p50Ms).toBeLessThan(root?.first.p99Ms ?? 0);
    const first = verified !== undefined && 'firstRequests' in verified ? verified.firstRequests : undefined;
    expect(first?.restored.count).toBe(200);
    expect(first?.restored.p50Ms).toBeLessThan(first?.cold.p99Ms ?? 0);
    const page = await readFile(join(dir, 'warm-up.html'), 'utf8');
    expect(page).toContain('Warm-up of plain-http');
    expect(page).toContain('Methods compiled a second');
  });

  test('was arranged by what the first answer touched', () => {
    const { readAheadBytes = 0, populatedBytes = 0, memBytes = 0 } = result.restoreImage;
    expect(readAheadBytes).toBeGreaterThan(MIB);
    expect(readAheadBytes).toBeLessThan(2 * memBytes); // of mem.bin, and of libraries and jars
    expect(populatedBytes).toBeGreaterThan(MIB);
    expect(populatedBytes).toBeLessThan(8 * MIB); // an idle server's one answer
  });

  test('has a checkpoint layer of at most 30 MB', () => {
    const layer = result.layers.find(({ kind }) => kind === 'checkpoint');
    expect(layer?.uncompressedBytes).toBeLessThanOrEqual(30 * MIB);
  });

  test('shares its base, app and runtime layers with every other build of the same', () => {
    const lower = result.layers.slice(0, 3);
    expect(lower.map(({ kind }) => kind)).toEqual(['base', 'app', 'runtime']);
    const digests = lower.map(({ digest }) => digest);
    const key = `${jdk} ${gc}`;
    expect(lowerLayers.get(key) ?? digests).toEqual(digests); // the other engine's build
    lowerLayers.set(key, digests);
  });

  test('knows the new environment and properties from its first answer on', () => {
    expect(firstAnswers.map((answer) => JSON.parse(answer))).toEqual([{ value: 'new' }, { value: 'property' }]);
  });

  test('answers 200 requests right after the restore', async () => {
    const numbers: number[] = [];
    for (let i = 0; i < 200; i++) {
      numbers.push(Number(/hello from plain-http, request (\d+)/.exec(await started.get('/'))?.[1]));
    }
    const first = numbers[0] ?? Number.NaN;
    expect(first).toBeGreaterThan(500); // the warm-up's requests were counted too
    expect(numbers).toEqual(numbers.map((_, i) => first + i));
  });

  test('has the state of the warm-up', async () => {
    expect(await started.getJson('/state?name=warm')).toMatchObject({ value: 'made during warm-up' });
    expect(await started.getJson('/file')).toMatchObject({ resource: expect.stringMatching(/./) });
  });

  test('told the resources in the right order', async () => {
    expect(await started.getJson('/crac')).toMatchObject({
      available: true,
      events: 'beforeCheckpoint:second beforeCheckpoint:first afterRestore:first afterRestore:second',
    });
  });

  test('sees the new environment, properties and arguments', async () => {
    expect(await started.getJson('/env?name=GREETING')).toEqual({ value: 'new' });
    expect(await started.getJson('/env?name=ADDED')).toEqual({ value: 'yes' });
    expect(await started.getJson('/property?name=late')).toEqual({ value: 'property' });
    expect(await started.getJson('/pid')).toEqual({ pid: 1 });
  });

  test('makes other random numbers than another container, but goes on with what the app seeded', async () => {
    await using another = await startAnother({ CRAC_LOG: 'debug' });
    const [here, there] = [await started.getJson('/random'), await another.getJson('/random')];
    expect(Object.keys(here).length).toBeGreaterThanOrEqual(12);
    for (const [name, value] of Object.entries(here)) expect([name, value]).not.toEqual([name, there[name]]);
    expect(await started.getJson('/seeded')).toEqual(await another.getJson('/seeded'));

    const { output } = await another.stop();
    expect(output).toMatch(/^crac: environment: ADDED added, CRAC_LOG added, .*GREETING changed/m);
    expect(output).toMatch(/^crac: properties: late added$/m);
  }, 30_000);

  test('collects garbage, compiles, starts threads and catches what signals carry', async () => {
    expect(await started.getJson('/gc')).toMatchObject({ reachable: 400 });
    const jit = await started.getJson('/jit');
    expect(jit).toMatchObject({ fresh: true });
    expect(jit['compilationMs']).toBeGreaterThan(0);
    expect(await started.getJson('/threads?n=50')).toMatchObject({ platform: 50, virtual: jdk === 17 ? null : 50 });
    expect(await started.getJson('/npe')).toMatchObject({ checks: 20_000, caught: 10_000 });
    expect(await started.getJson('/soe')).toMatchObject({ caught: true });
  });

  test('keeps time', async () => {
    const slept = await started.getJson('/sleep?ms=300');
    expect(slept['byNanoTimeMs']).toBeGreaterThanOrEqual(300);
    expect(slept['byNanoTimeMs']).toBeLessThan(800);
    const ticks = await started.getJson('/scheduled');
    expect(ticks['maxBurst']).toBeLessThanOrEqual(3);
  });

  test('restores as its own user, too, with nothing taken away', async () => {
    const options = { environment: { CRAC_RESTORE: 'require' }, isRestricted: false };
    await using free = engine === 'oci' ? await startInCrun(layout, options) : await startInDocker(reference, options);
    await waitUntilAnswered(() => free.get('/'));
    expect(await free.getJson('/state?name=warm')).toMatchObject({ value: 'made during warm-up' });
    expect((await free.getJson('/user'))['uid']).toBe(Number(user.split(':')[0]));
  }, 30_000);

  test('SIGTERM runs the shutdown hooks and ends with 143', async () => {
    const { exitCode, output } = await started.stop();
    expect(output).toContain('bye');
    expect(exitCode).toBe(143);
  }, 30_000);
});
