import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { openCookieJar } from './cookie-jar.ts';
import type { JitSample } from './jit-sample.ts';
import type { Traffic, User } from './run-scenario.ts';
import type { ScriptScenario } from './scenario.ts';
import { ScriptFailed } from './script-failed.ts';
import type { CallResult, FromScript, Thrown, ToScript, Wanted } from './script-messages.ts';
import { requirePort } from './script-port.ts';
import { sendScriptRequest } from './script-request.ts';

/** What scripts can reach besides the app's requests. */
export interface Outside {
  readonly seed: number;
  readonly endpoint: (port: number) => Promise<{ readonly host: string; readonly port: number }>;
  /** Undefined: no JVM answers. */
  readonly askJvm: (signal: AbortSignal) => Promise<JitSample | undefined>;
  readonly log: (scenario: ScriptScenario, text: string) => void;
}

export interface ScriptThread extends AsyncDisposable {
  readonly run: (user: User, n: number, traffic: Traffic, signal: AbortSignal) => Promise<void>;
}

interface Run {
  readonly jar: User['jar'];
  readonly traffic: Traffic;
  readonly signal: AbortSignal;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** For a script to end by itself what it has begun, once it is told to. */
const STOP_GRACE_MS = 250;

/**
 * A script in a thread of its own: it may block, end, or fail where nobody waits, and the build goes on to tell. `file`: what
 * bundleScript() made of it.
 */
export function openScriptThread(scenario: ScriptScenario, file: string, outside: Outside): ScriptThread {
  const worker = new Worker(file, { stdout: true, stderr: true, execArgv: ['--enable-source-maps'] });
  const runs = new Map<number, Run>();
  let lastRun = 0;
  let dead: ScriptFailed | undefined;
  const post = (message: ToScript) => worker.postMessage(message);
  const die = (thrown: Thrown) => {
    dead ??= new ScriptFailed(scenario.path, thrown);
    for (const { reject } of runs.values()) reject(dead);
  };
  for (const stream of [worker.stdout, worker.stderr])
    createInterface({ input: stream }).on('line', (line) => outside.log(scenario, line));
  worker.on('error', (error) => die(describeError(error)));
  worker.on('exit', (code) =>
    die({ name: 'Error', message: `it ended its thread with code ${code}`, stack: '', lines: [] }),
  );
  worker.on('message', (message: FromScript) => {
    switch (message.type) {
      case 'log':
        outside.log(scenario, message.text);
        return;
      case 'measured': {
        const { endpoint, latencyMs } = message;
        const startedMs = performance.now() - latencyMs;
        runs.get(message.run)?.traffic.onSample({ endpoint, startedMs, latencyMs });
        return;
      }
      case 'done':
        runs.get(message.run)?.resolve();
        return;
      case 'failed':
        runs.get(message.run)?.reject(new ScriptFailed(scenario.path, message.error));
        return;
      case 'call': {
        const run = runs.get(message.run);
        if (run === undefined) return;
        answerCall(message.wanted, scenario, run, outside).then(
          (answer) => post({ type: 'answer', call: message.call, answer }),
          (error: unknown) => post({ type: 'refusal', call: message.call, error: describeError(error) }),
        );
      }
    }
  });

  const run: ScriptThread['run'] = async ({ number: user }, n, traffic, signal) => {
    signal.throwIfAborted();
    if (dead !== undefined) throw dead;
    const id = ++lastRun;
    const running = { endpoint: `the script ${scenario.path}`, startedMs: performance.now(), isRun: true };
    traffic.pending.add(running);
    let stop = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        stop = () => reject(signal.reason);
        signal.addEventListener('abort', stop, { once: true });
        runs.set(id, { jar: openCookieJar(), traffic, signal, resolve, reject });
        post({ type: 'run', run: id, n, user, seed: outside.seed, options: scenario.options });
      });
    } finally {
      runs.delete(id);
      signal.removeEventListener('abort', stop);
      /** What an abort has cut short stays pending: who explains it looks there. */
      if (!signal.aborted) traffic.pending.delete(running);
    }
  };
  return {
    run,
    async [Symbol.asyncDispose]() {
      worker.removeAllListeners('error').on('error', () => {});
      post({ type: 'stop' });
      await Promise.race([new Promise((resolve) => worker.once('exit', resolve)), sleep(STOP_GRACE_MS)]);
      await worker.terminate();
    },
  };
}

async function answerCall(
  wanted: Wanted,
  scenario: ScriptScenario,
  { jar, traffic, signal }: Run,
  { endpoint, askJvm }: Outside,
): Promise<CallResult> {
  switch (wanted.kind) {
    case 'request':
      return await sendScriptRequest(wanted, scenario, jar, traffic, signal);
    case 'endpoint':
      return await endpoint(requirePort(wanted.port ?? scenario.port, scenario));
    case 'jvm': {
      const sample = await askJvm(signal);
      if (sample === undefined) return undefined;
      const { atMs: _, ...facts } = sample;
      return facts;
    }
  }
}

function describeError(error: unknown): Thrown {
  const { name, message, stack = '', lines = [] } = error as Error & { readonly lines?: readonly string[] };
  return { name: `${name ?? 'Error'}`, message: `${message ?? error}`, stack: `${stack}`, lines };
}
