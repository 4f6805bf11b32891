import type { ExecResult } from '../engine/engine.ts';
import type { Traffic } from './run-scenario.ts';
import type { JavaScenario } from './scenario.ts';

/** A class that threw, or that could not be called. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  /** The stack of what was thrown. */
  readonly lines: readonly string[];

  constructor(message: string, lines: readonly string[]) {
    super(message);
    this.lines = lines.map((line) => `  ${line}`);
  }
}

/** `call`: `ctl call`, which answers with one line of JSON. */
export async function runJavaClass(
  { className }: JavaScenario,
  call: (className: string, signal: AbortSignal) => Promise<ExecResult>,
  { pending }: Pick<Traffic, 'pending'>,
  signal: AbortSignal,
): Promise<void> {
  const running = { endpoint: `the class ${className}`, startedMs: performance.now(), isRun: true };
  pending.add(running);
  const { exitCode, stdout, stderr } = await call(className, signal);
  pending.delete(running);
  if (exitCode === 0) return;
  const { error, details } = parseRefusal(stdout);
  const lines = error === undefined ? `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '') : details;
  throw new CallFailed(error ?? `the class ${className} could not be called: exit code ${exitCode}`, lines);
}

/** {"error":"the class a.B threw …","details":["  at …"]} */
function parseRefusal(line: string): { readonly error: string | undefined; readonly details: readonly string[] } {
  try {
    const { error, details } = JSON.parse(line) as { readonly error?: unknown; readonly details?: unknown };
    return {
      error: typeof error === 'string' ? error : undefined,
      details: Array.isArray(details) ? details.map(String) : [],
    };
  } catch {
    return { error: undefined, details: [] };
  }
}
