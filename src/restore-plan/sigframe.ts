/**
 * The frame that rt_sigreturn reads (Linux, arch/x86/include/uapi/asm/sigcontext.h and ucontext.h): registers, signal
 * mask, alternate stack, pointer to the FP state. The stack pointer is at `ucontext` when the call is made.
 *
 *   ucontext: uc_flags u64 | uc_link u64 | ss_sp u64, ss_flags u32, pad, ss_size u64 | sigcontext 256 | uc_sigmask u64
 *   sigcontext: r8…r15 di si bp bx dx ax cx sp ip flags | cs gs fs ss u16 | err trapno oldmask cr2 | fpstate | 8 reserved
 *   FP state: 512 bytes of FXSAVE; with FP_XSTATE_MAGIC1 at 464: XSAVE header and components, FP_XSTATE_MAGIC2 after them
 */
import type { DumpedThread } from '../criu/read-dump.ts';
import type { Core, FpRegisters, Present, Registers } from '../criu/schema.ts';
import type { Blob } from './blob.ts';
import { COMPONENT, type XsaveLayout } from './xsave.ts';

/**
 * The register of a process without protection keys: as Linux starts it, with access to all memory but that of keys, and
 * as a frame leaves it that says nothing of it.
 */
const WITHOUT_KEYS: readonly number[] = [0x55555554, 0];
const UCONTEXT_BYTES = 304;
const SIGINFO_BYTES = 128;
const SIGCONTEXT = 40;
const FPSTATE_POINTER = SIGCONTEXT + 184;
const SIGMASK = SIGCONTEXT + 256;
const FXSAVE_BYTES = 512;
const XSAVE_HEADER_BYTES = 64;
const UC_FP_XSTATE = 1n;
const UC_SIGCONTEXT_SS = 2n;
const UC_STRICT_RESTORE_SS = 4n;
const FP_XSTATE_MAGIC1 = 0x46505853;
const FP_XSTATE_MAGIC2 = 0x46505845;
const SOFTWARE_BYTES = 464;
const NO_SYSTEM_CALL = 0xffffffffffffffffn;
const SS_ONSTACK = 1;

type Xsave = NonNullable<FpRegisters['xsave']>;

export function isInSystemCall(registers: Registers): boolean {
  return registers.origAx !== NO_SYSTEM_CALL;
}

/** The calling convention keeps nothing but x87 and SSE control over a system call: no need for this CPU's XSAVE layout. */
function hasExtendedState(registers: Registers, fp: FpRegisters): boolean {
  return !isInSystemCall(registers) && fp.xsave !== undefined;
}

/** XSAVE components that are in the frames of `threads`. */
export function componentsOfFrames(threads: readonly DumpedThread[]): ReadonlySet<number> {
  const components = threads.flatMap(({ core: { thread } }) => {
    const { registers, fp } = thread ?? {};
    if (registers === undefined || fp?.xsave === undefined || !hasExtendedState(registers, fp)) return [];
    return partsInUse(fp.xsave).map(([component]) => component);
  });
  return new Set(components);
}

/** Returns the blob offset of the ucontext. */
export function addSigframe(core: Core, layout: XsaveLayout, blob: Blob): number {
  const registers = required(core.thread?.registers, 'registers');
  const fp = required(core.thread?.fp, 'floating point registers');
  const isExtended = hasExtendedState(registers, fp);
  const fpState = blob.add(isExtended ? renderXsave(fp, layout) : renderFxsave(fp), 64);
  const frame = Buffer.alloc(UCONTEXT_BYTES + SIGINFO_BYTES);
  frame.writeBigUInt64LE((isExtended ? UC_FP_XSTATE : 0n) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS, 0);
  const altStack = core.threadCore?.altStack;
  frame.writeBigUInt64LE(altStack?.sp ?? 0n, 16);
  frame.writeUInt32LE((altStack?.flags ?? 2) & ~SS_ONSTACK, 24);
  frame.writeBigUInt64LE(altStack?.size ?? 0n, 32);
  writeRegisters(frame, registers);
  frame.writeBigUInt64LE(core.threadCore?.blockedSignals ?? core.task?.blockedSignals ?? 0n, SIGMASK);
  const at = blob.add(frame, 16);
  blob.pointer(at + FPSTATE_POINTER, fpState);
  return at;
}

function writeRegisters(frame: Buffer, r: Registers): void {
  const general = [r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.di, r.si, r.bp, r.bx, r.dx, r.ax, r.cx];
  for (const [index, value] of [...general, r.sp, r.ip, r.flags].entries())
    frame.writeBigUInt64LE(BigInt.asUintN(64, value), SIGCONTEXT + index * 8);
  for (const [index, value] of [r.cs, 0, 0, r.ss].entries()) frame.writeUInt16LE(value, SIGCONTEXT + 144 + index * 2);
}

export function renderFxsave(fp: FpRegisters): Buffer {
  const area = Buffer.alloc(FXSAVE_BYTES);
  for (const [index, value] of [fp.cwd, fp.swd, fp.twd, fp.fop].entries()) area.writeUInt16LE(value, index * 2);
  area.writeBigUInt64LE(fp.rip, 8);
  area.writeBigUInt64LE(fp.rdp, 16);
  area.writeUInt32LE(fp.mxcsr, 24);
  area.writeUInt32LE(fp.mxcsrMask, 28);
  writeWords(area, 32, fp.st.slice(0, 32));
  writeWords(area, 160, fp.xmm.slice(0, 64));
  return area;
}

/** Whether access to memory is limited, or allowed, by protection keys. */
export function hasKeys({ pkru: [keys], xstateBv }: Xsave): boolean {
  return keys !== undefined && !WITHOUT_KEYS.includes(keys) && ((xstateBv >> BigInt(COMPONENT.pkru)) & 1n) === 1n;
}

/** Without protection keys their register is left out: no need for a CPU that has it. */
function partsInUse(xsave: Xsave): readonly (readonly [component: number, bytes: Buffer])[] {
  const parts: (readonly [component: number, bytes: Buffer])[] = [
    [COMPONENT.ymm, words(xsave.ymmHigh)],
    [COMPONENT.bndregs, longWords(xsave.bndregs)],
    [COMPONENT.bndcsr, longWords(xsave.bndcsr)],
    [COMPONENT.opmask, longWords(xsave.opmask)],
    [COMPONENT.zmmHigh, longWords(xsave.zmmUpper)],
    [COMPONENT.hi16Zmm, longWords(xsave.hi16Zmm)],
    [COMPONENT.pkru, hasKeys(xsave) ? words(xsave.pkru) : Buffer.alloc(0)],
  ];
  return parts.filter(([component, bytes]) => bytes.length > 0 && (xsave.xstateBv >> BigInt(component)) & 1n);
}

function renderXsave(fp: FpRegisters, layout: XsaveLayout): Buffer {
  const xsave = required(fp.xsave, 'extended state');
  const inUse = partsInUse(xsave).map(([component, bytes]) => ({
    ...{ component, bytes, offset: placeOf(component, layout) },
  }));
  const size = Math.max(FXSAVE_BYTES + XSAVE_HEADER_BYTES, ...inUse.map(({ offset, bytes }) => offset + bytes.length));
  const area = Buffer.alloc(size + 4);
  renderFxsave(fp).copy(area);
  const features = inUse.reduce((bits, { component }) => bits | (1n << BigInt(component)), 3n);
  area.writeUInt32LE(FP_XSTATE_MAGIC1, SOFTWARE_BYTES);
  area.writeUInt32LE(size + 4, SOFTWARE_BYTES + 4);
  area.writeBigUInt64LE(features, SOFTWARE_BYTES + 8);
  area.writeUInt32LE(size, SOFTWARE_BYTES + 16);
  area.writeBigUInt64LE(xsave.xstateBv & features, FXSAVE_BYTES);
  for (const { offset, bytes } of inUse) bytes.copy(area, offset);
  area.writeUInt32LE(FP_XSTATE_MAGIC2, size);
  return area;
}

function placeOf(component: number, { offsets }: XsaveLayout): number {
  return required(offsets.get(component), `place of XSAVE component ${component}: cpuid leaf 0xd`);
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  writeWords(bytes, 0, values);
  return bytes;
}

function longWords(values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(value, index * 8);
  return bytes;
}

function writeWords(area: Buffer, at: number, values: readonly number[]): void {
  for (const [index, value] of values.entries()) area.writeUInt32LE(value >>> 0, at + index * 4);
}

function required<T>(value: T, what: string): Present<T> {
  if (value === undefined) throw new Error(`a thread's ${what} is missing`);
  return value as Present<T>;
}
