import type { ChildProcess } from 'node:child_process';

/** SIGTERM to the program and its process group, which `spawnProgram` gives it; SIGKILL to what is left after `timeoutMs`. */
export function stopGently(child: ChildProcess, timeoutMs: number): void {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), timeoutMs);
  child.once('close', () => clearTimeout(timer));
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return; // it never started
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
