import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openToolbox } from '../src/criu/toolbox.ts';
import { jvmStepsOf, STEP_NAMES } from '../src/steps.ts';
import type { Toolbox } from '../src/world.ts';
import type { Bench, BenchOptions, Measurements, Table } from './bench.ts';
import { type CheckpointSize, measureCheckpoint } from './measure-checkpoint.ts';
import { buildAndUnpack, composeRestore, composeVariant, planApp } from './measured-app.ts';
import { runCommand } from './run-command.ts';
import { composeNaiveArgv, planLadder, type Rung } from './size-ladder.ts';
import { median, roundFigure } from './statistics.ts';
import { compileTaken, takeDumps } from './take-dumps.ts';

/**
 * What makes the checkpoint of plain-http small: each row of the table has its step and those of all rows above it. In MB:
 * mem.bin, and mem.bin and plan.bin compressed with zstd's level 6.
 *
 *   COLLECTOR_naive_mb, …_naive_compressed_mb          a dump of the warmed app as it is, nothing left out
 *   COLLECTOR_collected_mb, …_collected_compressed_mb  after two full collections, and nothing else
 *   COLLECTOR_mb, …_compressed_mb                      with all steps
 *   restore_untrimmed_ms, restore_trimmed_ms           exec to first response: an image built without any of the steps, and
 *                                                      one with all of them, taken in turns
 *   restore_ratio                                      trimmed / untrimmed, within a turn: below 1 is quicker
 *
 * Rows are taken of one warmed JVM, one after the other (without the options by which crac-build makes it small: of another),
 * on this machine, without a container. `--java-option=-XX:+UseG1GC` measures that collector alone.
 */
export const sizeBench: Bench = {
  name: 'size',
  summary: 'plain-http: what each step saves of the checkpoint, and how quickly a small one restores',
  run,
};

const COLLECTORS = ['Serial', 'Parallel', 'G1'];
const HEAP = '-Xmx128m';
const COLLECTOR_OPTION = /^-XX:\+Use(\w+)GC$/;

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
  const named = options.javaOptions.flatMap((option) => COLLECTOR_OPTION.exec(option)?.[1] ?? []);
  const collectors = named.length > 0 ? named : COLLECTORS;
  const ladder = planLadder();
  const sizes: (readonly CheckpointSize[])[] = [];
  for (const collector of collectors) {
    tell(`${collector}: ${ladder.length} sizes`);
    sizes.push(await climb(ladder, composeOptions(options, collector), toolbox));
  }
  const restored = await measureRestores(composeOptions(options, collectors[0] ?? ''));
  return {
    figures: {
      ...Object.fromEntries(
        collectors.flatMap((collector, at) => listFigures(collector.toLowerCase(), sizes[at] ?? [])),
      ),
      ...restored.figures,
    },
    runs: restored.runs,
    table: composeTable(ladder, collectors, sizes),
  };
}

function composeOptions(options: BenchOptions, collector: string): BenchOptions {
  const others = options.javaOptions.filter((option) => !COLLECTOR_OPTION.test(option));
  return { ...options, javaOptions: [HEAP, `-XX:+Use${collector}GC`, ...others] };
}

/** The size at each rung. Offline steps need no dump of their own: they are taken and left with the same one. */
async function climb(
  ladder: readonly Rung[],
  options: BenchOptions,
  toolbox: Toolbox,
): Promise<readonly CheckpointSize[]> {
  const plan = await planApp(options);
  const outDir = join(options.workDir, 'compiled');
  const sizes: CheckpointSize[] = [];
  for (const hasOptions of [false, true]) {
    const rungs = ladder.filter((rung) => rung.hasOptions === hasOptions);
    const argv = hasOptions ? plan.command.argv : composeNaiveArgv(plan);
    const keys = rungs.map(({ skip }) => jvmStepsOf(skip).join());
    const skips = rungs.filter((_, index) => keys.indexOf(keys[index] ?? '') === index).map(({ skip }) => skip);
    const dumps = await takeDumps(plan, toolbox, join(options.workDir, 'dumps'), skips, argv);
    for (const { skip } of rungs) {
      const dump = dumps[skips.findIndex((each) => jvmStepsOf(each).join() === jvmStepsOf(skip).join())];
      if (dump === undefined) throw new Error('a dump is missing');
      sizes.push(await measureCheckpoint(await compileTaken(dump, skip, outDir)));
      await rm(outDir, { recursive: true });
    }
    await rm(join(options.workDir, 'dumps'), { recursive: true });
  }
  return sizes;
}

async function measureRestores(options: BenchOptions): Promise<Measurements> {
  const withoutSteps = STEP_NAMES.flatMap((name) => ['--skip-step', name]);
  const variants = [
    { key: 'restore_untrimmed_ms', flags: withoutSteps },
    { key: 'restore_trimmed_ms', flags: [] },
  ];
  const starts = [];
  for (const { key, flags } of variants) {
    const app = await buildAndUnpack(options, join(options.workDir, key), undefined, flags);
    starts.push(composeVariant(app, key, composeRestore(app)));
  }
  const runs: Record<string, number[]> = { restore_untrimmed_ms: [], restore_trimmed_ms: [], restore_ratio: [] };
  // Round 0 warms the page cache and is not counted. Whoever is first in one round is last in the next.
  for (let round = 0; round <= options.runs; round++) {
    const measured: Record<string, number> = {};
    for (const { key, start } of round % 2 === 0 ? starts : starts.toReversed())
      measured[key] = (await start()).firstByteNs / 1e6;
    if (round === 0) continue;
    const { restore_untrimmed_ms: untrimmed = 0, restore_trimmed_ms: trimmed = 0 } = measured;
    runs['restore_untrimmed_ms']?.push(untrimmed);
    runs['restore_trimmed_ms']?.push(trimmed);
    runs['restore_ratio']?.push(trimmed / untrimmed);
  }
  options.tell(`${options.runs} restores of each`);
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  return { figures: Object.fromEntries(medians), runs };
}

function listFigures(collector: string, sizes: readonly CheckpointSize[]): readonly (readonly [string, number])[] {
  const points = [
    [`${collector}_naive`, sizes[0]],
    [`${collector}_collected`, sizes[1]],
    [collector, sizes.at(-1)],
  ] as const;
  return points.flatMap(([key, size]) => [
    [`${key}_mb`, roundFigure((size?.rawBytes ?? Number.NaN) / 1e6)] as const,
    [`${key}_compressed_mb`, roundFigure((size?.compressedBytes ?? Number.NaN) / 1e6)] as const,
  ]);
}

function composeTable(
  ladder: readonly Rung[],
  collectors: readonly string[],
  sizes: readonly (readonly CheckpointSize[])[],
): Table {
  return {
    columns: collectors.flatMap((collector) => [`${collector} MB`, 'compressed MB']),
    rows: ladder.map(({ name }, rung) => ({
      name: rung === 0 ? name : `+ ${name}`,
      values: sizes.flatMap((each) => {
        const { rawBytes = Number.NaN, compressedBytes = Number.NaN } = each[rung] ?? {};
        return [roundFigure(rawBytes / 1e6), roundFigure(compressedBytes / 1e6)];
      }),
    })),
  };
}
