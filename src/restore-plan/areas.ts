/** Memory areas of the dump, sorted into what happens to them. */

import type { Dump } from '../criu/read-dump.ts';
import type { Vma } from '../criu/schema.ts';
import { LASTING_ADVICE } from './advice.ts';
import { RESTORER_BASE, RESTORER_END } from './format.ts';
import { REPORT_IT, type Refuse } from './refusals.ts';

/** CRIU's VMA_AREA_… and VMA_… bits (criu/include/image.h). */
export const VMA_STATUS = {
  regular: 1 << 0,
  stack: 1 << 1,
  vsyscall: 1 << 2,
  vdso: 1 << 3,
  heap: 1 << 5,
  filePrivate: 1 << 6,
  fileShared: 1 << 7,
  anonShared: 1 << 8,
  anonPrivate: 1 << 9,
  sysvIpc: 1 << 10,
  socket: 1 << 11,
  vvar: 1 << 12,
  aioRing: 1 << 13,
  memfd: 1 << 14,
  shadowStack: 1 << 15,
  guard: 1 << 16,
  uprobes: 1 << 17,
} as const;
const RESTORED =
  VMA_STATUS.regular |
  VMA_STATUS.stack |
  VMA_STATUS.heap |
  VMA_STATUS.filePrivate |
  VMA_STATUS.fileShared |
  VMA_STATUS.anonPrivate;

export const MAP = {
  shared: 0x01,
  private: 0x02,
  droppable: 0x08,
  type: 0x0f,
  anonymous: 0x20,
  growsDown: 0x100,
  locked: 0x2000,
  noReserve: 0x4000,
  hugeTlb: 0x40000,
} as const;
const KNOWN_FLAGS = Object.values(MAP).reduce<number>((bits, flag) => bits | flag, 0);
const KNOWN_ADVICE = LASTING_ADVICE.reduce((bits, advice) => bits | (1n << BigInt(advice)), 0n);
/** CRIU dumps MAP_SHARED | MAP_ANONYMOUS as a memfd that has this name. */
const SHARED_ANONYMOUS = '/dev/zero';
const PROT_WRITE = 2;
const OPEN_MODE = 3;

export interface Areas {
  readonly mapped: readonly Vma[];
  /** Ranges of MADV_GUARD_INSTALL, which are no areas of their own. */
  readonly guards: readonly Vma[];
  readonly vvar: { readonly start: number; readonly size: number };
  readonly vdso: { readonly start: number; readonly size: number };
}

export function sortAreas(dump: Dump, refuse: Refuse): Areas {
  const mapped: Vma[] = [];
  const guards: Vma[] = [];
  const vvars: Vma[] = [];
  const vdsos: Vma[] = [];
  for (const vma of dump.mm.vmas) {
    if (vma.status & VMA_STATUS.vsyscall) continue;
    if (vma.status & VMA_STATUS.vdso) vdsos.push(vma);
    else if (vma.status & VMA_STATUS.vvar) vvars.push(vma);
    else if (vma.status & VMA_STATUS.guard) guards.push(vma);
    else if (isRestorable(vma, dump, refuse)) mapped.push(vma);
  }
  if (vdsos.length > 1) refuse('memory', 'it has more than one vdso', REPORT_IT);
  const [vdso] = vdsos;
  const vvarStart = Math.min(...vvars.map(({ start }) => start), vdso?.start ?? 0);
  return {
    mapped: mapped.toSorted((a, b) => a.start - b.start),
    guards,
    vvar: { start: vvarStart, size: vvars.reduce((sum, { start, end }) => sum + end - start, 0) },
    vdso: { start: vdso?.start ?? 0, size: vdso === undefined ? 0 : vdso.end - vdso.start },
  };
}

export function describeArea(vma: Vma, dump: Dump): string {
  const path = isFileArea(vma) ? dump.files.get(vma.fileId)?.regular?.path : undefined;
  return `memory ${vma.start.toString(16)}-${vma.end.toString(16)}${path === undefined ? '' : ` (${path})`}`;
}

export function isFileArea(vma: Vma): boolean {
  return (vma.status & (VMA_STATUS.filePrivate | VMA_STATUS.fileShared)) !== 0;
}

function isRestorable(vma: Vma, dump: Dump, refuse: Refuse): boolean {
  const refusal = findRefusal(vma, dump);
  if (refusal !== undefined) refuse(describeArea(vma, dump), ...refusal);
  return refusal === undefined;
}

function findRefusal(vma: Vma, dump: Dump): [reason: string, remedy: string] | undefined {
  const { status, flags } = vma;
  const memfd = dump.memfdNames.get(vma.fileId);
  if (status & VMA_STATUS.memfd && memfd !== SHARED_ANONYMOUS)
    return [
      `it is mapped from a memfd (${memfd})`,
      memfd === 'java_heap'
        ? 'Start the JVM without ZGC (-XX:+UseZGC): other collectors use private memory'
        : 'Unmap it in beforeCheckpoint',
    ];
  if (status & VMA_STATUS.sysvIpc) return ['it is System V shared memory', 'Detach it before the checkpoint'];
  if (status & (VMA_STATUS.anonShared | VMA_STATUS.memfd))
    return ['it is shared memory without a file', 'Use private memory, or unmap it in beforeCheckpoint'];
  if (status & VMA_STATUS.aioRing) return ['it belongs to kernel AIO', 'Close asynchronous I/O before the checkpoint'];
  if (status & VMA_STATUS.shadowStack)
    return ['it is a shadow stack', 'Start the app with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off'];
  if (status & VMA_STATUS.socket) return ['it is mapped from a socket', 'Close packet sockets before the checkpoint'];
  if (status & VMA_STATUS.uprobes) return ['a uprobe is active', 'Stop tracing the app during the build'];
  if (status & VMA_STATUS.fileShared && isWritableShared(vma)) {
    const path = dump.files.get(vma.fileId)?.regular?.path ?? '';
    return path.includes('/hsperfdata_')
      ? ["it is the JVM's shared performance data", 'Start the JVM with -XX:+PerfDisableSharedMem']
      : ['it is a writable shared file mapping', 'Unmap it in beforeCheckpoint and map it again in afterRestore'];
  }
  if (flags & MAP.hugeTlb) return ['it uses huge pages of hugetlbfs', 'Start the JVM without -XX:+UseLargePages'];
  if (vma.start < RESTORER_END && vma.end > RESTORER_BASE)
    return ['it lies where the restorer lies', 'Take the checkpoint again; do not map memory at fixed addresses there'];
  const unknown = status & ~RESTORED;
  const hasKind = (status & (VMA_STATUS.filePrivate | VMA_STATUS.fileShared | VMA_STATUS.anonPrivate)) !== 0;
  if (unknown !== 0 || (!hasKind && (flags & MAP.type) !== MAP.droppable))
    return [`its kind is unknown (status 0x${(status >>> 0).toString(16)})`, REPORT_IT];
  if (flags & ~KNOWN_FLAGS) return [`its flags are unknown (0x${(flags >>> 0).toString(16)})`, REPORT_IT];
  if (vma.advice & ~KNOWN_ADVICE) return [`its advice is unknown (0x${vma.advice.toString(16)})`, REPORT_IT];
  return undefined;
}

function isWritableShared(vma: Vma): boolean {
  return (vma.prot & PROT_WRITE) !== 0 || (vma.fileFlags & OPEN_MODE) !== 0;
}
