import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { captureValues } from './capture-values.ts';
import { checkAnswer } from './check-answer.ts';
import { composeRequest, listFiles, type SentFiles } from './compose-request.ts';
import { type CookieJar, openCookieJar } from './cookie-jar.ts';
import type { Pools } from './open-pools.ts';
import { openRandom, type Random } from './random.ts';
import { type HttpScenario, listSteps, nameEndpoint, type Scenario } from './scenario.ts';
import { sendRequest } from './send-request.ts';
import type { Values } from './template.ts';

/** One answered request. */
export interface Sample {
  /** "GET /orders/{{id}}": one for all values. */
  readonly endpoint: string;
  /** performance.now() when it was sent. */
  readonly startedMs: number;
  /** Until the whole answer was read. */
  readonly latencyMs: number;
}

/** What all runs share. */
export interface Traffic {
  readonly pools: Pools;
  readonly files: SentFiles;
  readonly onSample: (sample: Sample) => void;
  /** Begun and not over yet. */
  readonly pending: Set<Pending>;
  readonly runOther: RunOther;
}

/** A request that was sent, or the run of what is no list of requests: "the script /work/warm-up.ts". */
export interface Pending extends Pick<Sample, 'endpoint' | 'startedMs'> {
  readonly isRun?: boolean;
}

/** Resolves when it is over; rejects with the signal's reason, or with what was wrong. */
export type RunOther = (
  scenario: Exclude<Scenario, HttpScenario>,
  user: User,
  n: number,
  traffic: Traffic,
  signal: AbortSignal,
) => Promise<void>;

/** Who has cookies and chance of its own. */
export interface User {
  readonly number: number;
  readonly jar: CookieJar;
  readonly random: Random;
}

export function openUser(number: number, seed: number): User {
  return { number, jar: openCookieJar(), random: openRandom(seed, number) };
}

export async function readSentFiles(scenarios: readonly Scenario[]): Promise<SentFiles> {
  const paths = new Set(listSteps(scenarios).flatMap(({ body }) => listFiles(body)));
  return new Map(await Promise.all([...paths].map(async (path) => [path, await readFile(path)] as const)));
}

/** One run. `n`: its number among all. UnexpectedAnswer, NoAnswer, what `runOther` says, or the signal's reason otherwise. */
export async function runScenario(
  scenario: Scenario,
  user: User,
  n: number,
  traffic: Traffic,
  signal: AbortSignal,
): Promise<void> {
  if (scenario.kind === 'http') await runSteps(scenario, user, n, traffic, signal);
  else await traffic.runOther(scenario, user, n, traffic, signal);
}

/** All steps, one after the other. */
async function runSteps(
  { steps }: HttpScenario,
  user: User,
  n: number,
  traffic: Traffic,
  signal: AbortSignal,
): Promise<void> {
  let values: Values = { n, user: user.number, random: Math.floor(user.random() * 2 ** 31) };
  for (const step of steps) {
    signal.throwIfAborted();
    const request = composeRequest(step, values, traffic.files);
    const answer = await sendRequest({ endpoint: nameEndpoint(step), port: step.port, request }, user, traffic, signal);
    checkAnswer(step, answer, values);
    values = { ...values, ...captureValues(step, answer) };
    if (step.thinkMs > 0) await sleep(step.thinkMs, undefined, { signal });
  }
}
