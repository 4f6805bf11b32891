/** Runs inside the thread of a script, and gives it its `app`. bundle-script.ts puts both together. */
import { parentPort } from 'node:worker_threads';
import { readHeader, readText } from './answer.ts';
import { describeCapture, findValue } from './capture-values.ts';
import { openRandom } from './random.ts';
import type { Capture } from './scenario.ts';
import type { Answer, App, JvmFacts, WarmUp } from './script-api.ts';
import type { CallResult, FromScript, RawAnswer, RunFacts, Thrown, ToScript, Wanted } from './script-messages.ts';
import { UnexpectedAnswer } from './unexpected-answer.ts';

interface Call {
  readonly resolve: (result: CallResult) => void;
  readonly reject: (error: Error) => void;
  /** Of the script's line that called. */
  readonly caller: Error;
}

export function serveScript(script: { readonly default?: unknown }): void {
  const { default: warmUp } = script;
  if (typeof warmUp !== 'function') throw new Error('it has no default export that is a function');
  const calls = new Map<number, Call>();
  const ended = new AbortController();
  let lastCall = 0;

  const ask = async (run: number, wanted: Wanted, caller: Error): Promise<CallResult> => {
    ended.signal.throwIfAborted();
    const call = ++lastCall;
    return await new Promise((resolve, reject) => {
      calls.set(call, { resolve, reject, caller });
      post({ type: 'call', run, call, wanted });
    });
  };
  const take = (call: number): Call | undefined => {
    const found = calls.get(call);
    calls.delete(call);
    return found;
  };
  const start = async ({ run, ...facts }: RunFacts & { readonly run: number }): Promise<void> => {
    const tell = (measured: object) => post({ type: 'measured', run, ...measured } as FromScript);
    /** Not answered yet: what the script does not wait for belongs to its run, too. */
    const asked = new Set<Promise<CallResult>>();
    const app = composeApp(facts, ended.signal, tell, (wanted, caller) => {
      const call = ask(run, wanted, caller);
      asked.add(call);
      const forget = () => asked.delete(call);
      call.then(forget, forget);
      return call;
    });
    try {
      await (warmUp as WarmUp)(app);
      await Promise.all(asked);
      post({ type: 'done', run });
    } catch (error) {
      post({ type: 'failed', run, error: describeThrown(error) });
    }
  };

  parentPort?.on('message', (message: ToScript) => {
    switch (message.type) {
      case 'run':
        void start(message);
        return;
      case 'answer':
        take(message.call)?.resolve(message.answer);
        return;
      case 'refusal': {
        const call = take(message.call);
        call?.reject(refuse(message.error, call.caller));
        return;
      }
      case 'stop':
        ended.abort();
        for (const call of calls.values()) call.reject(ended.signal.reason);
        calls.clear();
        /** What is left of the script may end; then the thread does. */
        parentPort?.unref();
    }
  });
}

function post(message: FromScript): void {
  parentPort?.postMessage(message);
}

function composeApp(
  { n, user, seed, options }: RunFacts,
  signal: AbortSignal,
  tell: (measured: { readonly endpoint: string; readonly latencyMs: number }) => void,
  ask: (wanted: Wanted, caller: Error) => Promise<CallResult>,
): App {
  const random = openRandom(seed, user, n);
  return {
    request: async (method, path, given = {}) => {
      const caller = new Error();
      const wanted = { kind: 'request', method, path, options: given } as const;
      return readAnswer(method, given.endpoint ?? path, (await ask(wanted, caller)) as RawAnswer);
    },
    measure: async (endpoint, work) => {
      const startedMs = performance.now();
      const value = await work();
      tell({ endpoint, latencyMs: performance.now() - startedMs });
      return value;
    },
    endpoint: async (port) => {
      const wanted = { kind: 'endpoint', ...(port === undefined ? {} : { port }) } as const;
      return (await ask(wanted, new Error())) as { host: string; port: number };
    },
    jvm: async () => (await ask({ kind: 'jvm' }, new Error())) as JvmFacts | undefined,
    log: (text) => post({ type: 'log', text: String(text) }),
    options,
    n,
    user,
    seed,
    random,
    signal,
  };
}

function readAnswer(method: string, path: string, raw: RawAnswer): Answer {
  const capture = (one: Capture): unknown => {
    const found = findValue(one, raw);
    if (found !== undefined) return found;
    const step = { method, path, expect: { headers: {} }, capture: {} };
    throw new UnexpectedAnswer(step, `without anything for ${describeCapture(one)}`, raw);
  };
  return {
    status: raw.status,
    headers: raw.headers,
    body: raw.body,
    text: () => readText(raw),
    json: () => JSON.parse(readText(raw)),
    header: (name) => readHeader(raw, name),
    jsonPath: (query) => capture({ kind: 'json', path: query }),
    regex: (pattern) => {
      const { source, flags } = new RegExp(pattern);
      return String(capture({ kind: 'regex', pattern: source, flags }));
    },
  };
}

/** With the stack of who asked: where an answer comes in, there is no line of the script any more. */
function refuse({ name, message, lines }: Thrown, caller: Error): Error {
  const error = Object.assign(new Error(message), { name, lines });
  const frames = `${caller.stack ?? ''}`.split('\n').filter((line) => /^\s+at /.test(line));
  error.stack = [`${name}: ${message}`, ...frames].join('\n');
  return error;
}

function describeThrown(thrown: unknown): Thrown {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown), stack: '', lines: [] };
  const { name, message, stack = '' } = thrown;
  const { lines } = thrown as { readonly lines?: unknown };
  return { name, message, stack: String(stack), lines: Array.isArray(lines) ? lines.map(String) : [] };
}
