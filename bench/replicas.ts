import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchOptions, Measurements } from './bench.ts';
import { buildExample } from './build-example.ts';
import { type RunningContainer, runContainer } from './run-container.ts';
import { roundFigure } from './statistics.ts';
import type { UnpackedImage } from './unpack-image.ts';

/**
 * Containers of one image beside each other, each after its first answer: what of their memory they share.
 *
 *   pss_10_replicas_mb   of all together; a page that n processes have mapped counts as an n-th of a page for each
 *   rss_10_replicas_mb   of all together, had they nothing in common
 */
export const replicasBench: Bench = {
  name: 'replicas',
  summary: 'memory of 10 restored containers of plain-http on one host',
  run,
};

const REPLICAS = 10;
const ANSWER_LIMIT_MS = 60_000;

async function run(options: BenchOptions): Promise<Measurements> {
  return await measureReplicas(await buildExample(options, []));
}

/** `image`: plain-http. In MB; its runs are the single replicas. */
export async function measureReplicas(image: UnpackedImage): Promise<Measurements> {
  const containers: RunningContainer[] = [];
  try {
    for (let replica = 0; replica < REPLICAS; replica++) {
      const container = await runContainer(image, 8080);
      containers.push(container);
      await waitForAnswer(container);
    }
    const replicas = await Promise.all(containers.map(({ pid }) => readMemory(pid)));
    const runs = {
      pss_10_replicas_mb: replicas.map(({ pssMb }) => pssMb),
      rss_10_replicas_mb: replicas.map(({ rssMb }) => rssMb),
    };
    const sums = Object.entries(runs).map(([key, values]) => [key, roundFigure(values.reduce((sum, mb) => sum + mb))]);
    return { figures: Object.fromEntries(sums), runs };
  } finally {
    for (const container of containers) await container[Symbol.asyncDispose]();
  }
}

/** https://www.kernel.org/doc/html/latest/filesystems/proc.html, smaps_rollup. */
async function readMemory(pid: number): Promise<{ pssMb: number; rssMb: number }> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (key: string) => (Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) * 1024) / 1e6;
  return { pssMb: read('Pss'), rssMb: read('Rss') };
}

async function waitForAnswer(container: RunningContainer): Promise<void> {
  const deadline = performance.now() + ANSWER_LIMIT_MS;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${container.port}/`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) })
      .then((response) => response.text())
      .catch(() => undefined); // it does not listen yet
    if (answer?.startsWith('hello')) return;
    if (performance.now() > deadline) {
      await container[Symbol.asyncDispose]();
      throw new Error(`a replica did not answer: ${(await container.ended()).output}`);
    }
    await sleep(5);
  }
}
