import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { buildExample } from './build-example.ts';
import { runContainer } from './run-container.ts';
import { quantile, roundFigure } from './statistics.ts';
import type { UnpackedImage } from './unpack-image.ts';

/**
 * Many restores of one image, some at a time, in containers whose memory limit is near the need, while other processes take
 * the CPUs at random. Each must answer from what the warm-up left, and end on SIGTERM as a JVM does. One that does not ends
 * the bench with what it wrote.
 *
 *   first_answer_ms   from before the runtime's start to the first right answer
 *   end_ms            from SIGTERM to the end of the runtime
 */
export const soakBench: Bench = {
  name: 'soak',
  summary: 'plain-http restored --runs times, four at a time, with little memory and busy CPUs',
  run,
};

export const SOAK_OPTIONS = ['-Xmx32m', '-XX:+UseSerialGC'];
/** A collection of a full heap of that size comes to 26 to 32 MB. */
const LIMIT_MB = 36;
const PORT = 8080;
const STEP_LIMIT_MS = 60_000;
const POLL_MS = 5;

async function run(options: BenchOptions): Promise<Measurements> {
  const image = await buildExample(options, SOAK_OPTIONS);
  const measured = await soak(image, { restores: options.runs, parallel: 4, tell: options.tell });
  const figures = Object.entries(measured).flatMap(([key, values]) => [
    [key, roundFigure(quantile(values, 0.5))],
    [key.replace('_ms', '_max_ms'), roundFigure(Math.max(...values))],
  ]);
  return { figures: { restores: options.runs, ...Object.fromEntries(figures) }, runs: measured };
}

export interface SoakOptions {
  readonly restores: number;
  readonly parallel: number;
  readonly tell: (line: string) => void;
}

/** `image`: plain-http built with SOAK_OPTIONS. Rejects with the first container that does not do as it should. */
export async function soak(image: UnpackedImage, { restores, parallel, tell }: SoakOptions) {
  const measured = { first_answer_ms: [] as number[], end_ms: [] as number[] };
  let begun = 0;
  const restoreOneByOne = async () => {
    while (begun < restores) {
      const number = ++begun;
      try {
        const { firstAnswerMs, endMs } = await restoreOnce(image);
        measured.first_answer_ms.push(firstAnswerMs);
        measured.end_ms.push(endMs);
      } catch (error) {
        begun = restores;
        throw new Error(`restore ${number} of ${restores}: ${(error as Error).message}`, { cause: error });
      }
      if (measured.end_ms.length % 100 === 0) tell(`${measured.end_ms.length} of ${restores} restores`);
    }
  };
  using _load = startRandomLoad();
  const results = await Promise.allSettled(Array.from({ length: parallel }, restoreOneByOne));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return measured;
}

async function restoreOnce(image: UnpackedImage): Promise<{ firstAnswerMs: number; endMs: number }> {
  const began = performance.now();
  await using container = await runContainer(image, PORT, {
    change: ({ linux }) => {
      linux.resources = { ...linux.resources, memory: { limit: LIMIT_MB * 2 ** 20 } };
    },
  });
  const told = async (problem: string) => {
    await container[Symbol.asyncDispose]();
    const { exitCode, output } = await container.ended();
    return new Error(`${problem}; exit code ${exitCode}; it wrote:\n${output}`);
  };
  let hasEnded = false;
  void container.ended().finally(() => {
    hasEnded = true;
  });
  const ask = async (path: string, right: RegExp) => {
    const deadline = performance.now() + STEP_LIMIT_MS;
    for (let seen = 'nothing'; ; await sleep(POLL_MS)) {
      if (hasEnded) throw await told(`ended before ${path} was answered`);
      if (performance.now() > deadline) throw await told(`${path} was not answered right, at last: ${seen}`);
      try {
        const response = await fetch(`http://127.0.0.1:${container.port}${path}`, {
          signal: AbortSignal.timeout(STEP_LIMIT_MS),
        });
        seen = await response.text();
        if (right.test(seen)) return;
      } catch (error) {
        seen = String((error as Error).cause ?? error); // it does not listen yet
      }
    }
  };
  await ask('/state?name=warm', /"value":"made during warm-up"/);
  const firstAnswerMs = performance.now() - began;
  await ask('/gc', /"reachable":400/);
  const asked = performance.now();
  await container.terminate();
  const end = await Promise.race([container.ended(), sleep(STEP_LIMIT_MS, undefined, { ref: false })]);
  if (end === undefined) throw await told('did not end on SIGTERM');
  if (end.exitCode !== 143) throw await told('did not end as a JVM does on SIGTERM');
  return { firstAnswerMs, endMs: performance.now() - asked };
}

const BURN = `
  process.stdin.resume().on('end', () => process.exit());
  const burn = () => {
    for (const end = performance.now() + Math.random() * 200; performance.now() < end; );
    setTimeout(burn, Math.random() * 200);
  };
  burn();
`;

/** A process for each CPU that is busy about half of the time, for moments of random length, until this one ends or disposes of it. */
function startRandomLoad(): Disposable {
  const burners = cpus().map(() => spawn(process.execPath, ['-e', BURN], { stdio: ['pipe', 'ignore', 'ignore'] }));
  return {
    [Symbol.dispose]: () => {
      for (const burner of burners) burner.kill('SIGKILL');
    },
  };
}
