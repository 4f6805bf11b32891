/** The fields of CRIU 4.x images that the compile step looks at; numbers as in CRIU's images/*.proto. */
import {
  bytes,
  flag,
  type Message,
  message,
  messages,
  others,
  sint,
  text,
  uint,
  uint64,
  uint64s,
  uints,
  ulong,
} from './wire.ts';

export const PSTREE = { pid: uint(1), ppid: uint(2), threads: uints(5) };

const REGISTERS = {
  r15: uint64(1),
  r14: uint64(2),
  r13: uint64(3),
  r12: uint64(4),
  bp: uint64(5),
  bx: uint64(6),
  r11: uint64(7),
  r10: uint64(8),
  r9: uint64(9),
  r8: uint64(10),
  ax: uint64(11),
  cx: uint64(12),
  dx: uint64(13),
  si: uint64(14),
  di: uint64(15),
  origAx: uint64(16),
  ip: uint64(17),
  cs: uint(18),
  flags: uint64(19),
  sp: uint64(20),
  ss: uint(21),
  fsBase: uint64(22),
  gsBase: uint64(23),
  mode: uint(28), // 1 or absent: 64 bits
  others: others(24, 25, 26, 27), // ds, es, fs, gs: 0 in 64-bit code
};
const XSAVE = {
  xstateBv: uint64(1),
  ymmHigh: uints(2),
  bndregs: uint64s(3),
  bndcsr: uint64s(4),
  opmask: uint64s(5),
  zmmUpper: uint64s(6),
  hi16Zmm: uint64s(7),
  pkru: uints(8),
  cet: message(9, { cet: uint64(1), ssp: uint64(2) }),
  others: others(),
};
const FP_REGISTERS = {
  cwd: uint(1),
  swd: uint(2),
  twd: uint(3),
  fop: uint(4),
  rip: uint64(5),
  rdp: uint64(6),
  mxcsr: uint(7),
  mxcsrMask: uint(8),
  st: uints(9),
  xmm: uints(10),
  xsave: message(13, XSAVE),
  others: others(11), // padding
};
const SIGNAL_QUEUE = { signals: messages(1, { siginfo: bytes(1) }) };
const ITIMER = { isec: ulong(1), iusec: ulong(2), vsec: ulong(3), vusec: ulong(4) };

export const CORE = {
  machine: uint(1), // 1: x86-64
  thread: message(2, {
    clearTid: ulong(1),
    registers: message(2, REGISTERS),
    fp: message(3, FP_REGISTERS),
  }),
  task: message(3, {
    state: uint(1), // 1 alive, 2 dead, 3 stopped
    personality: uint(3),
    blockedSignals: uint64(5),
    name: text(6),
    timers: message(7, {
      real: message(1, ITIMER),
      virtual: message(2, ITIMER),
      profiling: message(3, ITIMER),
      posix: messages(4, { id: uint(1) }),
    }),
    rlimits: message(8, { limits: messages(1, { current: uint64(1), max: uint64(2) }) }),
    pendingSignals: message(10, SIGNAL_QUEUE),
    oldSeccompMode: uint(11),
    isSubreaper: flag(18),
    membarriers: uint(22), // MEMBARRIER_CMD_REGISTER_…
    // One for each signal but SIGKILL and SIGSTOP, in order.
    sigactions: messages(15, { handler: uint64(1), flags: uint64(2), restorer: uint64(3), mask: uint64(4) }),
    // Exit code, flags, control groups, seccomp filter, login, oom_score_adj, masks of other architectures, who stopped it.
    others: others(2, 4, 9, 12, 13, 14, 20, 21),
  }),
  ids: message(4, { vm: uint(1), files: uint(2) }),
  threadCore: message(5, {
    robustList: ulong(1),
    robustListSize: ulong(2),
    nice: sint(3),
    schedPolicy: uint(4),
    schedPriority: uint(5),
    blockedSignals: uint64(6),
    altStack: message(7, { sp: uint64(1), size: uint64(2), flags: uint(3) }),
    deathSignal: uint(8),
    credentials: message(10, { noNewPrivileges: uint(18) }),
    pendingSignals: message(9, SIGNAL_QUEUE),
    seccompMode: uint(11),
    name: text(13),
    rseq: message(15, { address: ulong(1), size: uint(2), signature: uint(3), criticalSection: uint64(4) }),
    others: others(12, 14, 16), // seccomp filter, mask of other architectures, control groups
  }),
};

export const VMA = {
  start: ulong(1),
  end: ulong(2),
  offset: ulong(3), // bytes
  fileId: ulong(4), // "shmid": of the mapped file
  prot: uint(5),
  flags: uint(6),
  status: uint(7),
  advice: uint64(9), // bit n: madvise(n)
  fileFlags: uint(10),
  others: others(8), // CRIU's own
};
export const MM = {
  startCode: ulong(1),
  endCode: ulong(2),
  startData: ulong(3),
  endData: ulong(4),
  startStack: ulong(5),
  startBrk: ulong(6),
  brk: ulong(7),
  argStart: ulong(8),
  argEnd: ulong(9),
  envStart: ulong(10),
  envEnd: ulong(11),
  auxv: uint64s(13),
  vmas: messages(14, VMA),
  dumpable: uints(15), // none: not told
  hasNoHugePages: flag(17),
  others: others(12, 16), // program file; AIO, whose rings are areas
};

export const PAGEMAP_HEAD = { pagesId: uint(1) };
export const PAGEMAP = {
  address: ulong(1),
  compatPageCount: uint(2),
  inParent: flag(3),
  flags: uint(4),
  pageCount: ulong(5),
};

export const FDINFO = { id: uint(1), flags: uint(2), type: uint(3), fd: uint(4) };
const OWNER = { signal: uint(3), pid: uint(5) };
const SOCKET_OPTIONS = {
  sendBuffer: uint(1),
  receiveBuffer: uint(2),
  sendTimeoutSeconds: uint64(3),
  sendTimeoutMicros: uint64(4),
  receiveTimeoutSeconds: uint64(5),
  receiveTimeoutMicros: uint64(6),
  reuseAddress: flag(7),
  priority: uint(8),
  receiveLowWater: uint(9),
  mark: uint(10),
  passCredentials: flag(11),
  passSecurity: flag(12),
  dontRoute: flag(13),
  noCheck: flag(14),
  boundDevice: text(15),
  filter: uint64s(16),
  reusePort: flag(17),
  broadcast: flag(18),
  keepAlive: flag(19),
  outOfBandInline: flag(23),
  linger: uints(24), // seconds; absent: off
  bufferLock: uint(25), // 1: the send buffer's size was set, 2: the receive buffer's
};
export const FILE = {
  type: uint(1),
  id: uint(2),
  regular: message(3, {
    flags: uint(2),
    position: uint64(3),
    owner: message(5, OWNER),
    path: text(6),
    sizeBytes: ulong(8),
    isExternal: flag(9),
    mode: uint(10),
  }),
  inet: message(4, {
    ino: uint(2),
    family: uint(3),
    type: uint(4),
    protocol: uint(5),
    state: uint(6),
    sourcePort: uint(7),
    targetPort: uint(8),
    flags: uint(9),
    backlog: uint(10),
    sourceAddress: uints(11),
    owner: message(13, OWNER),
    options: message(14, SOCKET_OPTIONS),
    v6Only: flag(15),
    ip: message(16, { freeBind: flag(1), packetInfo: flag(5), tos: uint(6), ttl: uint(7) }),
    interfaceName: text(17),
    shutdown: uint(19), // 1 for reading, 2 for writing
    tcp: message(20, {
      cork: flag(1),
      noDelay: flag(2),
      keepCount: uint(3),
      keepIdleSeconds: uint(4),
      keepIntervalSeconds: uint(5),
    }),
  }),
  eventfd: message(8, { flags: uint(2), owner: message(3, OWNER), counter: uint64(4) }),
  epoll: message(9, {
    flags: uint(2),
    owner: message(3, OWNER),
    targets: messages(4, { fd: uint(2), events: uint(3), data: uint64(4) }),
  }),
  timerfd: message(12, {
    flags: uint(2),
    owner: message(3, OWNER),
    clock: uint(4),
    ticks: uint64(5), // expirations that were not read
    setFlags: uint(6), // of timerfd_settime
    leftSeconds: uint64(7),
    leftNanoseconds: uint64(8),
    intervalSeconds: uint64(9),
    intervalNanoseconds: uint64(10),
  }),
  unix: message(16, {
    ino: uint(2),
    type: uint(3),
    state: uint(4),
    flags: uint(5),
    backlog: uint(7),
    peer: uint(8),
    owner: message(9, OWNER),
    options: message(10, SOCKET_OPTIONS),
    name: bytes(11),
    shutdown: uint(12),
    permissions: message(13, { mode: uint(1) }),
    folder: text(14), // of a relative name
    isDeleted: flag(15),
  }),
  pipe: message(18, { pipeId: uint(2), flags: uint(3), owner: message(4, OWNER) }),
  memfd: message(20, { inodeId: uint(5) }),
};

export const MEMFD = { name: text(1), inodeId: uint(7) };
export const FS = { cwdId: uint(1), rootId: uint(2), umask: uint(3) };
const TIMESPEC = { seconds: uint64(1), nanoseconds: uint64(2) };
export const TIMENS = { monotonic: message(1, TIMESPEC), boottime: message(2, TIMESPEC) };
export const PIPE_DATA = { pipeId: uint(1), byteCount: uint(2), capacityBytes: uint(3) };
/** `ancillary`: descriptors that travel with it. */
export const SOCKET_PACKET = { idFor: uint(1), byteCount: uint(2), ancillary: messages(4, { type: uint(1) }) };
/** Files that have no name any more. */
export const REMAP = { fileId: uint(1) };

export type Core = Message<typeof CORE>;
export type Registers = Message<typeof REGISTERS>;
export type FpRegisters = Message<typeof FP_REGISTERS>;
export type Vma = Message<typeof VMA>;
export type Mm = Message<typeof MM>;
export type FdInfo = Message<typeof FDINFO>;
export type FileEntry = Message<typeof FILE>;
export type Present<T> = Exclude<T, undefined>;
