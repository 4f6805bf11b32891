import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { pid } from 'node:process';

/** All that we make in an engine is called so, or carries labels that begin so. */
export const PREFIX = 'crac-build-';
export const OWNER_LABEL = 'crac-build.owner';

/** Names this process for good: a process id alone would come back. */
export function composeOwner(): string {
  return `${composePlace()}:${pid}:${readStartTicks(pid) ?? 0}`;
}

/** True when the owner ran on this machine and has ended: what it left behind can be removed. */
export function isOwnerGone(owner: string): boolean {
  const match = /^(.*):(\d+):(\d+)$/.exec(owner);
  if (match === null || match[1] !== composePlace()) return false;
  return readStartTicks(Number(match[2])) !== match[3];
}

/**
 * Where process ids and start times mean the same: from another namespace (another container of the same host network and
 * name, for instance) nobody can tell whether the owner lives.
 */
function composePlace(): string {
  return [hostname(), ...['pid', 'time'].map(readNamespace)].join(':');
}

function readNamespace(kind: string): string {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`).replace(/\D/g, '');
  } catch {
    return ''; // a kernel without them
  }
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); the name in field 2 may hold spaces and parentheses. */
function readStartTicks(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
