import type { Range } from '../hotspot/address-space.ts';
import type { Blob } from './blob.ts';
import type { CarriedFile } from './carried-files.ts';
import type { RequiredCpu } from './cpu-features.ts';
import type { MemRecord, PlanRecord, PlanSections } from './format.ts';
import type { DroppedPages } from './kept-pages.ts';
import type { SizesByCause } from './measure-causes.ts';

/** The compiled checkpoint: what goes under /opt/crac/checkpoint. */
export interface RestoreImage {
  /** Local paths. */
  readonly planFile: string;
  readonly memFile: string;
  readonly planBytes: number;
  readonly memBytes: number;
  /** Of mem.bin and of mapped files: what is read ahead where it is not in the page cache. */
  readonly readAheadBytes: number;
  /** What is copied or cleared before the app goes on, because its first answer writes to it. */
  readonly populatedBytes: number;
  readonly threadCount: number;
  readonly mappingCount: number;
  readonly requiredCpu: RequiredCpu;
  /** Pages left out, by cause. */
  readonly droppedPages: DroppedPages;
  /** Why no part of the Java heap is left out as free; undefined: it could be told what is. */
  readonly unknownHeap?: string | undefined;
  /** The same of the code cache, of HotSpot's arenas, of metaspace and of malloc. */
  readonly unknownCode?: string | undefined;
  readonly unknownArenas?: string | undefined;
  readonly unknownMetaspace?: string | undefined;
  readonly unknownMalloc?: string | undefined;
  /** What mem.bin is there for. */
  readonly byCause: SizesByCause;
  /** For whose sake memory outside of the Java heap is read and not mapped. */
  readonly allocators: readonly string[];
  /** Files that the image has at a place of ours, because theirs may not be seen in production. */
  readonly carriedFiles: readonly CarriedFile[];
  /** What plan.bin was made of. */
  readonly contents: PlanContents;
}

export interface PlanContents {
  readonly header: PlanRecord<'header'>;
  readonly sections: Omit<PlanSections, 'mem'> & { readonly mem: readonly MemRecord[] };
  readonly blob: Blob;
  /** Where the Java heap is reserved; undefined: not known. */
  readonly heap: Range | undefined;
  /** In the order of the FILES section. */
  readonly filePaths: readonly string[];
}
