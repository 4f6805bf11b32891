/** plan.bin as native/restore/plan.h describes it; both are held to test/golden/plan-format.json. */
import { crc32 } from 'node:zlib';
import type { Blob } from './blob.ts';

export const PLAN_MAGIC = 0x4e414c5043415243n;
export const PLAN_VERSION = 2;
export const ARCH_X86_64 = 62;
export const PAGE_BYTES = 4096;
export const RESTORER_BASE = 0x200000000000;
export const PLAN_BASE = 0x200010000000;
export const RESTORER_END = 0x200040000000;
export const NO_FILE = 0xffffffff;
/** CRAC_ANY_SIZE: of a file that each container gets from its engine. */
export const ANY_SIZE = 0xffff_ffff_ffff_ffffn;

export const MEM = { ANON: 1, FILE: 2, PAGES: 3, READ: 4, ADVISE: 5, PROTECT: 6, LATER: 7 } as const;
export const FD = {
  INHERIT: 1,
  FILE: 2,
  DUP: 3,
  EVENTFD: 4,
  EPOLL: 5,
  PIPE: 6,
  TIMERFD: 7,
  DEAD: 8,
  SOCKET: 9,
  UNIX_PAIR: 10,
} as const;
/** No descriptor, no backlog. */
export const NONE = 0xffffffff;

/** The header's flags. */
export const PROCESS = { NOT_DUMPABLE: 1, SUBREAPER: 2, NO_HUGE_PAGES: 4, NO_NEW_PRIVILEGES: 8 } as const;
export const MEMBARRIER_SHIFT = 16;

export type FieldType = 'u32' | 'u64' | 'bytes16' | 'bytes32' | 'sections';
type Layout = readonly (readonly [name: string, type: FieldType])[];

/** In the order of the C structs; every field is as wide as its alignment, so there is no hidden padding. */
export const LAYOUTS = {
  header: [
    ['magic', 'u64'],
    ['version', 'u32'],
    ['header_size', 'u32'],
    ['arch', 'u32'],
    ['page_size', 'u32'],
    ['file_size', 'u64'],
    ['crc32', 'u32'],
    ['flags', 'u32'],
    ['map_address', 'u64'],
    ['restorer_start', 'u64'],
    ['restorer_end', 'u64'],
    ['mem_size', 'u64'],
    ['sections', 'sections'],
    ['start_code', 'u64'],
    ['end_code', 'u64'],
    ['start_data', 'u64'],
    ['end_data', 'u64'],
    ['start_brk', 'u64'],
    ['brk', 'u64'],
    ['start_stack', 'u64'],
    ['arg_start', 'u64'],
    ['arg_end', 'u64'],
    ['env_start', 'u64'],
    ['env_end', 'u64'],
    ['auxv_blob', 'u32'],
    ['auxv_size', 'u32'],
    ['vvar_start', 'u64'],
    ['vvar_size', 'u64'],
    ['vdso_start', 'u64'],
    ['vdso_size', 'u64'],
    ['vdso_blob', 'u32'],
    ['umask', 'u32'],
    ['monotonic_ns', 'u64'],
    ['boottime_ns', 'u64'],
    ['nano_offset', 'u64'],
    ['mailbox', 'u64'],
    ['mailbox_size', 'u64'],
    ['mailbox_nonce', 'u64'],
    ['cwd_blob', 'u32'],
    ['scratch_fd', 'u32'],
    ['nofile_soft', 'u64'],
    ['nofile_hard', 'u64'],
    ['needed_bytes', 'u64'],
    ['max_heap_bytes', 'u64'],
  ],
  mem: [
    ['address', 'u64'],
    ['length', 'u64'],
    ['offset', 'u64'],
    ['kind', 'u32'],
    ['prot', 'u32'],
    ['flags', 'u32'],
    ['file', 'u32'],
  ],
  file: [
    ['size', 'u64'],
    ['mtime_s', 'u64'],
    ['path_blob', 'u32'],
    ['open_flags', 'u32'],
    ['sha256', 'bytes32'],
  ],
  thread: [
    ['clear_tid', 'u64'],
    ['tls', 'u64'],
    ['robust_list', 'u64'],
    ['robust_list_size', 'u64'],
    ['rseq', 'u64'],
    ['rseq_size', 'u32'],
    ['rseq_signature', 'u32'],
    ['frame', 'u64'],
    ['scratch', 'u64'],
    ['old_tid', 'u32'],
    ['flags', 'u32'],
    ['name', 'bytes16'],
  ],
  sigact: [
    ['signal', 'u32'],
    ['reserved', 'u32'],
    ['handler', 'u64'],
    ['flags', 'u64'],
    ['restorer', 'u64'],
    ['mask', 'u64'],
  ],
  fd: [
    ['fd', 'u32'],
    ['kind', 'u32'],
    ['flags', 'u32'],
    ['fd_flags', 'u32'],
    ['a', 'u64'],
    ['b', 'u64'],
    ['c', 'u64'],
    ['d', 'u64'],
    ['path_blob', 'u32'],
    ['reserved', 'u32'],
  ],
  epoll: [
    ['epoll_fd', 'u32'],
    ['fd', 'u32'],
    ['events', 'u32'],
    ['reserved', 'u32'],
    ['data', 'u64'],
  ],
  time: [
    ['address', 'u64'],
    ['clock', 'u32'],
    ['reserved', 'u32'],
  ],
  tidfix: [
    ['address', 'u64'],
    ['thread', 'u32'],
    ['bits', 'u32'],
  ],
  vdso_symbol: [
    ['offset', 'u64'],
    ['name_blob', 'u32'],
    ['reserved', 'u32'],
  ],
  cpu: [
    ['leaf', 'u32'],
    ['subleaf', 'u32'],
    ['reg', 'u32'],
    ['mask', 'u32'],
    ['value', 'u32'],
    ['name_blob', 'u32'],
  ],
  prefetch: [
    ['offset', 'u64'],
    ['length', 'u64'],
    ['file', 'u32'],
    ['reserved', 'u32'],
  ],
  socket: [
    ['family', 'u32'],
    ['type', 'u32'],
    ['protocol', 'u32'],
    ['backlog', 'u32'],
    ['address_blob', 'u32'],
    ['address_size', 'u32'],
    ['folder_blob', 'u32'],
    ['file_mode', 'u32'],
    ['first_option', 'u32'],
    ['option_count', 'u32'],
    ['queue_blob', 'u32'],
    ['packet_count', 'u32'],
    ['queue_size', 'u32'],
    ['shutdown', 'u32'],
  ],
  sockopt: [
    ['level', 'u32'],
    ['name', 'u32'],
    ['size', 'u32'],
    ['reserved', 'u32'],
    ['value', 'bytes16'],
  ],
} as const satisfies Record<string, Layout>;
export type StructName = keyof typeof LAYOUTS;

type FieldNames<S extends StructName> = (typeof LAYOUTS)[S][number][0];
/** Fields that are left out are 0. */
export type PlanRecord<S extends StructName> = Readonly<Partial<Record<FieldNames<S>, number | bigint | Uint8Array>>>;
export type MemRecord = PlanRecord<'mem'> & {
  readonly address: number;
  readonly length: number;
  readonly kind: number;
};
export type FdRecord = PlanRecord<'fd'> & { readonly fd: number; readonly kind: number };

/** In the order of enum crac_section_id, BLOB apart. */
export const SECTION_STRUCTS = [
  'mem',
  'file',
  'thread',
  'sigact',
  'fd',
  'epoll',
  'time',
  'tidfix',
  'vdso_symbol',
  'cpu',
  'prefetch',
  'socket',
  'sockopt',
] as const satisfies StructName[];
export const SECTION_COUNT = SECTION_STRUCTS.length + 1;
export type PlanSections = { readonly [S in (typeof SECTION_STRUCTS)[number]]: readonly PlanRecord<S>[] };

export const FIELD_BYTES: Readonly<Record<FieldType, number>> = {
  u32: 4,
  u64: 8,
  bytes16: 16,
  bytes32: 32,
  sections: SECTION_COUNT * 16,
};

export function structBytes(name: StructName): number {
  return LAYOUTS[name].reduce((sum, [, type]) => sum + FIELD_BYTES[type], 0);
}

/** A thread's `frame` and `scratch` are given as blob offsets and become addresses here. */
export function renderPlan(header: PlanRecord<'header'>, sections: PlanSections, blob: Blob): Buffer {
  const table = Buffer.alloc(SECTION_COUNT * 16);
  const headerBytes = structBytes('header');
  let end = align64(headerBytes);
  const place = (index: number, count: number, recordBytes: number): number => {
    const start = end;
    for (const [i, value] of [start, count, recordBytes, 0].entries()) table.writeUInt32LE(value, index * 16 + i * 4);
    end = align64(start + count * recordBytes);
    return start;
  };
  const starts = SECTION_STRUCTS.map((name, index) => place(index, sections[name].length, structBytes(name)));
  const blobAddress = PLAN_BASE + end;
  const blobBytes = blob.render(blobAddress);
  const blobStart = place(SECTION_COUNT - 1, blobBytes.length, 1);

  const plan = Buffer.alloc(end);
  blobBytes.copy(plan, blobStart);
  const threads = sections.thread.map((thread) => ({
    ...thread,
    frame: blobAddress + Number(thread.frame ?? 0),
    scratch: blobAddress + Number(thread.scratch ?? 0),
  }));
  for (const [index, name] of SECTION_STRUCTS.entries()) {
    const records: readonly object[] = name === 'thread' ? threads : sections[name];
    for (const [i, record] of records.entries())
      writeRecord(plan, (starts[index] ?? 0) + i * structBytes(name), name, record);
  }
  const own: PlanRecord<'header'> = {
    magic: PLAN_MAGIC,
    version: PLAN_VERSION,
    header_size: headerBytes,
    arch: ARCH_X86_64,
    page_size: PAGE_BYTES,
    file_size: end,
    map_address: PLAN_BASE,
    restorer_start: RESTORER_BASE,
    restorer_end: RESTORER_END,
    sections: table,
  };
  writeRecord(plan, 0, 'header', { ...header, ...own });
  writeRecord(plan, 0, 'header', { ...header, ...own, crc32: crc32Of(plan) });
  return plan;
}

function writeRecord(plan: Buffer, at: number, name: StructName, record: object): void {
  const values = new Map<string, number | bigint | Uint8Array>(Object.entries(record));
  let offset = at;
  for (const [field, type] of LAYOUTS[name]) {
    const value = values.get(field) ?? 0;
    if (value instanceof Uint8Array) plan.set(value.subarray(0, FIELD_BYTES[type]), offset);
    else if (type === 'u64') plan.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), offset);
    else if (type === 'u32') plan.writeUInt32LE(Number(value) >>> 0, offset);
    offset += FIELD_BYTES[type];
  }
}

function align64(value: number): number {
  return Math.ceil(value / 64) * 64;
}

const crc32Of: (bytes: Uint8Array) => number = crc32;
