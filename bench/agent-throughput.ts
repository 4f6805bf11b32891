// Runs inside `probe isolate`: pairs of warmed servers, one with the agent and one without, under the same load in turn.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Load, measureThroughput } from './load.ts';

/** What this program is told, as JSON in its argument. It prints ThroughputRound[]. */
export interface ThroughputOrder {
  readonly variants: Readonly<Record<'with' | 'without', readonly string[]>>;
  readonly rounds: number;
}

/** Requests per second. */
export type ThroughputRound = Readonly<Record<'with' | 'without', number>>;

/** What the JIT makes of the same code differs from one JVM to the next, by more than what is to be seen. */
const PAIRS = 3;
const WARM_UP_MS = 4000;
const ROUND_MS = 500;
/** Small answers, work in Java, and the generators that the agent has its eye on. */
const PATHS = ['/', '/work?n=50', '/', '/random'];

const order: ThroughputOrder = JSON.parse(process.argv[2] ?? '');
const rounds: ThroughputRound[] = [];
const pairs = Math.min(PAIRS, order.rounds);
for (let pair = 0; pair < pairs; pair++) {
  await using one = await launchServer(order.variants.with, 8080);
  await using other = await launchServer(order.variants.without, 8081);
  const measure = (server: Server, durationMs: number) =>
    measureThroughput({ port: server.port, paths: PATHS, connections: 4, durationMs } satisfies Load);
  for (const server of [one, other, one, other]) await measure(server, WARM_UP_MS / 2);
  for (let round = pair; round < order.rounds; round += pairs) {
    const first = round % 2 === 0 ? one : other;
    const rates = [await measure(first, ROUND_MS), await measure(first === one ? other : one, ROUND_MS)];
    if (first === other) rates.reverse();
    rounds.push({ with: rates[0] ?? 0, without: rates[1] ?? 0 });
  }
  process.stderr.write(`pair ${pair + 1} of ${pairs} warmed servers\n`);
}
process.stdout.write(JSON.stringify(rounds));

interface Server extends AsyncDisposable {
  readonly port: number;
}

async function launchServer([file = '', ...rest]: readonly string[], port: number): Promise<Server> {
  const server = spawn(file, [...rest, String(port)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(server, 'exit');
  for (const deadlineMs = performance.now() + 30_000; ; await sleep(20)) {
    const isServing = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.ok,
      () => false,
    );
    if (isServing) break;
    if (performance.now() > deadlineMs || server.exitCode !== null) throw new Error(`${file} does not serve`);
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await exited;
    },
  };
}
