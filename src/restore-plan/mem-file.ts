/** mem.bin: the kept pages one after the other. */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import type { Stretch } from './kept-pages.ts';
import type { PageScanner } from './page-scanner.ts';
import { type ProcessMemory, truncated } from './process-memory.ts';

export interface PlacedStretch extends Stretch {
  /** Into mem.bin. */
  readonly memOffset: number;
}

export function placeStretches(stretches: readonly Stretch[]): readonly PlacedStretch[] {
  let memOffset = 0;
  const placed: PlacedStretch[] = [];
  for (const stretch of stretches) {
    const { sameAs } = stretch;
    const same =
      sameAs === undefined
        ? undefined
        : placed.findLast(({ address, length }) => address <= sameAs && sameAs < address + length);
    if (same !== undefined && sameAs !== undefined) {
      placed.push({ ...stretch, memOffset: same.memOffset + sameAs - same.address });
      continue;
    }
    placed.push({ ...stretch, memOffset });
    memOffset += stretch.length;
  }
  return placed;
}

/** Bytes of mem.bin. */
export function sizeOfMemFile(stretches: readonly PlacedStretch[]): number {
  return stretches.reduce((end, { memOffset, length }) => Math.max(end, memOffset + length), 0);
}

export function writeMemFile(
  path: string,
  stretches: readonly PlacedStretch[],
  memory: ProcessMemory,
  scanner: PageScanner,
): void {
  const out = openSync(path, 'w');
  try {
    for (const { source, memOffset, length } of joinSources(stretches)) {
      if (source === undefined) continue; // it is there already, or a hole, which reads as zeros
      const copied = scanner.copyRange(memory.open(source.file), source.offset, out, memOffset, length);
      if (copied < length) throw truncated(source.file);
    }
    ftruncateSync(out, sizeOfMemFile(stretches));
  } finally {
    closeSync(out);
  }
}

/** What follows each other in the source, too, is copied at once: dumps have areas without gaps between them. */
function joinSources(stretches: readonly PlacedStretch[]): readonly Omit<PlacedStretch, 'address'>[] {
  const joined: Omit<PlacedStretch, 'address'>[] = [];
  for (const stretch of stretches) {
    const last = joined.at(-1);
    if (
      last?.source !== undefined &&
      last.source.file === stretch.source?.file &&
      last.source.offset + last.length === stretch.source.offset
    )
      joined[joined.length - 1] = { ...last, length: last.length + stretch.length };
    else joined.push(stretch);
  }
  return joined;
}
