import { mkdir, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openToolbox, toolboxFolder } from '../src/criu/toolbox.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { type BuildParts, splitBuild } from './build-parts.ts';
import { CONFIG, composeFlags, writeConfig } from './measured-app.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';
import { watchBuild } from './watch-build.ts';

/**
 * What crac-build itself costs: builds of plain-http with a checkpoint really taken, base and toolbox cached, engine `oci`.
 *
 *   overhead_s              all of a build but the app's start and warm-up, quiesce_s and verify_s
 *   quiesce_s               what the JVM does, and waits for, before its checkpoint
 *   verify_s                the finished image started restored, twice, and cold, with its requests
 *   rss_mb                  the most memory that crac-build and its programs had at once, without containers
 *   overhead_500mb_s, …     the same of an app that holds 500 MB
 *   cached_s                all of a build whose checkpoint is in the cache
 *   base_s                  containerize where no base is in the cache
 */
export const buildBench: Bench = {
  name: 'build',
  summary: 'what crac-build itself costs in time and memory, for plain-http and for an app with 500 MB',
  run,
};

const LARGE_MB = 500;

async function run(options: BenchOptions): Promise<Measurements> {
  const { tell, workDir } = options;
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand(['examples/plain-http/build'], { onStderr: tell });
  const environment = { XDG_CACHE_HOME: await openEmptyCache(workDir) };
  const build = async (config: string, more: readonly string[]) => {
    const output = ['--engine', 'oci', '--output', `oci:${join(workDir, 'image')}`];
    return await watchBuild([...composeFlags(options, config), ...output, ...more], environment, tell);
  };
  const runs: Record<string, number[]> = {};
  const add = (key: string, value: number) => {
    runs[key] = [...(runs[key] ?? []), value];
  };
  const stages: BuildParts['overheadByStageMs'][] = [];
  const measure = async (config: string, suffix: string) => {
    const { peakBytes, ...watched } = await build(config, ['--no-cache']);
    const parts = splitBuild(watched);
    for (const [key, ms] of Object.entries({
      overhead: parts.overheadMs,
      quiesce: parts.quiesceMs,
      verify: parts.verifyMs,
    }))
      add(`${key}${suffix}_s`, ms / 1000);
    add(`rss${suffix}_mb`, peakBytes / 1e6);
    return parts;
  };

  tell('making the base');
  const first = await build(CONFIG, []);
  for (const event of first.events)
    if (event.type === 'stage-finished' && event.stage === 'containerize') add('base_s', event.durationMs / 1000);
  for (let round = 1; round <= options.runs; round++) {
    stages.push((await measure(CONFIG, '')).overheadByStageMs);
    add('cached_s', (await build(CONFIG, [])).totalMs / 1000);
    tell(`round ${round} of ${options.runs}`);
  }
  tell(`with ${LARGE_MB} MB`);
  const large = await writeConfig(workDir, `/keep?mb=${LARGE_MB}`, [`-Xmx${2 * LARGE_MB}m`]);
  await measure(large, `_${LARGE_MB}mb`);
  await rm(environment.XDG_CACHE_HOME, { recursive: true });

  const figures = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  const names = Object.keys(stages[0] ?? {});
  const rows = names.map((name) => ({
    name,
    values: [roundFigure(median(stages.map((one) => one[name] ?? 0)) / 1000)],
  }));
  return { figures: Object.fromEntries(figures), runs, table: { columns: ['overhead_s'], rows } };
}

/** With the common toolbox in it, which takes long to make. */
async function openEmptyCache(workDir: string): Promise<string> {
  const common = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build');
  const { signal } = new AbortController();
  await openToolbox({ cacheDir: common, signal });
  const cache = join(workDir, 'cache');
  await rm(cache, { recursive: true, force: true });
  const own = toolboxFolder(join(cache, 'crac-build'));
  await mkdir(join(own, '..'), { recursive: true });
  await symlink(toolboxFolder(common), own);
  return cache;
}
