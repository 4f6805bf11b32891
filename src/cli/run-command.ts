import { findFirstError, isCracBuildError } from '../errors.ts';
import type { Report } from '../report/event.ts';
import { openJsonRenderer } from '../report/json-renderer.ts';
import { openPlainRenderer } from '../report/plain-renderer.ts';
import { errorToJson, exitCodeOf, renderError } from '../report/render-error.ts';
import type { Renderer } from '../report/renderer.ts';
import { openTerminalRenderer } from '../report/terminal-renderer.ts';

/** What a command gives back, for people and for programs. */
export interface CommandResult {
  readonly text: string;
  readonly json: object;
  /** 0 where it is left out. */
  readonly exitCode?: number;
}

const MIN_COLUMNS = 40;
/** SIGHUP: the terminal was closed. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs a command between its signals, its renderer and its exit code. The first SIGINT, SIGTERM or SIGHUP aborts `signal`, so that
 * everything disposes of what it holds; the second ends the process at once.
 */
export async function runCommand(
  options: { readonly json: boolean; readonly hasStages: boolean },
  work: (context: { readonly report: Report; readonly signal: AbortSignal }) => Promise<CommandResult>,
): Promise<number> {
  const renderer = chooseRenderer(options);
  const interruption = watchSignals(renderer.report);
  outliveReaders();
  try {
    const result = await work({ report: renderer.report, signal: interruption.signal });
    await renderer.finish();
    process.stdout.write(options.json ? `${JSON.stringify(result.json, null, 2)}\n` : result.text);
    return result.exitCode ?? 0;
  } catch (thrown) {
    const error = findFirstError(thrown);
    await renderer.finish();
    const code = interruption.exitCode();
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, error: errorToJson(error) }, null, 2)}\n`);
    /** An interruption's own words; whatever broke because of it is of no interest. */ else if (code !== undefined)
      process.stderr.write(`${isCracBuildError(error, 'INTERRUPTED') ? error.message : 'interrupted'}\n`);
    else process.stderr.write(renderError(error));
    return code ?? exitCodeOf(error);
  } finally {
    interruption.stop();
  }
}

function chooseRenderer({ json, hasStages }: { readonly json: boolean; readonly hasStages: boolean }): Renderer {
  const write = (text: string) => process.stderr.write(text);
  if (json) return openJsonRenderer(write);
  /** A terminal that has not been told its size has 0 columns. */
  const isTerminal = process.stderr.isTTY && process.stderr.columns >= MIN_COLUMNS && !process.env['CI'];
  return hasStages && isTerminal ? openTerminalRenderer(process.stderr) : openPlainRenderer(write);
}

/** A terminal that was closed (EIO) or `| head` that has seen enough (EPIPE) must not end us before all is disposed of. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EIO' && error.code !== 'EPIPE') throw error;
    });
  }
}

function watchSignals(report: Report) {
  const controller = new AbortController();
  let code: number | undefined;
  const onSignal = (name: keyof typeof SIGNALS) => {
    /** A closed terminal is told twice: by the kernel and by the shell. */
    if (code !== undefined && name === 'SIGHUP') return;
    if (code !== undefined) process.exit(code);
    code = SIGNALS[name];
    report({ type: 'warning', message: `${name}: removing what was made; once more to leave at once` });
    controller.abort();
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => code,
    stop: () => {
      for (const name of Object.keys(SIGNALS)) process.off(name, onSignal);
    },
  };
}
