import { homedir } from 'node:os';
import { join } from 'node:path';
import { openToolbox } from '../src/criu/toolbox.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import type { OperatedVariant } from './measured-app.ts';
import { runCommand } from './run-command.ts';
import { prepareWays, type Way } from './start-ways.ts';
import { median, roundFigure } from './statistics.ts';
import { MEASURED_SYSTEMS, type MeasuredSystem } from './systems.ts';

/**
 * From exec to the first byte of the first operation's answer, in turns: `spring_boot_cold_ms`, `…_appcds_ms`, `…_aot_ms`,
 * `…_criu_ms`, `…_crac_build_ms`, and `…_ratio`, cold by crac_build. All as root in the unpacked image, in namespaces of their own,
 * made before the clock starts.
 */
export const startupBench: Bench = {
  name: 'startup',
  summary:
    'time to the first operation, for the examples of frameworks: cold, AppCDS, AOT cache, criu restore, crac-build',
  run: measureStartup,
  chart: 'bars',
};

/** The same until 200 … 100 000 operations are done, over one connection: `spring_boot_cold_200_ms` … Each way once a round. */
export const operationsBench: Bench = {
  name: 'operations',
  summary: 'time until 200 … 100 000 operations are done, for the same apps and ways',
  run: measureOperations,
  chart: 'lines',
};

const COUNTS = [1, 200, 1000, 5000, 20_000, 100_000];
/** At most: each is half a minute. */
const OPERATION_RUNS = 3;
/** A transformation is no small request. */
const MOST_OF: Readonly<Record<string, number>> = { xml_transform: 20_000 };

type Ways = Readonly<Partial<Record<Way, OperatedVariant>>>;

async function measureStartup(options: BenchOptions): Promise<Measurements> {
  const systems = await prepareAll(options);
  const runs: Record<string, number[]> = {};
  // Round 0 warms the page cache and is not counted. Whoever is first in one round is last in the next.
  for (let round = 0; round <= options.runs; round++) {
    for (const { system, ways } of systems) {
      const variants = Object.values(ways);
      for (const { key, start } of round % 2 === 0 ? variants : variants.toReversed()) {
        const { firstByteNs } = await start().catch((cause: unknown) => {
          throw new Error(`${system.key}: ${key}`, { cause });
        });
        if (round > 0) runs[key] = [...(runs[key] ?? []), firstByteNs / 1e6];
      }
    }
    options.tell(`round ${round} of ${options.runs}`);
  }
  const figure = (system: MeasuredSystem, way: Way) => median(runs[`${system.key}_${way}_ms`] ?? []);
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  const ratios = systems.map(({ system }) => [
    `${system.key}_ratio`,
    roundFigure(figure(system, 'cold') / figure(system, 'crac_build')),
  ]);
  const names = listWays(systems);
  return {
    figures: { ...Object.fromEntries(medians), ...Object.fromEntries(ratios) },
    runs,
    table: {
      columns: names.map((way) => `${way}_ms`),
      rows: systems.map(({ system }) => ({ name: system.key, values: names.map((way) => figure(system, way)) })),
    },
  };
}

async function measureOperations(options: BenchOptions): Promise<Measurements> {
  const systems = await prepareAll(options);
  const runs: Record<string, number[]> = {};
  const rounds = Math.min(options.runs, OPERATION_RUNS);
  for (let round = 1; round <= rounds; round++) {
    for (const { system, ways } of systems) {
      const counts = COUNTS.filter((count) => count <= (MOST_OF[system.key] ?? Number.POSITIVE_INFINITY));
      for (const [way, variant] of Object.entries(ways)) {
        const { operationsNs = [] } = await variant.operate(counts);
        for (const [index, count] of counts.entries()) {
          const key = `${system.key}_${way}_${count}_ms`;
          runs[key] = [...(runs[key] ?? []), (operationsNs[index] ?? Number.NaN) / 1e6];
        }
        options.tell(`round ${round} of ${rounds}: ${system.key}, ${way}`);
      }
    }
  }
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  return {
    figures: Object.fromEntries(medians),
    runs,
    table: {
      columns: COUNTS.map((count) => `${count}_ms`),
      rows: systems.flatMap(({ system, ways }) =>
        Object.keys(ways).map((way) => ({
          name: `${system.key}_${way}`,
          values: COUNTS.map((count) => median(runs[`${system.key}_${way}_${count}_ms`] ?? [])),
        })),
      ),
    },
  };
}

async function prepareAll(
  options: BenchOptions,
): Promise<readonly { readonly system: MeasuredSystem; readonly ways: Ways }[]> {
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: options.tell });
  const toolbox = await openToolbox({
    criu: undefined,
    dir: undefined,
    cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'crac-build'),
    signal: new AbortController().signal,
  });
  const prepared: { system: MeasuredSystem; ways: Ways }[] = [];
  for (const system of MEASURED_SYSTEMS) prepared.push({ system, ways: await prepareWays(system, options, toolbox) });
  return prepared;
}

function listWays(systems: readonly { readonly ways: Ways }[]): readonly Way[] {
  return [...new Set(systems.flatMap(({ ways }) => Object.keys(ways) as Way[]))];
}
