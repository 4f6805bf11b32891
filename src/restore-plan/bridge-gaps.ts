/**
 * The kernel gives a process 65530 mappings (vm.max_map_count). Memory whose pages are kept here and there needs one for
 * each stretch and one for each gap, so that a process which had few may come to too many. Then the smallest gaps are
 * kept, too.
 */
import type { Vma } from '../criu/schema.ts';
import type { Original, Stretch } from './kept-pages.ts';
import type { MemoryStrategy } from './memory-strategy.ts';

/** Half of what there is: the other one is the app's. */
export const MAX_MAPPINGS = 30_000;

export interface AreaMemory {
  readonly vma: Vma;
  readonly strategy: MemoryStrategy;
  /** By address. */
  readonly kept: readonly Stretch[];
  /** What a mapped file has where the process has not written. */
  readonly original?: Original | undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

export function bridgeGaps(
  areas: readonly AreaMemory[],
  guards: readonly Range[],
  maxMappings = MAX_MAPPINGS,
): readonly AreaMemory[] {
  const excess = areas.reduce((sum, area) => sum + countMappings(area), 0) - maxMappings;
  if (excess <= 0) return areas;
  const gaps = areas.flatMap((area) => findGaps(area).filter((gap) => canBeKept(gap, area, guards)));
  const smallest = gaps.toSorted((a, b) => a.end - a.start - (b.end - b.start)).slice(0, Math.ceil(excess / 2));
  const bridged = new Set(smallest.map(({ start }) => start));
  return areas.map((area) => fill(area, bridged));
}

/** At most: the kernel joins neighbours that are alike. */
export function countMappings({ vma, strategy, kept }: AreaMemory): number {
  if (strategy !== 'map') return 1;
  let count = 0;
  let at = vma.start;
  for (const { address, length, sameAs } of kept) {
    if (sameAs !== undefined) count += 2;
    else if (address > at || at === vma.start) count += address > at ? 2 : 1;
    at = address + length;
  }
  return at < vma.end ? count + 1 : count;
}

/** Between two stretches. */
function findGaps({ strategy, kept }: AreaMemory): Range[] {
  if (strategy !== 'map') return [];
  return kept.slice(1).flatMap(({ address }, index) => {
    const before = kept[index];
    const start = before === undefined ? address : before.address + before.length;
    return start < address ? [{ start, end: address }] : [];
  });
}

/** Guards need anonymous memory; of a file nothing can be kept that lies beyond its end. */
function canBeKept(gap: Range, { vma, original }: AreaMemory, guards: readonly Range[]): boolean {
  if (guards.some(({ start, end }) => start < gap.end && end > gap.start)) return false;
  return original === undefined || original.offset + gap.end - vma.start <= original.sizeBytes;
}

function fill(area: AreaMemory, bridged: ReadonlySet<number>): AreaMemory {
  const filling = findGaps(area).filter(({ start }) => bridged.has(start));
  if (filling.length === 0) return area;
  const { original, vma, kept } = area;
  const stretches = filling.map(({ start, end }): Stretch => {
    const place = { address: start, length: end - start };
    if (original === undefined) return place;
    return { ...place, source: { file: original.file, offset: original.offset + start - vma.start } };
  });
  return { ...area, kept: [...kept, ...stretches].sort((a, b) => a.address - b.address) };
}
