import type { ChildProcess } from 'node:child_process';
import { runCommand } from './run-command.ts';

/** SIGTERM to the program and its process group, which `spawnProgram` gives it; SIGKILL to what is left after `timeoutMs`. */
export function stopGently(child: ChildProcess, timeoutMs: number): void {
  signalGroup(child, 'TERM');
  const timer = setTimeout(() => signalGroup(child, 'KILL'), timeoutMs);
  child.once('close', () => clearTimeout(timer));
}

/** Fails where all have ended already. */
function signalGroup({ pid }: ChildProcess, signal: 'TERM' | 'KILL'): void {
  if (pid !== undefined) runCommand(['sh', '-c', `kill -${signal} -${pid}`]).catch(() => undefined);
}
