import type { ExecResult } from '../engine/engine.ts';
import type { Traffic } from './run-scenario.ts';
import type { CommandScenario } from './scenario.ts';

const SHOWN_LINES = 30;

/** A command that ended with another exit code than 0. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /** Its last output. */
  readonly lines: readonly string[];

  constructor(command: string, { exitCode, stdout, stderr }: ExecResult) {
    super(`${command} ended with exit code ${exitCode}`);
    const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
    this.lines = lines.slice(-SHOWN_LINES).map((line) => `  ${line.trimEnd()}`);
  }
}

/** `exec`: in the container, as the app's user. */
export async function runCommand(
  { argv }: CommandScenario,
  exec: (argv: readonly string[], signal: AbortSignal) => Promise<ExecResult>,
  { pending }: Pick<Traffic, 'pending'>,
  signal: AbortSignal,
): Promise<void> {
  const command = `the command \`${argv.join(' ')}\``;
  const running = { endpoint: command, startedMs: performance.now(), isRun: true };
  pending.add(running);
  const result = await exec(argv, signal);
  pending.delete(running);
  if (result.exitCode !== 0) throw new CommandFailed(command, result);
}
