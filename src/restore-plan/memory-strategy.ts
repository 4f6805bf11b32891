/** How the pages of an area come back. */
import type { Vma } from '../criu/schema.ts';
import { ADVICE, hasAdvice } from './advice.ts';
import { isFileArea, MAP } from './areas.ts';

/**
 * `map`: mapped from mem.bin, so that only what is touched is read, and shared by all containers of the image as long as
 * nobody writes to it. `read`: read into anonymous memory before the app goes on; `read-huge`: which is made of huge pages.
 */
export type MemoryStrategy = 'map' | 'read' | 'read-huge';

export interface MemoryPolicy {
  /** `checkpoint.memory` */
  readonly mode: 'map' | 'read';
  /** Who counts on memory being anonymous: see allocators.ts. */
  readonly allocators: readonly string[];
  /** The Java heap, whose owner does not. */
  readonly heap: { readonly start: number; readonly end: number } | undefined;
}

const HUGE_PAGE_AREA_BYTES = 2 << 20;
const PROT_EXEC = 4;

export function chooseStrategy(vma: Vma, { mode, allocators, heap }: MemoryPolicy): MemoryStrategy {
  if (isFileArea(vma)) return 'map';
  if (mode === 'read') return isForHugePages(vma) ? 'read-huge' : 'read';
  if (mustBeAnonymous(vma)) return 'read';
  const isOfHeap = heap !== undefined && vma.start >= heap.start && vma.end <= heap.end;
  return allocators.length === 0 || isOfHeap || isCode(vma) ? 'map' : 'read';
}

/** Nobody allocates memory for data where code is made. */
function isCode(vma: Vma): boolean {
  return (vma.prot & PROT_EXEC) !== 0;
}

function isForHugePages(vma: Vma): boolean {
  return vma.end - vma.start > HUGE_PAGE_AREA_BYTES && !hasAdvice(vma, ADVICE.noHugePage);
}

/** The kernel grows a stack, and wipes memory in children, only where no file is mapped. */
function mustBeAnonymous(vma: Vma): boolean {
  return (vma.flags & MAP.growsDown) !== 0 || hasAdvice(vma, ADVICE.wipeOnFork);
}
