/** In containers: a restored app is checkpointed again as a build does it, and restored again, without rights. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { askStatus } from '../../src/criu/control.ts';
import { openToolbox } from '../../src/criu/toolbox.ts';
import { connectEngine } from '../../src/engine/connect.ts';
import type { OciImage } from '../../src/oci/image.ts';
import type { BuildPlan } from '../../src/plan/build-plan.ts';
import { takeCheckpoint } from '../../src/stages/checkpoint.ts';
import { compileCheckpoint } from '../../src/stages/compile.ts';
import { composeImage } from '../../src/stages/compose.ts';
import { planBuildContainer } from '../../src/stages/launch.ts';
import { packLayers } from '../../src/stages/pack.ts';
import { withoutServices } from '../../src/stages/services.ts';
import type { World } from '../../src/world.ts';
import { buildPlainHttp, JDKS, ROOT } from './support/build-example.ts';
import { readImage } from './support/read-image.ts';
import { openClient, type StartedImage, waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const { signal } = new AbortController();
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-again-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test.each([
  [17, 'Parallel', 'read'],
  [25, 'G1', 'map'],
] as const)(
  'JDK %d with %s, memory %s: all that it was goes on behind the second restore',
  async (jdk, collector, memory) => {
    const layout = join(dir, 'image');
    const { plan: built } = await buildPlainHttp([
      ...['--engine', 'oci', '--base', `jdk:${JDKS[jdk]}`, '--output', `oci:${layout}`, '--no-verify'],
      ...['--java-option=-Xmx128m', `--java-option=-XX:+Use${collector}GC`, '--env', 'GREETING=first'],
    ]);
    const plan: BuildPlan = { ...built, checkpoint: { ...built.checkpoint, memory, settleMs: 0 } };
    const workDir = join(dir, 'again');
    await cp(layout, workDir, { recursive: true });
    const cacheDir = join(dir, 'cache');
    const nativeDir = join(ROOT, 'dist/native');
    const world: World = {
      ...{ signal, environment: {}, workDir, cacheDir, nativeDir, report: () => {} },
      engine: await connectEngine('oci', { cacheDir, nativeDir, signal }),
      toolbox: await openToolbox({ criu: undefined, dir: undefined, cacheDir: userCache(), signal }),
    };
    const { image, hits } = await checkpointRestored(plan, await readImage(workDir), world);
    const environment = { CRAC_RESTORE: 'require', GREETING: 'third' };
    await using started = await startInCrun(image, { environment });
    await waitUntilAnswered(() => started.get('/'));
    expect(await hitsOf(started)).toBe(hits + 2);
    expect(await started.getJson('/env?name=GREETING')).toEqual({ value: 'third' });
    expect(await started.getJson('/state?name=warm')).toMatchObject({ value: 'made during warm-up' });
    expect(await started.getJson('/gc')).toMatchObject({ reachable: 400 });
    const round = 'beforeCheckpoint:second beforeCheckpoint:first afterRestore:first afterRestore:second';
    expect(await started.getJson('/crac')).toMatchObject({ events: [round, round].join(' ') });
    expect((await started.stop()).exitCode).toBe(143);
  },
  180_000,
);

/** Restores the image with a build container's rights and takes another checkpoint; how many requests it had answered then. */
async function checkpointRestored(
  plan: BuildPlan,
  image: OciImage,
  world: World,
): Promise<{ readonly image: OciImage; readonly hits: number }> {
  await using loaded = await world.engine.loadImage(image, `crac-e2e/again:latest`, signal);
  const { entrypoint: _, ...spec } = planBuildContainer(plan, loaded.reference, 'again');
  const environment = { CRAC_RESTORE: 'require', GREETING: 'second' };
  await using container = await world.engine.launchContainer({ ...spec, environment }, signal);
  const { host, port } = await container.endpoint(8080);
  const client = openClient(`${host}:${port}`);
  await waitUntilAnswered(() => client.get('/'));
  expect(await client.getJson('/env?name=GREETING')).toEqual({ value: 'second' });
  expect(await askStatus(container, plan.app.user, signal)).toMatchObject({ state: 'restored', checkpointing: false });
  const hits = await hitsOf(client);
  const app = { container, services: withoutServices('isolated'), [Symbol.asyncDispose]: async () => {} };
  const checkpoint = await takeCheckpoint(plan, app, world);
  const layers = await packLayers(plan, checkpoint, await compileCheckpoint(plan, checkpoint, world), world);
  return { image: composeImage(plan, image, layers), hits };
}

async function hitsOf(client: Pick<StartedImage, 'get'>): Promise<number> {
  return Number(/request (\d+)/.exec(await client.get('/'))?.[1]);
}

function userCache(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build');
}
