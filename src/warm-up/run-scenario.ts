import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, errors } from 'undici';
import type { Answer } from './answer.ts';
import { captureValues } from './capture-values.ts';
import { checkAnswer } from './check-answer.ts';
import { type ComposedRequest, composeRequest, listFiles, type SentFiles } from './compose-request.ts';
import { type CookieJar, openCookieJar } from './cookie-jar.ts';
import { renderNetworkError } from './network-error.ts';
import type { Pools } from './open-pools.ts';
import { openRandom, type Random } from './random.ts';
import { nameEndpoint, type Scenario, type Step } from './scenario.ts';
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
  /** Sent and not answered yet. */
  readonly pending: Set<Pick<Sample, 'endpoint' | 'startedMs'>>;
}

/** Who has cookies and chance of its own. */
export interface User {
  readonly number: number;
  readonly jar: CookieJar;
  readonly random: Random;
}

/** A request to which no answer came. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly endpoint: string;

  constructor(endpoint: string, cause: unknown) {
    super(`${endpoint} got no answer: ${renderNetworkError(cause as Error)}`, { cause });
    this.endpoint = endpoint;
  }
}

export function openUser(number: number, seed: number): User {
  return { number, jar: openCookieJar(), random: openRandom(seed, number) };
}

export async function readSentFiles(scenarios: readonly Scenario[]): Promise<SentFiles> {
  const paths = new Set(scenarios.flatMap(({ steps }) => steps.flatMap(({ body }) => listFiles(body))));
  return new Map(await Promise.all([...paths].map(async (path) => [path, await readFile(path)] as const)));
}

/** All steps, one after the other. `n`: the number of this run among all. UnexpectedAnswer, NoAnswer or the signal's reason otherwise. */
export async function runScenario(
  { steps }: Scenario,
  user: User,
  n: number,
  traffic: Traffic,
  signal: AbortSignal,
): Promise<void> {
  let values: Values = { n, user: user.number, random: Math.floor(user.random() * 2 ** 31) };
  for (const step of steps) {
    signal.throwIfAborted();
    const answer = await sendStep(step, user, values, traffic, signal);
    checkAnswer(step, answer, values);
    values = { ...values, ...captureValues(step, answer) };
    if (step.thinkMs > 0) await sleep(step.thinkMs, undefined, { signal });
  }
}

async function sendStep(
  step: Step,
  { jar }: User,
  values: Values,
  { pools, files, onSample, pending }: Traffic,
  signal: AbortSignal,
): Promise<Answer> {
  const request = composeRequest(step, values, files);
  const cookie = jar.render(request.path);
  const headers = cookie === undefined ? request.headers : addCookie(request.headers, cookie);
  const sent = { endpoint: nameEndpoint(step), startedMs: performance.now() };
  pending.add(sent);
  try {
    const response = await requestOverLiveConnection(pools.get(step.port), { ...request, headers }, signal);
    const body = new Uint8Array(await response.body.arrayBuffer());
    onSample({ ...sent, latencyMs: performance.now() - sent.startedMs });
    const setCookies = response.headers['set-cookie'] ?? [];
    jar.keep(typeof setCookies === 'string' ? [setCookies] : setCookies, request.path);
    pending.delete(sent);
    return { path: request.path, status: response.statusCode, headers: response.headers, body };
  } catch (error) {
    /** What an abort has cut short stays pending: who explains it looks there. */
    if (signal.aborted) throw error;
    pending.delete(sent);
    throw new NoAnswer(sent.endpoint, error);
  }
}

function addCookie(headers: ComposedRequest['headers'], cookie: string): ComposedRequest['headers'] {
  const own = headers['cookie'];
  return { ...headers, cookie: own === undefined ? cookie : `${own}; ${cookie}` };
}

/** May be sent twice, https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];

/**
 * A server may close a kept connection at the moment a request goes out over it: then the request is sent again over
 * another, as every browser does (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1). Each try uses up one connection
 * that was kept; the failure of a new one counts.
 */
async function requestOverLiveConnection(
  dispatcher: Dispatcher,
  { method, path, headers, body }: ComposedRequest,
  signal: AbortSignal,
) {
  for (;;) {
    try {
      return await dispatcher.request({ method: method as Dispatcher.HttpMethod, path, headers, body, signal });
    } catch (error) {
      if (!IDEMPOTENT.includes(method) || !wasKeptConnection(error)) throw error;
    }
  }
}

/** It had answered before. */
function wasKeptConnection(error: unknown): boolean {
  return error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;
}
