/** A record of FDS in words. */
import { ANY_SIZE, FD, NONE } from './format.ts';
import { hex, nameOfKind, textOfField } from './plan-to-json.ts';
import type { PlanValues, RestorePlan } from './plan-values.ts';

const OPEN_MODES = ['read only', 'write only', 'read and write', 'no access'];
const STATUS_FLAGS: Readonly<Record<string, number>> = {
  append: 0o2000,
  nonblocking: 0o4000,
  path: 0o10000000,
  create: 0o100,
};
const CLOSE_ON_EXEC = 1;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const FAMILIES: Readonly<Record<number, string>> = { [AF_UNIX]: 'unix', [AF_INET]: 'IPv4', [AF_INET6]: 'IPv6' };
const SOCKET_TYPES: Readonly<Record<number, string>> = { 1: 'stream', 2: 'datagram', 5: 'packet' };

type Fd = PlanValues<'fd'>;

export function describeDescriptor(record: Fd, plan: RestorePlan): string {
  const words = [...wordsOf(record, plan), ...wordsOfFlags(record)];
  return `${nameOfDescriptor(record.fd)} ${nameOfKind('fd', record.kind)}${words.length === 0 ? '' : `: ${words.join(', ')}`}`;
}

function wordsOf(record: Fd, plan: RestorePlan): string[] {
  const { kind, a, b, c, d } = record;
  const path = textOfField('fd', 'path_blob', record, plan) ?? '';
  switch (kind) {
    case FD.INHERIT:
      return ['what the container gives'];
    case FD.FILE:
      return [
        path,
        OPEN_MODES[record.flags & 3] ?? '',
        b === ANY_SIZE ? `at ${a}, of any size` : `at ${a} of ${b} bytes`,
      ];
    case FD.DUP:
      return [`the same as ${a}`];
    case FD.EVENTFD:
      return [`counter ${a}`];
    case FD.EPOLL:
    case FD.DEAD:
      return [];
    case FD.TIMERFD:
      return [`clock ${d}`, `${a} ns left`, `every ${b} ns`, `${c} expirations`];
    case FD.PIPE:
      return [`read end; ${nameOfDescriptor(Number(a))} is the write end`, `${c} bytes inside`];
    case FD.UNIX_PAIR:
      return [`connected with ${nameOfDescriptor(Number(a))}`, ...wordsOfSocket(Number(b), plan)];
    case FD.SOCKET:
      return wordsOfSocket(Number(a), plan);
    default:
      return [
        ...(path === '' ? [] : [path]),
        ...Object.entries({ a, b, c, d }).flatMap(([name, value]) => (value === 0n ? [] : [`${name} ${hex(value)}`])),
      ];
  }
}

function wordsOfSocket(index: number, { sections, blob }: RestorePlan): string[] {
  const socket = sections.socket[index];
  if (socket === undefined) return [`socket ${index}`];
  const { address_blob: at, address_size: size, backlog, first_option: first, option_count: count } = socket;
  const options = sections.sockopt.slice(first, first + count);
  return [
    FAMILIES[socket.family] ?? `family ${socket.family}`,
    SOCKET_TYPES[socket.type] ?? `type ${socket.type}`,
    ...(size === 0 ? [] : [describeAddress(blob.subarray(at, at + size))]),
    ...(backlog === NONE ? [] : [`backlog ${backlog}`]),
    ...options.map(({ level, name, value }) => `option ${level}.${name} = ${value.readInt32LE(0)}`),
    ...(socket.packet_count === 0 ? [] : [`${socket.queue_size} bytes in its queue`]),
    ...(socket.shutdown === 0 ? [] : [`shut down ${socket.shutdown}`]),
  ];
}

function wordsOfFlags({ flags, fd_flags: fdFlags }: Fd): string[] {
  return [...namesOf(flags, STATUS_FLAGS), ...(fdFlags & CLOSE_ON_EXEC ? ['close on exec'] : [])];
}

function namesOf(bits: number, names: Readonly<Record<string, number>>): string[] {
  return Object.entries(names).flatMap(([name, bit]) => (bits & bit ? [name.toLowerCase()] : []));
}

function nameOfDescriptor(fd: number): string {
  return fd === NONE ? 'none' : `${fd}`;
}

/** sockaddr_in, sockaddr_in6 or sockaddr_un. */
export function describeAddress(address: Buffer): string {
  const family = address.length >= 2 ? address.readUInt16LE(0) : 0;
  if (family === AF_INET && address.length >= 8)
    return `${[...address.subarray(4, 8)].join('.')}:${address.readUInt16BE(2)}`;
  if (family === AF_INET6 && address.length >= 24) {
    const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(8 + index * 2).toString(16));
    return `[${shorten(groups.join(':'))}]:${address.readUInt16BE(2)}`;
  }
  if (family === AF_UNIX) return address.toString('utf8', 2).replace(/^\0/, '@').replace(/\0.*$/s, '');
  return `address ${address.toString('hex')}`;
}

/** RFC 5952: the first of the longest runs of zero groups becomes "::". */
function shorten(address: string): string {
  const runs = [...address.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.toSorted((a, b) => b.length - a.length)[0];
  if (longest === undefined) return address;
  const at = address.indexOf(longest);
  return `${address.slice(0, at)}::${address.slice(at + longest.length).replace(/^:/, '')}`;
}
