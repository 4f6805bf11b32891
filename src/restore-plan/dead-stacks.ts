import type { DumpedThread } from '../criu/read-dump.ts';
import type { Vma } from '../criu/schema.ts';
import { MAP } from './areas.ts';
import { PAGE_BYTES } from './format.ts';

export interface Stack {
  readonly sp: number;
  readonly tls: number;
  /** Of signals, which may be part of the thread's own: what was interrupted then lies below. */
  readonly isAlternate: boolean;
}

export function stackOf({ thread, threadCore }: DumpedThread['core']): Stack {
  const sp = Number(thread?.registers?.sp ?? 0n);
  const alternate = { start: Number(threadCore?.altStack?.sp ?? 0n), size: Number(threadCore?.altStack?.size ?? 0n) };
  return {
    sp,
    tls: Number(thread?.registers?.fsBase ?? 0n),
    isAlternate: sp >= alternate.start && sp < alternate.start + alternate.size,
  };
}

const PROT_NONE = 0;
/** The System V ABI lets a function use this much below its stack pointer. */
const RED_ZONE_BYTES = 128;

/** What lies below a thread's stack pointer is never read again: where the stack is an area of its own it is left out. */
export function findDeadStacks(mapped: readonly Vma[], stacks: readonly Stack[]): ReadonlyMap<Vma, number> {
  const dead = new Map<Vma, number>();
  for (const [index, vma] of mapped.entries()) {
    const inside = stacks.filter(({ sp }) => sp >= vma.start && sp < vma.end);
    const [stack] = inside;
    if (stack === undefined || stack.isAlternate || inside.length > 1) continue;
    const before = mapped[index - 1];
    const hasGuard = before !== undefined && before.end === vma.start && before.prot === PROT_NONE;
    const holdsTls = stack.tls >= stack.sp && stack.tls < vma.end;
    if ((vma.flags & MAP.growsDown) !== 0 || (hasGuard && holdsTls))
      dead.set(vma, Math.floor((stack.sp - RED_ZONE_BYTES) / PAGE_BYTES) * PAGE_BYTES);
  }
  return dead;
}
