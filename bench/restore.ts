import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openToolbox } from '../src/criu/toolbox.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { compileBench } from './compile.ts';
import { composeContainerVariant } from './in-container.ts';
import {
  buildApp,
  composeCold,
  composeCriuRestore,
  composeRestore,
  composeVariant,
  type MeasuredApp,
  type Variant,
} from './measured-app.ts';
import { measurePhases } from './phases.ts';
import { measureReplicas } from './replicas.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';

/**
 * Ways to start plain-http, from exec to the first byte of the first response, taken in turns.
 *
 *   cold_ms                the JVM with the user's own options, its CDS archive and nothing of ours
 *   restore_ms             the image's entrypoint
 *   criu_ms                `criu restore` of a dump of the same warmed app
 *   …_container_ms         through `crun run`
 *   …_200mb_…              with 200 MB more of live heap
 *   …_cold_cache_ms        after the page cache was dropped, as on a node that has just pulled the image
 *   rss_…mb                resident set right after the first response of a restore
 *   restorer_ms, phase_…   the restorer's own part, and its parts
 *
 * and the figures of `replicas` and `compile`.
 *
 * All but the containers run as root in the unpacked image, with namespaces of their own, made before the clock starts.
 */
export const restoreBench: Bench = {
  name: 'restore',
  summary: 'plain-http: cold start, restore and `criu restore`, exec to first response; also large, and from disk',
  run,
};

const LARGE_MB = 200;
/** Of a start from disk, which takes longer and disturbs the whole machine. */
const COLD_CACHE_EVERY = 3;
/** At most: each takes seconds, and differs little from the next. */
const COMPILE_RUNS = 3;

async function run(options: BenchOptions): Promise<Measurements> {
  const { tell } = options;
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand(['examples/plain-http/build'], { onStderr: tell });
  const toolbox = await openToolbox({
    criu: undefined,
    dir: undefined,
    cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build'),
    signal: new AbortController().signal,
  });
  const small = await buildApp(options, toolbox, 0);
  const large = await buildApp(options, toolbox, LARGE_MB);
  const warm = await composeWarmVariants(small, large);
  const fromDisk = composeColdCacheVariants(small);

  const runs: Record<string, number[]> = {};
  const add = (key: string, value: number) => {
    runs[key] = [...(runs[key] ?? []), value];
  };
  // Round 0 warms the page cache and is not counted.
  for (let round = 0; round <= options.runs; round++) {
    if (round % COLD_CACHE_EVERY === 1) {
      for (const { key, start } of fromDisk) {
        await dropPageCache();
        add(key, (await start()).firstByteNs / 1e6);
      }
      for (const { start } of warm) await start();
    }
    for (const { key, start } of warm) {
      const response = await start();
      if (round === 0) continue;
      add(key, response.firstByteNs / 1e6);
      if (key === 'restore_ms') add('rss_mb', response.rssBytes / 1e6);
      if (key === `restore_${LARGE_MB}mb_ms`) add(`rss_${LARGE_MB}mb_mb`, response.rssBytes / 1e6);
    }
    const phases = await measurePhases(small);
    if (round > 0) for (const [key, value] of Object.entries(phases)) add(key, value);
    tell(`round ${round} of ${options.runs}`);
  }
  tell('replicas');
  const replicas = await measureReplicas(small.image);
  tell('compile step');
  const compiled = await compileBench.run({
    ...options,
    workDir: join(options.workDir, '500mb'),
    runs: Math.min(options.runs, COMPILE_RUNS),
  });
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  const { uncompressedBytes, sizeBytes } = small.image.checkpointLayer;
  return {
    figures: {
      ...Object.fromEntries(medians),
      layer_mb: roundFigure(uncompressedBytes / 1e6),
      layer_compressed_mb: roundFigure(sizeBytes / 1e6),
      ...replicas.figures,
      ...compiled.figures,
    },
    runs: { ...runs, ...replicas.runs, ...compiled.runs },
  };
}

async function composeWarmVariants(small: MeasuredApp, large: MeasuredApp): Promise<readonly Variant[]> {
  return [
    composeVariant(small, 'cold_ms', composeCold(small)),
    composeVariant(small, 'restore_ms', composeRestore(small)),
    composeVariant(small, 'criu_ms', composeCriuRestore(small), { outside: true }),
    await composeContainerVariant(small, 'cold_container_ms', composeCold(small)),
    await composeContainerVariant(small, 'restore_container_ms', composeRestore(small)),
    composeVariant(large, `restore_${LARGE_MB}mb_ms`, composeRestore(large)),
    composeVariant(large, `criu_${LARGE_MB}mb_ms`, composeCriuRestore(large), { outside: true }),
  ];
}

function composeColdCacheVariants(app: MeasuredApp): readonly Variant[] {
  return [
    composeVariant(app, 'cold_cold_cache_ms', composeCold(app)),
    composeVariant(app, 'restore_cold_cache_ms', composeRestore(app)),
    composeVariant(app, 'criu_cold_cache_ms', composeCriuRestore(app), { outside: true }),
  ];
}

/** Documentation/admin-guide/sysctl/vm.rst: 3 drops pages, names and inodes, of what has been written. */
async function dropPageCache(): Promise<void> {
  await runCommand(['sync']);
  await writeFile('/proc/sys/vm/drop_caches', '3');
}
