/** Whether everything that a plan refers to is there: the same rules as native/restore/plan_check.c. */
import { FD, MEM, NO_FILE, PAGE_BYTES, RESTORER_BASE, RESTORER_END } from './format.ts';
import { type PlanValues, type RestorePlan, readText } from './plan-values.ts';

const NONE = 0xffffffffn;
const ADDRESS_SPACE_END = 0x7ffffffff000n;
const LAST_SCRATCH_FD = 0x3fffffff;
const PROT_WRITE = 2;
const FRAME_BYTES = 304n;
const SCRATCH_STACK_BYTES = 4096n;
const VDSO_PATCH_BYTES = 14n;
const TIMESPEC_BYTES = 16n;
const RSEQ_HEAD_BYTES = 8n;
const MAILBOX_HEAD_BYTES = 80n;
const SOCKADDR_MIN_BYTES = 2;
const SOCKADDR_MAX_BYTES = 128;
const QUEUED_SIZE_BYTES = 4;
const OPTION_VALUE_BYTES = 16;
const CLOCK_MAX_NS = 1n << 62n;
const MAPPINGS: readonly number[] = [MEM.ANON, MEM.FILE, MEM.PAGES];

/** What plan.bin is or has, as the restorer says it; undefined when all is well. */
export function findPlanFault(plan: RestorePlan): string | undefined {
  const { mem, thread } = plan.sections;
  const unknown = mem.find(({ kind }) => !Object.values(MEM).some((known) => known === kind));
  if (unknown !== undefined) return `has an unknown kind of memory (${unknown.kind})`;
  if (thread.length === 0) return 'has no thread';
  const fault = findRecordFault(plan);
  if (fault !== undefined) return `is damaged (${fault})`;
  const strange = plan.sections.fd.find(({ kind }) => !Object.values(FD).some((known) => known === kind));
  return strange === undefined ? undefined : `has an unknown kind of descriptor (${strange.kind})`;
}

/** "SECTION INDEX: what". */
function findRecordFault(plan: RestorePlan): string | undefined {
  return (
    findHeaderFault(plan) ??
    firstFault('MEM', plan.sections.mem, (area) => findAreaFault(area, plan)) ??
    firstFault('FILES', plan.sections.file, ({ path_blob }) => (isPath(path_blob, plan) ? undefined : 'path_blob')) ??
    firstFault('THREADS', plan.sections.thread, (thread) => findThreadFault(thread, plan)) ??
    firstFault('SIGACT', plan.sections.sigact, ({ signal }) => (signal < 1 || signal > 64 ? 'signal' : undefined)) ??
    firstFault('FDS', plan.sections.fd, (fd) => findDescriptorFault(fd, plan)) ??
    firstFault('EPOLL', plan.sections.epoll, ({ epoll_fd, fd }) =>
      isDescriptor(epoll_fd, plan) && isDescriptor(fd, plan) ? undefined : 'descriptor',
    ) ??
    firstFault('SOCKETS', plan.sections.socket, (socket) => findSocketFault(socket, plan)) ??
    firstFault('SOCKOPTS', plan.sections.sockopt, ({ size }) => (size > OPTION_VALUE_BYTES ? 'size' : undefined)) ??
    firstFault('VDSO', plan.sections.vdso_symbol, ({ offset, name_blob }) => {
      if (!isWithin(offset, VDSO_PATCH_BYTES, plan.header.vdso_size)) return 'offset';
      return isText(name_blob, plan) ? undefined : 'name_blob';
    }) ??
    firstFault('CPU', plan.sections.cpu, ({ reg, name_blob }) => {
      if (reg > 3) return 'reg';
      return isText(name_blob, plan) ? undefined : 'name_blob';
    }) ??
    firstFault('PREFETCH', plan.sections.prefetch, ({ file }) =>
      file !== NO_FILE && file >= plan.sections.file.length ? 'file' : undefined,
    ) ??
    findWrittenHeaderFault(plan) ??
    firstFault('TIMES', plan.sections.time, ({ address }) =>
      isWritable(address, TIMESPEC_BYTES, plan) ? undefined : 'address',
    ) ??
    firstFault('TIDFIX', plan.sections.tidfix, ({ address, thread }) => {
      if (thread >= plan.sections.thread.length) return 'thread';
      return isWritable(address, 4n, plan) ? undefined : 'address';
    })
  );
}

function firstFault<T>(
  section: string,
  records: readonly T[],
  find: (record: T) => string | undefined,
): string | undefined {
  for (const [index, record] of records.entries()) {
    const fault = find(record);
    if (fault !== undefined) return `${section} ${index}: ${fault}`;
  }
  return undefined;
}

function findHeaderFault(plan: RestorePlan): string | undefined {
  const { header, blob } = plan;
  const blobBytes = BigInt(blob.length);
  const isBroken: readonly (readonly [field: string, isBroken: boolean])[] = [
    ['scratch_fd', header.scratch_fd < 3 || header.scratch_fd > LAST_SCRATCH_FD],
    ['monotonic_ns', abs(BigInt.asIntN(64, header.monotonic_ns)) > CLOCK_MAX_NS],
    ['boottime_ns', abs(BigInt.asIntN(64, header.boottime_ns)) > CLOCK_MAX_NS],
    ['cwd_blob', !isPath(header.cwd_blob, plan)],
    ['auxv_blob', !isWithin(BigInt(header.auxv_blob), BigInt(header.auxv_size), blobBytes)],
    ['vdso_blob', !isWithin(BigInt(header.vdso_blob), header.vdso_size, blobBytes)],
    ['vdso_start', !isPlaceable(header.vdso_start, header.vdso_size)],
    ['vvar_start', !isPlaceable(header.vvar_start, header.vvar_size)],
  ];
  const field = isBroken.find(([, broken]) => broken)?.[0];
  return field === undefined ? undefined : `header 0: ${field}`;
}

/** What the restorer writes to in the restored memory on its own account. */
function findWrittenHeaderFault(plan: RestorePlan): string | undefined {
  const { nano_offset: nanoOffset, mailbox, mailbox_size: mailboxSize } = plan.header;
  if (nanoOffset !== 0n && !isWritable(nanoOffset, 8n, plan)) return 'header 0: nano_offset';
  if (mailbox !== 0n && (mailboxSize < MAILBOX_HEAD_BYTES || !isWritable(mailbox, mailboxSize, plan)))
    return 'header 0: mailbox';
  return undefined;
}

function findAreaFault(area: PlanValues<'mem'>, { header, sections }: RestorePlan): string | undefined {
  const { kind, address, length, offset, file } = area;
  const page = BigInt(PAGE_BYTES);
  const isRead = kind === MEM.READ;
  if (length === 0n || !isWithin(address, length, ADDRESS_SPACE_END)) return 'length';
  if (overlaps(address, length, BigInt(RESTORER_BASE), BigInt(RESTORER_END))) return 'where the restorer lies';
  if (!isRead && (address % page !== 0n || length % page !== 0n)) return 'not whole pages';
  if (MAPPINGS.includes(kind) && offset % page !== 0n) return 'offset';
  if ((isRead || kind === MEM.PAGES) && !isWithin(offset, length, header.mem_size)) return 'outside mem.bin';
  if (kind === MEM.FILE && file >= sections.file.length) return 'file';
  if (overlaps(address, length, header.vdso_start, header.vdso_start + header.vdso_size)) return 'where the vdso lies';
  return undefined;
}

function findThreadFault(thread: PlanValues<'thread'>, plan: RestorePlan): string | undefined {
  const { frame, scratch, clear_tid: clearTid, rseq } = thread;
  if (!isInBlob(frame, FRAME_BYTES, plan)) return 'frame';
  if (scratch % 16n !== 0n || !isInBlob(scratch - SCRATCH_STACK_BYTES, SCRATCH_STACK_BYTES, plan)) return 'scratch';
  if (clearTid !== 0n && !isWritable(clearTid, 4n, plan)) return 'clear_tid';
  if (rseq !== 0n && !isWritable(rseq, RSEQ_HEAD_BYTES, plan)) return 'rseq';
  return undefined;
}

/** What a, b, c and path_blob mean depends on the kind. */
function findDescriptorFault(record: PlanValues<'fd'>, plan: RestorePlan): string | undefined {
  const { fd, kind, a, b, c, path_blob: path } = record;
  const blobBytes = BigInt(plan.blob.length);
  const isPair = kind === FD.PIPE || kind === FD.UNIX_PAIR;
  if (!isDescriptor(fd, plan) && !(isPair && BigInt(fd) === NONE)) return 'fd';
  if (isPair && !isDescriptor(a, plan) && a !== NONE) return 'other end';
  if (kind === FD.FILE && !isPath(path, plan)) return 'path_blob';
  if (kind === FD.DUP && !isDescriptor(a, plan)) return 'original';
  if (kind === FD.PIPE && !isWithin(b, c, blobBytes)) return 'bytes inside';
  const sockets = BigInt(plan.sections.socket.length);
  if (kind === FD.SOCKET && a >= sockets) return 'socket';
  if (kind === FD.SOCKET && !isText(path, plan)) return 'path_blob';
  if (kind === FD.UNIX_PAIR && (b >= sockets || c >= sockets)) return 'socket';
  return undefined;
}

function findSocketFault(socket: PlanValues<'socket'>, plan: RestorePlan): string | undefined {
  const { address_blob: at, address_size: size, folder_blob: folder } = socket;
  // A NUL follows the address, so that a unix path ends.
  const isAddress = size >= SOCKADDR_MIN_BYTES && size <= SOCKADDR_MAX_BYTES && plan.blob[at + size] === 0;
  if (size !== 0 && !isAddress) return 'address';
  if (socket.file_mode > 0o777) return 'file_mode';
  if (folder !== 0 && !isPath(folder, plan)) return 'folder_blob';
  const optionCount = BigInt(plan.sections.sockopt.length);
  if (!isWithin(BigInt(socket.first_option), BigInt(socket.option_count), optionCount)) return 'options';
  return isQueue(socket, plan) ? undefined : 'queue';
}

/** packet_count times { u32 size, bytes }. */
function isQueue(
  { queue_blob: start, queue_size: size, packet_count: count }: PlanValues<'socket'>,
  plan: RestorePlan,
) {
  if (!isWithin(BigInt(start), BigInt(size), BigInt(plan.blob.length))) return false;
  let at = 0;
  for (let packet = 0; packet < count; packet++) {
    if (at + QUEUED_SIZE_BYTES > size) return false;
    at += QUEUED_SIZE_BYTES + plan.blob.readUInt32LE(start + at);
    if (at > size) return false;
  }
  return true;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function isDescriptor(fd: number | bigint, { header }: RestorePlan): boolean {
  return fd < header.scratch_fd;
}

function isText(offset: number, { blob }: RestorePlan): boolean {
  return readText(blob, offset) !== undefined;
}

function isPath(offset: number, { blob }: RestorePlan): boolean {
  return (readText(blob, offset) ?? '') !== '';
}

function isInBlob(address: bigint, size: bigint, { blob, blobAddress }: RestorePlan): boolean {
  return address >= blobAddress && isWithin(address - blobAddress, size, BigInt(blob.length));
}

function isWithin(offset: bigint, size: bigint, limit: bigint): boolean {
  return offset <= limit && size <= limit - offset;
}

function overlaps(start: bigint, length: bigint, from: bigint, to: bigint): boolean {
  return length !== 0n && start < to && start + length > from;
}

function isPlaceable(start: bigint, length: bigint): boolean {
  const page = BigInt(PAGE_BYTES);
  return (
    start % page === 0n &&
    length % page === 0n &&
    isWithin(start, length, ADDRESS_SPACE_END) &&
    !overlaps(start, length, BigInt(RESTORER_BASE), BigInt(RESTORER_END))
  );
}

/** Whether the range can be written once the MEM section has been executed: of several records the last one counts. */
function isWritable(address: bigint, size: bigint, { sections }: RestorePlan): boolean {
  if (!isWithin(address, size, ADDRESS_SPACE_END)) return false;
  const end = address + size;
  for (let at = address; at < end; ) {
    let next = end;
    let prot = 0;
    for (const area of sections.mem) {
      if (!MAPPINGS.includes(area.kind) && area.kind !== MEM.PROTECT) continue;
      const stop = area.address + area.length;
      if (area.address > at && area.address < next) next = area.address;
      if (area.address > at || stop <= at) continue;
      if (stop < next) next = stop;
      prot = area.prot;
    }
    if ((prot & PROT_WRITE) === 0) return false;
    at = next;
  }
  return true;
}
