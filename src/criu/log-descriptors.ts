/** Which descriptor a line of CRIU's log is about: the log tells of each one before it dumps it. */

/** Names the descriptor of the error in line `at`: "descriptor 7 (/some/path)". */
export type FindDescriptor = (lines: readonly string[], at: number) => string | undefined;

const DESCRIPTOR = /\b\d+ fdinfo (\d+): /;

/** The one that was being dumped. */
export const findCurrent: FindDescriptor = (lines, at) => {
  const start = lines.slice(0, at).findLastIndex((line) => DESCRIPTOR.test(line));
  return start < 0 ? undefined : nameDescriptor(lines, start);
};

/** Locks are told before the descriptor that has them. */
export const findLocked: FindDescriptor = (lines) => {
  const lock = lines.findIndex((line) => line.includes('lockinfo: '));
  const start = lines.findIndex((line, index) => lock >= 0 && index > lock && DESCRIPTOR.test(line));
  return start < 0 ? undefined : nameDescriptor(lines, start);
};

/** External sockets are told by their inodes, when all descriptors have been dumped. */
export const findExternalSocket: FindDescriptor = (lines, at) => {
  const external = lines.slice(0, at).findLast((line) => line.includes('Runaway socket: '));
  const [, , peer = 'none', name = ''] = /ino (\d+) peer_ino (\d+).* name (.*)$/.exec(external ?? '') ?? [];
  const own = lines.findIndex((line) => line.includes(`Dumping: ino ${peer} `));
  const start = lines.slice(0, Math.max(own, 0)).findLastIndex((line) => DESCRIPTOR.test(line));
  const object = start < 0 ? undefined : nameDescriptor(lines, start);
  return object !== undefined && name.startsWith('/') ? `${object}, a unix socket to ${name},` : object;
};

function nameDescriptor(lines: readonly string[], start: number): string {
  const fd = DESCRIPTOR.exec(lines[start] ?? '')?.[1] ?? '?';
  const next = lines.findIndex((line, index) => index > start && DESCRIPTOR.test(line));
  const own = lines.slice(start, next < 0 ? undefined : next);
  const path = own.map((line) => /Dumping path for \d+ fd via self \d+ \[(.*)\]/.exec(line)?.[1]).find(Boolean);
  return `descriptor ${fd}${path === undefined ? '' : ` (${path})`}`;
}
