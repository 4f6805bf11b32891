import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ReportEvent } from '../src/report/event.ts';
import { watchMemory } from './watch-memory.ts';

/** An event of a build, and when it came, in milliseconds since the build was started. */
export type TimedEvent = ReportEvent & { readonly cameMs: number };

export interface WatchedBuild {
  readonly totalMs: number;
  readonly events: readonly TimedEvent[];
  /** Of crac-build and what it has started, without the containers. */
  readonly peakBytes: number;
}

/** Runs `crac-build build` with these flags and looks at it from outside. */
export async function watchBuild(
  flags: readonly string[],
  environment: Readonly<Record<string, string>>,
  tell: (line: string) => void,
): Promise<WatchedBuild> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['dist/crac-build.js', 'build', '--json', ...flags], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  using memory = watchMemory(child.pid ?? 0);
  const events: TimedEvent[] = [];
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  createInterface(child.stderr).on('line', (line) => {
    if (!line.startsWith('{')) return tell(line);
    events.push({ ...JSON.parse(line), cameMs: performance.now() - startedMs });
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== 0) throw new Error(`the build failed: ${stdout.trim().split('\n').slice(-15).join('\n')}`);
  return { totalMs: performance.now() - startedMs, events, peakBytes: memory.peakBytes() };
}
