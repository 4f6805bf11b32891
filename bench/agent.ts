import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { ThroughputOrder, ThroughputRound } from './agent-throughput.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { findJdk } from './find-jdk.ts';
import { measureStart, PROBE } from './probe.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';

/**
 * What the agent costs an app that is not (yet) checkpointed: plain-http on this machine, without a container, by the
 * same JVM with the agent and without.
 *
 *   throughput_ratio        requests per second with the agent / without, of warmed servers: 1 is no cost
 *   startup_cost_ms         exec to the first byte of the first response, with the agent minus without
 *   startup_with_ms, startup_without_ms, throughput_with, throughput_without (requests per second)
 *
 * Both are measured in turn, first the one, then the other, in the next round the other way round. Ratio and difference
 * are taken within a round, so that what slows the machine for longer than a round touches both sides alike.
 */
export const agentBench: Bench = {
  name: 'agent',
  summary: 'plain-http with and without the agent: throughput when warm, exec to first response',
  run,
};

const JAR = 'examples/plain-http/target/plain-http.jar';
const AGENT = 'dist/native/libcrac.so';
const PORT = 8080;

async function run(options: BenchOptions): Promise<Measurements> {
  const { tell } = options;
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand(['examples/plain-http/build'], { onStderr: tell });
  const jdk = await findJdk(options.base);
  tell(`${jdk} ${options.javaOptions.join(' ')}`);
  const command = [...options.javaOptions, '-jar', await realpath(JAR)];
  const java = join(jdk, 'bin/java');
  const variants = {
    with: [java, `-agentpath:${await realpath(AGENT)}`, ...command],
    without: [java, ...command],
  };
  const starts = await measureStarts(variants, options);
  const rounds = await measureRounds(variants, options);
  const runs = {
    throughput_ratio: rounds.map((round) => round.with / round.without),
    startup_cost_ms: starts.map((start) => start.with - start.without),
    startup_with_ms: starts.map((start) => start.with),
    startup_without_ms: starts.map((start) => start.without),
    throughput_with: rounds.map((round) => round.with),
    throughput_without: rounds.map((round) => round.without),
  };
  const medians = Object.entries(runs).map(([key, values]) => [key, roundFigure(median(values))] as const);
  return {
    figures: { ...Object.fromEntries(medians), throughput_ratio: Number(median(runs.throughput_ratio).toFixed(4)) },
    runs,
  };
}

type Variants = ThroughputOrder['variants'];

/** Milliseconds; round 0 warms the page cache and is not counted. */
async function measureStarts(variants: Variants, options: BenchOptions): Promise<ThroughputRound[]> {
  const rounds: ThroughputRound[] = [];
  const measure = async (key: keyof Variants) => {
    const response = await measureStart({
      argv: variants[key],
      environment: [],
      inRoot: false,
      port: PORT,
      path: '/',
      log: join(options.workDir, `${key}.log`),
    });
    return response.firstByteNs / 1e6;
  };
  for (let round = 0; round <= options.runs; round++) {
    const measured = { with: 0, without: 0 };
    for (const key of orderOf(round)) measured[key] = await measure(key);
    if (round > 0) rounds.push(measured);
  }
  options.tell(`${options.runs} starts of each`);
  return rounds;
}

/** In a network of its own: the example listens on all addresses. */
async function measureRounds(variants: Variants, options: BenchOptions): Promise<ThroughputRound[]> {
  const order: ThroughputOrder = { variants, rounds: options.runs };
  const script = [process.execPath, 'scripts/run-ts.mjs', 'bench/agent-throughput.ts', JSON.stringify(order)];
  return JSON.parse(await runCommand([PROBE, 'isolate', '--', ...script], { onStderr: options.tell }));
}

function orderOf(round: number): readonly (keyof Variants)[] {
  return round % 2 === 0 ? ['with', 'without'] : ['without', 'with'];
}
