import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { BuildResult } from '../src/build.ts';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { runCommand } from './run-command.ts';
import { median, roundFigure } from './statistics.ts';

/**
 * What the first users get: each run is a build of an example that is warmed up until it has settled, and gives, as its report
 * does, of 200 requests that one user sends one after the other
 *
 *   cold_p50_ms, cold_p99_ms          the first ones after a cold start of the finished image
 *   warm_p50_ms, warm_p99_ms          the last ones of the warm-up
 *   restored_p50_ms, restored_p99_ms  the first ones after a restore
 *   warm_up_ms                        how long the warm-up took
 *   settled_share                     of the builds, how many ended because the app had settled, and not at warmUp.max
 */
export const firstRequestsBench: Bench = {
  name: 'first-requests',
  summary: 'latency of the first 200 requests, cold and restored, beside that at the end of the warm-up',
  run,
};

/** At most: each is a whole build. */
const BUILDS = 5;
const PATHS = ['/', '/work?n=1000', '/random', '/seeded', '/file'];

async function run({ runs, workDir, base, example, javaOptions, tell }: BenchOptions): Promise<Measurements> {
  await runCommand(['npm', 'run', '-s', 'build'], { onStderr: tell });
  await runCommand([`examples/${example}/build`], { onStderr: tell });
  const config = example === 'plain-http' ? await writeConfig(workDir) : `examples/${example}/crac-build.yaml`;
  const measured: Record<string, number[]> = {};
  for (let build = 1; build <= Math.min(runs, BUILDS); build++) {
    tell(`build ${build} of ${Math.min(runs, BUILDS)}`);
    const layout = join(workDir, 'image');
    await rm(layout, { recursive: true, force: true });
    const flags = [
      ...['--config', config, '--engine', 'oci', '--output', `oci:${layout}`, '--json'],
      ...(base === undefined ? [] : ['--base', base]),
      ...javaOptions.map((option) => `--java-option=${option}`),
    ];
    const result: BuildResult = JSON.parse(
      await runCommand([process.execPath, 'dist/crac-build.js', 'build', '--no-cache', ...flags]),
    );
    for (const [key, value] of Object.entries(readFigures(result))) measured[key] = [...(measured[key] ?? []), value];
  }
  const { settled_share: settled = [], ...rest } = measured;
  const medians = Object.entries(rest).map(([key, values]) => [key, roundFigure(median(values))]);
  const settledShare = roundFigure(settled.reduce((sum, one) => sum + one, 0) / settled.length);
  return { figures: { ...Object.fromEntries(medians), settled_share: settledShare }, runs: measured };
}

/** Of plain-http, which warms up with counts: the requests without counts are mixed until the app has settled. */
async function writeConfig(workDir: string): Promise<string> {
  const settings = {
    name: 'plain-http',
    app: {
      jar: resolve('examples/plain-http/target/plain-http.jar'),
      javaOptions: ['-Xmx128m', '-XX:+UseSerialGC'],
      ports: [8080],
    },
    readiness: { path: '/' },
    warmUp: { requests: PATHS.map((path) => ({ path })) },
  };
  const config = join(workDir, 'crac-build.yaml');
  await writeFile(config, stringify(settings));
  return config;
}

function readFigures({ warmth, verified }: BuildResult): Readonly<Record<string, number>> {
  const first = verified !== undefined && 'firstRequests' in verified ? verified.firstRequests : undefined;
  if (warmth?.atEnd === undefined || first === undefined)
    throw new Error('the build did not look at the first requests');
  const { restored, cold } = first;
  return {
    cold_p50_ms: cold.p50Ms,
    cold_p99_ms: cold.p99Ms,
    warm_p50_ms: warmth.atEnd.p50Ms,
    warm_p99_ms: warmth.atEnd.p99Ms,
    restored_p50_ms: restored.p50Ms,
    restored_p99_ms: restored.p99Ms,
    warm_up_ms: warmth.durationMs,
    settled_share: warmth.stopped.reason === 'settled' ? 1 : 0,
  };
}
