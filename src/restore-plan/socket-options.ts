/** What setsockopt was called with; options that have the kernel's default are left out. */
import type { RawSocketOption } from '../criu/descriptor-facts.ts';
import type { FileEntry, Present } from '../criu/schema.ts';
import type { Refuse } from './refusals.ts';

type InetSocket = Present<FileEntry['inet']>;
type CommonOptions = InetSocket['options'];

const SOL_SOCKET = {
  level: 1,
  REUSEADDR: 2,
  DONTROUTE: 5,
  BROADCAST: 6,
  SNDBUF: 7,
  RCVBUF: 8,
  KEEPALIVE: 9,
  OOBINLINE: 10,
  NO_CHECK: 11,
  PRIORITY: 12,
  LINGER: 13,
  REUSEPORT: 15,
  PASSCRED: 16,
  RCVLOWAT: 18,
  RCVTIMEO: 20,
  SNDTIMEO: 21,
  PASSSEC: 34,
} as const;
const TCP = { level: 6, NODELAY: 1, CORK: 3, KEEPIDLE: 4, KEEPINTVL: 5, KEEPCNT: 6 } as const;
const IP = { level: 0, TOS: 1, TTL: 2, PKTINFO: 8, FREEBIND: 15 } as const;
const IPV6 = { level: 41, V6ONLY: 26, RECVPKTINFO: 49, FREEBIND: 78 } as const;

const TRANSPARENT = [
  [0, 19],
  [41, 75],
] as const;
const BUSY_POLL = [1, 46] as const;

const AF_INET6 = 10;
const DEFAULT_TTL = 64;
const DEFAULT_KEEP = { count: 9, idleSeconds: 7200, intervalSeconds: 75 } as const;
/** More needs CAP_NET_ADMIN. */
const MAX_PRIORITY = 6;
const SEND_BUFFER_LOCKED = 1;
const RECEIVE_BUFFER_LOCKED = 2;

/** `more`: of what CRIU does not tell. */
export function planInetOptions(socket: InetSocket, more: readonly RawSocketOption[]): readonly RawSocketOption[] {
  const { ip, tcp } = socket;
  const isV6 = socket.family === AF_INET6;
  return [
    ...(isV6 ? [option(IPV6.level, IPV6.V6ONLY, socket.v6Only ? 1 : 0)] : []),
    // Before the priority, which the type of service changes.
    ...more,
    ...unless(0, ip?.freeBind, isV6 ? IPV6.level : IP.level, isV6 ? IPV6.FREEBIND : IP.FREEBIND),
    ...unless(0, ip?.packetInfo, isV6 ? IPV6.level : IP.level, isV6 ? IPV6.RECVPKTINFO : IP.PKTINFO),
    ...unless(0, ip?.tos, IP.level, IP.TOS),
    ...(ip?.ttl ? unless(DEFAULT_TTL, ip.ttl, IP.level, IP.TTL) : []),
    ...planCommonOptions(socket.options),
    ...unless(0, tcp?.noDelay, TCP.level, TCP.NODELAY),
    ...unless(0, tcp?.cork, TCP.level, TCP.CORK),
    ...(tcp?.keepIdleSeconds ? unless(DEFAULT_KEEP.idleSeconds, tcp.keepIdleSeconds, TCP.level, TCP.KEEPIDLE) : []),
    ...(tcp?.keepIntervalSeconds
      ? unless(DEFAULT_KEEP.intervalSeconds, tcp.keepIntervalSeconds, TCP.level, TCP.KEEPINTVL)
      : []),
    ...(tcp?.keepCount ? unless(DEFAULT_KEEP.count, tcp.keepCount, TCP.level, TCP.KEEPCNT) : []),
  ];
}

export function planCommonOptions(options: CommonOptions): readonly RawSocketOption[] {
  if (options === undefined) return [];
  const { level } = SOL_SOCKET;
  const [linger] = options.linger;
  return [
    ...unless(0, options.reuseAddress, level, SOL_SOCKET.REUSEADDR),
    ...unless(0, options.reusePort, level, SOL_SOCKET.REUSEPORT),
    ...unless(0, options.dontRoute, level, SOL_SOCKET.DONTROUTE),
    ...unless(0, options.broadcast, level, SOL_SOCKET.BROADCAST),
    ...unless(0, options.keepAlive, level, SOL_SOCKET.KEEPALIVE),
    ...unless(0, options.outOfBandInline, level, SOL_SOCKET.OOBINLINE),
    ...unless(0, options.noCheck, level, SOL_SOCKET.NO_CHECK),
    ...unless(0, options.priority, level, SOL_SOCKET.PRIORITY),
    ...unless(0, options.passCredentials, level, SOL_SOCKET.PASSCRED),
    ...unless(0, options.passSecurity, level, SOL_SOCKET.PASSSEC),
    ...(options.receiveLowWater ? unless(1, options.receiveLowWater, level, SOL_SOCKET.RCVLOWAT) : []),
    // The kernel doubles what it is told.
    ...((options.bufferLock & SEND_BUFFER_LOCKED) !== 0
      ? [option(level, SOL_SOCKET.SNDBUF, options.sendBuffer / 2)]
      : []),
    ...((options.bufferLock & RECEIVE_BUFFER_LOCKED) !== 0
      ? [option(level, SOL_SOCKET.RCVBUF, options.receiveBuffer / 2)]
      : []),
    ...(linger === undefined ? [] : [option(level, SOL_SOCKET.LINGER, 1, linger)]),
    ...timeout(SOL_SOCKET.RCVTIMEO, options.receiveTimeoutSeconds, options.receiveTimeoutMicros),
    ...timeout(SOL_SOCKET.SNDTIMEO, options.sendTimeoutSeconds, options.sendTimeoutMicros),
  ];
}

/** Options that a process without capabilities cannot set. */
export function refusePrivileged(
  object: string,
  options: CommonOptions,
  more: readonly RawSocketOption[],
  refuse: Refuse,
): void {
  const has = ([level, name]: readonly [number, number]): boolean =>
    more.some((option) => option.level === level && option.name === name);
  const remedy = 'Close it in beforeCheckpoint and open it again in afterRestore';
  if (options?.boundDevice) refuse(object, `it is bound to the network interface ${options.boundDevice}`, remedy);
  if (options?.mark) refuse(object, 'its packets carry a mark (SO_MARK)', remedy);
  if ((options?.priority ?? 0) > MAX_PRIORITY) refuse(object, `its priority is above ${MAX_PRIORITY}`, remedy);
  if (TRANSPARENT.some(has)) refuse(object, 'it is transparent (IP_TRANSPARENT)', remedy);
  if (has(BUSY_POLL)) refuse(object, 'it polls its device (SO_BUSY_POLL)', remedy);
  if ((options?.filter.length ?? 0) > 0) refuse(object, 'it has a packet filter (SO_ATTACH_FILTER)', remedy);
}

function unless(
  usual: number,
  value: number | boolean | undefined,
  level: number,
  name: number,
): readonly RawSocketOption[] {
  const number = Number(value ?? usual);
  return number === usual ? [] : [option(level, name, number)];
}

function option(level: number, name: number, ...numbers: readonly number[]): RawSocketOption {
  const value = Buffer.alloc(numbers.length * 4);
  for (const [index, number] of numbers.entries()) value.writeInt32LE(number | 0, index * 4);
  return { level, name, value };
}

/** struct timeval */
function timeout(name: number, seconds: bigint, micros: bigint): readonly RawSocketOption[] {
  if (seconds === 0n && micros === 0n) return [];
  const value = Buffer.alloc(16);
  value.writeBigUInt64LE(seconds, 0);
  value.writeBigUInt64LE(micros, 8);
  return [{ level: SOL_SOCKET.level, name, value }];
}
