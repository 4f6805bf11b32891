/**
 * What holds for every dump that CRIU has finished. The compile step counts on it: sizes and addresses in a damaged image
 * would otherwise lead to reads and allocations of any size.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { damaged } from './image-file.ts';
import { type Dump, type DumpedThread, PAGE_BYTES } from './read-dump.ts';

const ADDRESS_SPACE_END = 2 ** 47;
const MAX_DESCRIPTOR = 2 ** 30;
/** CRIU's VMA_AREA_VSYSCALL: above all else, and never restored. VMA_AREA_GUARD: lies inside another area. */
const VSYSCALL = 1 << 2;
const GUARD = 1 << 16;
/** VMA_AREA_VDSO: some pages. */
const VDSO = 1 << 3;
const MAX_VDSO_BYTES = 1 << 20;

/** Throws CHECKPOINT_FAILED. */
export function checkDump(dump: Dump): void {
  checkAreas(dump);
  checkPages(dump);
  for (const thread of dump.threads) checkRegisters(thread);
  for (const { fd } of dump.descriptors)
    if (fd > MAX_DESCRIPTOR) throw damaged('fdinfo', `has descriptor ${fd}, which cannot be`);
}

function checkAreas({ mm }: Dump): void {
  const areas = mm.vmas.filter(({ status }) => (status & VSYSCALL) === 0);
  for (const { start, end } of areas)
    if (!isPlace(start, end)) throw damaged('mm', `has an area from ${hex(start)} to ${hex(end)}, which cannot be`);
  for (const { start, end, status } of areas)
    if (status & VDSO && end - start > MAX_VDSO_BYTES) throw damaged('mm', `has a vdso of ${end - start} bytes`);
  const own = areas.filter(({ status }) => (status & GUARD) === 0).toSorted((a, b) => a.start - b.start);
  for (const [index, { start }] of own.entries())
    if (start < (own[index - 1]?.end ?? 0)) throw damaged('mm', `has two areas at ${hex(start)}`);
}

function checkPages({ pagesFile, pageRuns }: Dump): void {
  const name = basename(pagesFile);
  const sizeBytes = statSync(pagesFile, { throwIfNoEntry: false })?.size;
  if (sizeBytes === undefined && pageRuns.length > 0) throw damaged(name, 'is missing');
  let before = 0;
  for (const { address, pageCount, offset } of pageRuns) {
    const end = address + pageCount * PAGE_BYTES;
    if (!isPlace(address, end)) throw damaged('pagemap', `has ${pageCount} pages at ${hex(address)}, which cannot be`);
    if (address < before) throw damaged('pagemap', `has the page at ${hex(address)} twice`);
    if (offset + pageCount * PAGE_BYTES > (sizeBytes ?? 0)) throw damaged(name, 'is truncated');
    before = end;
  }
}

/** Sizes as FXSAVE and the signal frame have them: Intel SDM vol. 1, 10.5.1. */
function checkRegisters({ tid, core: { thread } }: DumpedThread): void {
  const { registers, fp } = thread ?? {};
  const words = [registers?.cs, registers?.ss, fp?.cwd, fp?.swd, fp?.twd, fp?.fop];
  if (words.some((word = 0) => word > 0xffff) || (fp?.st.length ?? 0) > 32 || (fp?.xmm.length ?? 0) > 64)
    throw damaged(`core-${tid}`, 'has a register that is too large');
}

function isPlace(start: number, end: number): boolean {
  return start < end && end <= ADDRESS_SPACE_END && start % PAGE_BYTES === 0 && end % PAGE_BYTES === 0;
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
