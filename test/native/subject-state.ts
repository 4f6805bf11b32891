/** The state of test/native/restore-subject.c as a plan: every kind of record once, made by hand. */
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseElf } from './elf-file.ts';
import { readOwnVdso } from './own-vdso.ts';
import { Blob, blobOffset, composePlan, constant, encode, type Fields, type Sections, seal } from './plan-maker.ts';

const PAGE = 4096;
const MAILBOX = 0x30000000n;
const MAILBOX_BYTES = 1 << 20;
const HEAP_END = 0x20000000n;
const VVAR = 0x7e0000000000n;
const NONCE = 0x1234_5678_9abc_def0n;
const PROT = { read: 1, write: 2, exec: 4 };
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MADV_DONTNEED = 4;

export interface SubjectOptions {
  readonly dir: string;
  readonly subject: string;
  readonly port: number;
  readonly monotonicNs: bigint;
  /** The old vdso differs from this kernel's, so that it has to be patched. */
  readonly foreignVdso?: boolean;
  /** The second thread waits for the mailbox's gate, which the first opens, or does not. */
  readonly held?: 'opened' | 'never opened';
  /** So many threads more, which do nothing. */
  readonly idleThreads?: number;
  readonly header?: Fields;
  /** MEM records after the usual ones. */
  readonly moreMemory?: readonly Fields[];
  /** Put after the usual areas. */
  readonly memory?: readonly Fields[];
  /** Put in place of the usual records. */
  readonly sections?: (blob: Blob) => Partial<Sections>;
  /** Paths of files that follow the subject in FILES. */
  readonly files?: readonly string[];
}

export interface SubjectState {
  readonly planFile: string;
  readonly memFile: string;
  /** "start-end permissions" of all areas, as in /proc/PID/maps, without vvar, vdso and the restorer's own. */
  readonly maps: readonly string[];
}

/** Writes DIR/checkpoint/{plan,mem}.bin, DIR/data.txt, DIR/home. */
export function writeSubjectState(options: SubjectOptions): SubjectState {
  const { dir, subject } = options;
  const dataFile = join(dir, 'data.txt');
  writeFileSync(dataFile, 'abcdefghij');
  mkdirSync(join(dir, 'home'), { recursive: true });
  mkdirSync(join(dir, 'checkpoint'), { recursive: true });
  utimesSync(subject, 315532800, 315532800);

  const elf = parseElf(readFileSync(subject));
  const at = (symbol: string): bigint => {
    const address = elf.symbols.get(symbol);
    if (address === undefined) throw new Error(`the subject has no ${symbol}`);
    return address;
  };
  const vdso = readOwnVdso();
  const vdsoBytes = Buffer.from(vdso.bytes);
  const last = vdsoBytes.length - 1;
  if (options.foreignVdso) vdsoBytes[last] = (vdsoBytes[last] ?? 0) ^ 1;
  const vdsoStart = VVAR + BigInt(vdso.vvarBytes);
  const clockGettime = vdso.functions.get('__vdso_clock_gettime') ?? 0n;
  const unknownFunction = vdso.functions.get('__vdso_gettimeofday') ?? 0n;

  // The writable segment as it was at the "dump", then the mailbox's first page, then bytes for READ records.
  const data = elf.segments.find((segment) => segment.flags & 2);
  if (data === undefined) throw new Error('the subject has no writable segment');
  const dataStart = BigInt.asUintN(64, data.address & ~0xfffn);
  const dataBytes = align(Number(data.address - dataStart) + data.memoryBytes, PAGE);
  const memory = Buffer.alloc(dataBytes + 2 * PAGE);
  readFileSync(subject).copy(memory, Number(data.address - dataStart), data.offset, data.offset + data.fileBytes);
  const poke = (symbol: string, value: bigint, index = 0): void => {
    memory.writeBigUInt64LE(value, Number(at(symbol) - dataStart) + index * 8);
  };
  poke('vdso_clock_gettime', vdsoStart + clockGettime);
  poke('mailbox', MAILBOX);
  poke('held_second', options.held === undefined ? 0n : options.held === 'opened' ? 1n : 2n);
  encode('crac_mailbox', {
    magic: constant('CRAC_MAILBOX_MAGIC'),
    version: constant('CRAC_MAILBOX_VERSION'),
    size: MAILBOX_BYTES,
    nonce: NONCE,
    state: constant('CRAC_WAITING'),
  }).copy(memory, dataBytes);
  memory.write('fresh\0', dataBytes + PAGE + 100, 'latin1');

  const blob = new Blob();
  blob.text('');
  const vdsoSymbols: Fields[] = [...vdso.functions].map(([name, offset]) => ({ offset, name_blob: blob.text(name) }));
  if (options.foreignVdso) {
    poke('vdso_unknown', vdsoStart + unknownFunction);
    vdsoSymbols.push({ offset: unknownFunction, name_blob: blob.text('__vdso_not_known_anywhere') });
  }
  const fileRecord = { size: statSync(subject).size, mtime_s: 315532800, path_blob: blob.text(subject), open_flags: 0 };
  const otherFiles = (options.files ?? []).map((path) => {
    const { size, mtimeMs } = statSync(path);
    return { size, mtime_s: Math.floor(mtimeMs / 1000), path_blob: blob.text(path), open_flags: 0 };
  });

  const fixed = MAP_PRIVATE | MAP_ANONYMOUS;
  /** Pieces of which the last two follow each other in mem.bin, too. */
  const lateWord = [
    { from: 3, length: 3 },
    { from: 0, length: 2 },
    { from: 2, length: 1 },
  ];
  const segments = elf.segments.filter((segment) => (segment.flags & 2) === 0);
  const mem: Fields[] = [
    ...segments.map((segment) => ({
      kind: constant('CRAC_MEM_FILE'),
      address: segment.address,
      length: align(segment.fileBytes, PAGE),
      offset: segment.offset,
      prot: segment.flags & 1 ? PROT.read | PROT.exec : PROT.read,
      flags: MAP_PRIVATE,
    })),
    memRecord('PAGES', dataStart, dataBytes, { prot: 3, flags: MAP_PRIVATE }),
    memRecord('ANON', MAILBOX, MAILBOX_BYTES, { prot: 3, flags: fixed }),
    memRecord('PAGES', MAILBOX, PAGE, { prot: 3, flags: MAP_PRIVATE, offset: dataBytes }),
    ...lateWord.map(({ from, length }) =>
      memRecord('READ', at('late_page') + BigInt(from), length, { offset: dataBytes + PAGE + 100 + from }),
    ),
    memRecord('ADVISE', at('late_page') + 4096n, PAGE, { flags: MADV_DONTNEED }),
    memRecord('ADVISE', 0x1000n, PAGE, { flags: MADV_DONTNEED }),
    memRecord('PROTECT', at('late_page'), 2 * PAGE, { prot: PROT.read }),
    ...(options.moreMemory ?? []),
    ...(options.memory ?? []),
  ];

  const fpState = Buffer.alloc(512);
  fpState.writeUInt16LE(0x37f, 0);
  fpState.writeUInt32LE(0x9fc0, 24);
  const fp = blob.add(fpState, 64);
  const frames = [blob.add(Buffer.alloc(512), 64), blob.add(Buffer.alloc(512), 64)] as const;
  const scratch = [blob.add(Buffer.alloc(4096), 64), blob.add(Buffer.alloc(4096), 64)] as const;
  const fds = descriptors(blob, options.port, dataFile);
  const sockets = socketSections(blob, options.port);
  const thread = (index: 0 | 1, name: string, base: bigint): Fields => ({
    clear_tid: at('controls') + BigInt(index * 16 + 8),
    tls: at('controls') + BigInt(index * 16),
    robust_list: at('robust_lists') + BigInt(index * 24),
    robust_list_size: 24,
    rseq: at('rseq_areas') + BigInt(index * 32),
    rseq_size: index === 0 ? 32 : 7, // 7: the kernel refuses it
    rseq_signature: 0x53053053,
    frame: base + BigInt(frames[index]),
    scratch: base + BigInt(scratch[index]) + 4096n,
    old_tid: 111 * (index + 1),
    flags: index === 1 && options.held !== undefined ? Number(constant('CRAC_THREAD_HELD')) : 0,
    name: Buffer.from(`${name}\0`),
  });
  const idle = Array.from({ length: options.idleThreads ?? 0 }, () => ({
    frame: blob.add(Buffer.alloc(512), 64),
    scratch: blob.add(Buffer.alloc(4096), 64),
  }));
  const idleThread = (index: number, base: bigint): Fields => ({
    tls: at('controls'),
    frame: base + BigInt(idle[index]?.frame ?? 0),
    scratch: base + BigInt(idle[index]?.scratch ?? 0) + 4096n,
    name: Buffer.from('idle\0'),
  });
  const sse2 = blob.text('sse2');
  const otherSections = options.sections?.(blob);
  const compose = (base: bigint): Sections => ({
    mem,
    file: [fileRecord, ...otherFiles],
    thread: [
      thread(0, 'first thread', base),
      thread(1, 'second', base),
      ...idle.map((_, index) => idleThread(index, base)),
    ],
    sigact: [
      { signal: 10, handler: at('on_signal'), restorer: at('return_from_signal'), flags: 0x0c000000 },
      { signal: 13, handler: 1 },
      { signal: 64, handler: 1 },
    ],
    fd: fds,
    epoll: [
      { epoll_fd: 4, fd: 8, events: 1, data: 0xfeed },
      { epoll_fd: 4, fd: 5, events: 1, data: 0xbeef },
    ],
    time: [0n, 16n, 32n].map((offset) => ({ address: at('deadlines') + offset, clock: 1 })),
    tidfix: [0, 0x80000000].map((bits, index) => ({
      ...{ address: at('fixed_ids') + BigInt(index * 4), thread: index, bits },
    })),
    vdso_symbol: vdsoSymbols,
    cpu: [{ leaf: 1, reg: 3, mask: 1 << 26, value: 1 << 26, name_blob: sse2 }],
    prefetch: [],
    ...sockets,
    ...otherSections,
  });
  const base = constant('CRAC_PLAN_BASE') + BigInt(blobOffset(compose(0n)));
  const frame = (index: 0 | 1, start: string = index === 0 ? 'start_first' : 'start_second'): Buffer =>
    sigframe({
      ip: at(start),
      sp: at(index === 0 ? 'first_stack' : 'second_stack') + 65536n,
      argument: 0xabcdefn,
      fpState: base + BigInt(fp),
      mask: 0x8000000n,
      signalStack: index === 0 ? at('signal_stack') : 0n,
    });
  const header: Fields = {
    mem_size: memory.length,
    start_code: 0x10000000n,
    end_code: 0x10001000n,
    start_data: dataStart,
    end_data: dataStart + 4096n,
    start_brk: HEAP_END,
    brk: HEAP_END,
    start_stack: at('first_stack'),
    arg_start: at('first_stack'),
    arg_end: at('first_stack') + 1n,
    env_start: at('first_stack'),
    env_end: at('first_stack') + 1n,
    vvar_start: VVAR,
    vvar_size: vdso.vvarBytes,
    vdso_start: vdsoStart,
    vdso_size: vdsoBytes.length,
    vdso_blob: blob.add(vdsoBytes, 64),
    umask: 0o27,
    monotonic_ns: options.monotonicNs,
    nano_offset: at('nano_offset'),
    mailbox: MAILBOX,
    mailbox_size: MAILBOX_BYTES,
    mailbox_nonce: NONCE,
    cwd_blob: blob.text(join(dir, 'home')),
    scratch_fd: 40,
    nofile_soft: 77,
    nofile_hard: 4096,
    needed_bytes: 64 << 20,
    ...options.header,
  };
  const plan = composePlan(header, compose(base), blob);
  const blobStart = Number(base - constant('CRAC_PLAN_BASE'));
  frame(0).copy(plan, blobStart + frames[0]);
  frame(1).copy(plan, blobStart + frames[1]);
  for (const thread of idle) frame(1, 'start_idle').copy(plan, blobStart + thread.frame);
  const state = { planFile: join(dir, 'checkpoint/plan.bin'), memFile: join(dir, 'checkpoint/mem.bin') };
  writeFileSync(state.planFile, seal(plan));
  writeFileSync(state.memFile, memory);
  const late = at('late_page');
  return {
    ...state,
    maps: [
      ...segments.map((s) => area(s.address, BigInt(align(s.fileBytes, PAGE)), s.flags & 1 ? 'r-xp' : 'r--p')),
      area(dataStart, late - dataStart, 'rw-p'),
      area(late, 8192n, 'r--p'),
      area(late + 8192n, dataStart + BigInt(dataBytes) - late - 8192n, 'rw-p'),
      area(MAILBOX, 4096n, 'rw-p'),
      area(MAILBOX + 4096n, BigInt(MAILBOX_BYTES) - 4096n, 'rw-p'),
    ].filter((text) => !/^(\w+)-\1 /.test(text)),
  };
}

function memRecord(kind: string, address: bigint, length: number, rest: Fields): Fields {
  return { kind: constant(`CRAC_MEM_${kind}`), address, length, file: 0xffffffff, ...rest };
}

function descriptors(blob: Blob, port: number, dataFile: string): Fields[] {
  const kind = (name: string): bigint => constant(`CRAC_FD_${name}`);
  const text = Buffer.from('in the pipe');
  return [
    ...[0, 1, 2].map((fd) => ({ fd, kind: kind('INHERIT') })),
    { fd: 3, kind: kind('FILE'), flags: 2, path_blob: blob.text('/dev/null') },
    { fd: 4, kind: kind('EPOLL'), fd_flags: 1 },
    { fd: 5, kind: kind('EVENTFD'), flags: 0o4000, fd_flags: 1, a: 7 },
    { fd: 6, kind: kind('FILE'), a: 2, b: 10, path_blob: blob.text(dataFile) },
    { fd: 7, kind: kind('DUP'), fd_flags: 1, a: 6 },
    {
      fd: 8,
      kind: kind('PIPE'),
      flags: 0o4000,
      a: 9,
      b: blob.add(text),
      c: text.length,
      d: (1n << 32n) | 0o4001n,
      path_blob: 16384,
    },
    { fd: 10, kind: kind('SOCKET'), flags: 0o4002, fd_flags: 1, a: 0, path_blob: blob.text(`port ${port}`) },
    { fd: 11, kind: kind('SOCKET'), flags: 2, a: 1 },
    { fd: 12, kind: kind('DEAD'), flags: 0o4002 },
    // Ends in another order than the one in which the kernel numbers them.
    { fd: 14, kind: kind('UNIX_PAIR'), flags: 2, a: 13, b: 2, c: 3, d: 2 },
    { fd: 15, kind: kind('TIMERFD'), flags: 0o4002, a: 1n << 62n, b: 0, c: 3, d: 1 },
    { fd: 16, kind: kind('PIPE'), a: 0xffffffff, b: blob.add(text), c: text.length },
  ];
}

/** Of the descriptors 10, 11, 14 and 13. */
function socketSections(blob: Blob, port: number): Pick<Sections, 'socket' | 'sockopt'> {
  const address = Buffer.from([2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const none = constant('CRAC_NONE');
  const packets = Buffer.from([2, 0, 0, 0, ...Buffer.from('pa'), 4, 0, 0, 0, ...Buffer.from('cket')]);
  return {
    socket: [
      { family: 2, type: 1, backlog: 5, address_blob: blob.add(address), address_size: 16, option_count: 2 },
      { family: 2, type: 1, backlog: none },
      {
        family: 1,
        type: 1,
        backlog: none,
        queue_blob: blob.add(packets),
        queue_size: packets.length,
        packet_count: 2,
      },
      { family: 1, type: 1, backlog: none, shutdown: 1 },
    ],
    sockopt: [
      { level: 1, name: 2, size: 4, value: Buffer.from([1, 0, 0, 0]) }, // SO_REUSEADDR
      { level: 6, name: 4, size: 4, value: Buffer.from([77, 0, 0, 0]) }, // TCP_KEEPIDLE
    ],
  };
}

interface FrameFacts {
  readonly ip: bigint;
  readonly sp: bigint;
  readonly argument: bigint;
  readonly fpState: bigint;
  readonly mask: bigint;
  readonly signalStack: bigint;
}

/** struct ucontext of x86-64 (arch/x86/include/uapi/asm/sigcontext.h), FXSAVE only. */
function sigframe(facts: FrameFacts): Buffer {
  const bytes = Buffer.alloc(512);
  const put = (offset: number, value: bigint): void => void bytes.writeBigUInt64LE(value, offset);
  put(0, 6n); // UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
  put(16, facts.signalStack);
  bytes.writeUInt32LE(facts.signalStack === 0n ? 2 : 0, 24); // SS_DISABLE
  put(32, facts.signalStack === 0n ? 0n : 16384n);
  put(104, facts.argument);
  put(160, facts.sp);
  put(168, facts.ip);
  put(176, 0x202n);
  put(184, 0x002b_0000_0000_0033n); // cs, ss
  put(224, facts.fpState);
  put(296, facts.mask);
  return bytes;
}

function area(start: bigint, size: bigint, permissions: string): string {
  const hex = (value: bigint): string => value.toString(16).padStart(8, '0');
  return `${hex(start)}-${hex(start + size)} ${permissions}`;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
