import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openToolbox } from '../src/criu/toolbox.ts';
import type { ServerPlan } from '../src/plan/build-plan.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { writeBundle } from './bundle.ts';
import { takeCriuReference } from './criu-reference.ts';
import { type FirstResponse, measureStart } from './probe.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';
import { type UnpackedImage, unpackImage } from './unpack-image.ts';

/**
 * One way to start the app, measured from exec to the first byte of the first response.
 *
 *   cold_ms               the JVM with the user's own options, its CDS archive and nothing of ours
 *   restore_ms            the image's entrypoint
 *   criu_ms               `criu restore` of a dump of the same warmed app
 *   …_container_ms        the first two through `crun run`
 *
 * The first three run as root in the unpacked image. All have process, mount and network namespaces of their own, made
 * before the clock starts.
 */
interface Variant {
  readonly key: string;
  readonly start: () => Promise<FirstResponse>;
}

const CONFIG = 'examples/plain-http/crac-build.yaml';

export const restoreBench: Bench = {
  name: 'restore',
  summary: 'plain-http: cold start, restore and `criu restore`, exec to first response',
  run,
};

async function run(options: BenchOptions): Promise<Measurements> {
  const { workDir, tell } = options;
  const { plan, image } = await buildImage(options);
  const toolbox = await openToolbox({
    criu: undefined,
    dir: undefined,
    cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build'),
    signal: new AbortController().signal,
  });
  const criu = await takeCriuReference(plan, image, toolbox, workDir, tell);
  const variants = await composeVariants(plan, image, criu.restoreArgv, workDir);

  const runs: Record<string, number[]> = {};
  const add = (key: string, value: number) => {
    runs[key] = [...(runs[key] ?? []), value];
  };
  // Round 0 warms the page cache and is not counted.
  for (let round = 0; round <= options.runs; round++) {
    for (const { key, start } of variants) {
      const response = await start();
      if (round === 0) continue;
      add(key, response.firstByteNs / 1e6);
      if (key === 'restore_ms') add('rss_mb', response.rssBytes / 1e6);
    }
    const restorerMs = await measureRestorer(plan, image, workDir);
    if (round > 0) add('restorer_ms', restorerMs);
    tell(`round ${round} of ${options.runs}`);
  }
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  const { uncompressedBytes, sizeBytes } = image.checkpointLayer;
  return {
    figures: {
      ...Object.fromEntries(medians),
      layer_mb: roundFigure(uncompressedBytes / 1e6),
      layer_compressed_mb: roundFigure(sizeBytes / 1e6),
    },
    runs,
  };
}

async function buildImage(options: BenchOptions): Promise<{ plan: ServerPlan; image: UnpackedImage }> {
  const { workDir, tell } = options;
  const layout = join(workDir, 'image');
  const flags = [
    ...['--config', CONFIG, '--engine', 'oci', '--output', `oci:${layout}`],
    ...(options.base === undefined ? [] : ['--base', options.base]),
    ...options.javaOptions.flatMap((option) => [`--java-option=${option}`]),
  ];
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand(['examples/plain-http/build'], { onStderr: tell });
  const plan: ServerPlan = JSON.parse(
    await runCommand([process.execPath, 'dist/crac-build.js', 'plan', '--json', ...flags]),
  );
  tell(`building the image: Java ${plan.base.javaVersion}, ${plan.javaOptions.join(' ')}`);
  await rm(layout, { recursive: true, force: true });
  await runCommand([process.execPath, 'dist/crac-build.js', 'build', ...flags], { onStderr: tell });
  return { plan, image: await unpackImage(layout, join(workDir, 'root')) };
}

async function composeVariants(
  plan: ServerPlan,
  image: UnpackedImage,
  criuRestoreArgv: readonly string[],
  workDir: string,
): Promise<readonly Variant[]> {
  const { port, path } = plan.readiness;
  const { root, environment } = image;
  const coldArgv = ['/opt/java/bin/java', ...plan.javaOptions, '-jar', plan.app.imagePath, ...plan.app.arguments];
  const restore = { argv: ['/opt/crac/restore'], environment: [...environment, 'CRAC_RESTORE=require'] };
  const cold = { argv: coldArgv, environment };
  const variant = (
    key: string,
    start: { argv: readonly string[]; environment: readonly string[] },
    inRoot: boolean,
  ) => ({
    key,
    start: () => measureStart({ ...start, root, inRoot, port, path, log: join(workDir, `${key}.log`) }),
  });

  const crun = (await runCommand(['sh', '-c', 'command -v crun'])).trim();
  const runtime = [crun, '--root', join(workDir, 'crun'), '--cgroup-manager=disabled'];
  const inContainer = async (key: string, start: { argv: readonly string[]; environment: readonly string[] }) => {
    const bundle = join(workDir, `bundle-${key}`);
    await writeBundle(bundle, image, start);
    const measured = variant(key, { argv: [...runtime, 'run', '--bundle', bundle, key], environment: [] }, false);
    return {
      key,
      start: async () => {
        try {
          return await measured.start();
        } finally {
          await runCommand([...runtime, 'delete', '--force', key]);
        }
      },
    };
  };
  return [
    variant('cold_ms', cold, true),
    variant('restore_ms', restore, true),
    variant('criu_ms', { argv: criuRestoreArgv, environment: [] }, false),
    await inContainer('cold_container_ms', cold),
    await inContainer('restore_container_ms', restore),
  ];
}

/** The restorer's own time, as it tells it itself: a run of its own, because telling takes time. */
async function measureRestorer(plan: ServerPlan, image: UnpackedImage, workDir: string): Promise<number> {
  const log = join(workDir, 'restorer.log');
  await writeFile(log, '');
  await measureStart({
    argv: ['/opt/crac/restore'],
    environment: [...image.environment, 'CRAC_RESTORE=require', 'CRAC_LOG=debug'],
    root: image.root,
    inRoot: true,
    port: plan.readiness.port,
    path: plan.readiness.path,
    log,
  });
  const text = await readFile(log, 'utf8');
  await appendFile(join(workDir, 'restorer-all.log'), text);
  const match = /^crac: restored in (\d+) us/m.exec(text);
  if (match === null) throw new Error(`the restorer did not tell its time: ${text}`);
  return Number(match[1]) / 1000;
}
