import type { Stage } from '../src/report/event.ts';
import type { TimedEvent, WatchedBuild } from './watch-build.ts';

/** Where the time of a build went, in milliseconds; together they are all of it. */
export interface BuildParts {
  /** Of the app: from its start until it was ready, and its warm-up. */
  readonly appMs: number;
  /** Of the JVM: its preparation for the checkpoint, waits included. */
  readonly quiesceMs: number;
  /** From the first start of the finished image to the end of the last. */
  readonly verifyMs: number;
  /** The rest: crac-build itself. */
  readonly overheadMs: number;
  /** The rest by stage; `process`: what is outside of all stages. */
  readonly overheadByStageMs: Readonly<Record<string, number>>;
}

/** Splits a build by the events that it reported. */
export function splitBuild({ totalMs, events }: Pick<WatchedBuild, 'totalMs' | 'events'>): BuildParts {
  const find = (what: string, isIt: (event: TimedEvent) => boolean): TimedEvent => {
    const found = events.find(isIt);
    if (found === undefined) throw new Error(`the build did not tell ${what}`);
    return found;
  };
  const progress = (stage: Stage, text: RegExp) =>
    find(`of ${text}`, (event) => event.type === 'stage-progress' && event.stage === stage && text.test(event.text));
  const end = (stage: Stage) =>
    find(`the end of ${stage}`, (event) => event.type === 'stage-finished' && event.stage === stage);
  const durations = new Map(
    events.flatMap((event) =>
      event.type === 'stage-finished' ? [[event.stage as string, event.durationMs] as const] : [],
    ),
  );
  const durationOf = (stage: Stage) => durations.get(stage) ?? 0;

  const startMs = end('launch').cameMs - progress('launch', /^waiting for /).cameMs;
  const quiesceMs = progress('checkpoint', /^dumping$/).cameMs - progress('checkpoint', /^preparing the app$/).cameMs;
  const restored = progress('verify', /^restore 1: /);
  const firstMs = restored.type === 'stage-progress' ? parseDurationMs(restored.text) : 0;
  const verifyMs = end('verify').cameMs - (restored.cameMs - firstMs);
  const appMs = startMs + durationOf('warm-up');

  const others: Readonly<Record<string, number>> = {
    launch: startMs,
    'warm-up': durationOf('warm-up'),
    checkpoint: quiesceMs,
    verify: verifyMs,
  };
  const byStage = [...durations].map(([stage, ms]) => [stage, Math.max(0, ms - (others[stage] ?? 0))] as const);
  const inStages = [...durations.values()].reduce((sum, ms) => sum + ms, 0);
  return {
    appMs,
    quiesceMs,
    verifyMs,
    overheadMs: totalMs - appMs - quiesceMs - verifyMs,
    overheadByStageMs: { ...Object.fromEntries(byStage), process: totalMs - inStages },
  };
}

/** Of "…: first answer after 40.3 ms", as a build tells durations. */
function parseDurationMs(text: string): number {
  const [, value, unit] = / ([\d.]+) (µs|ms|s)$/.exec(text) ?? [];
  return Number(value ?? 0) * ({ µs: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? 1);
}
