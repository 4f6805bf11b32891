/** Puts what the first answer touched at the front of mem.bin, and lists it for reading ahead. */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MEM, type MemRecord, NO_FILE, PAGE_BYTES, type PlanRecord, renderPlan } from './format.ts';
import { planLater, planPopulate } from './populate.ts';
import type { RestoreImage } from './restore-image.ts';
import { mergeRuns, type RecordedTouches, type Run, type Touches } from './touches.ts';

/**
 * Untouched pages between touched ones that are moved along. Each cut costs the restorer another mapping and the app more
 * page faults, each page in the gap costs reading: fewer favour the cold page cache, more the warm one (`bench -- restore`).
 */
const MEM_GAP_BYTES = 32 * PAGE_BYTES;
/** Of files, where a cut costs nothing but another request. */
const FILE_GAP_BYTES = 16 * PAGE_BYTES;
const COPY_BYTES = 4 << 20;

/** `checkpointDir`: where mem.bin lies in the image. Writes new files into `outDir`; the old ones stay as they are. */
export async function arrangeMemory(
  image: RestoreImage,
  { first: touches, later }: RecordedTouches,
  checkpointDir: string,
  outDir: string,
): Promise<RestoreImage> {
  const { header, sections, blob, filePaths, heap } = image.contents;
  const touched = touches.files.get(`${checkpointDir}/mem.bin`) ?? [];
  const hot = mergeRuns(touched, gapFor(image.mappingCount, touched));
  const pieces = sections.mem.flatMap((record) => cutRecord(record, hot));
  const stored = pieces.filter(({ record }) => isStored(record));
  const { moved, repeated } = findRepeated(stored);
  const order = [...moved.filter(({ isHot }) => isHot), ...moved.filter(({ isHot }) => !isHot)];
  const moves: { from: number; length: number }[] = [];
  const offsets = new Map<MemRecord, number>();
  let end = 0;
  for (const { record } of order) {
    offsets.set(record, end);
    moves.push({ from: offsetOf(record), length: record.length });
    end += record.length;
  }
  if (end !== image.memBytes) throw new Error(`mem.bin would have ${end} bytes instead of ${image.memBytes}`);
  for (const [record, holder] of repeated)
    offsets.set(record, (offsets.get(holder) ?? 0) + offsetOf(record) - offsetOf(holder));
  const hotBytes = moved.reduce((sum, { record, isHot }) => sum + (isHot ? record.length : 0), 0);

  const placed = pieces.map(({ record }) => ({ ...record, offset: offsets.get(record) ?? record.offset ?? 0 }));
  const populated = planPopulate(placed, touches.written, heap);
  const soon = later === undefined ? [] : planLater(placed, touches.written, later.written, heap);
  const mem = [...placed, ...populated, ...soon];
  const prefetch = planPrefetch(hotBytes, filePaths, touches);
  const contents = { ...image.contents, sections: { ...sections, mem, prefetch } };
  const plan = renderPlan(header, contents.sections, blob);
  const planFile = join(outDir, 'plan.bin');
  const memFile = join(outDir, 'mem.bin');
  await writeFile(planFile, plan);
  await copyStretches(image.memFile, memFile, moves);
  return {
    ...image,
    planFile,
    memFile,
    planBytes: plan.length,
    readAheadBytes: prefetch.reduce((sum, { length }) => sum + Number(length), 0),
    populatedBytes: populated.reduce((sum, { length }) => sum + length, 0),
    mappingCount: image.mappingCount + placed.length - sections.mem.length,
    contents,
  };
}

/** The kernel allows a process 65530 mappings, and the JVM needs some more. */
const MAX_MAPPINGS = 40_000;

function gapFor(mappingCount: number, touched: readonly Run[]): number {
  let gap = MEM_GAP_BYTES;
  while (mappingCount + 2 * mergeRuns(touched, gap).length > MAX_MAPPINGS && gap < 1 << 30) gap *= 2;
  return gap;
}

interface Piece {
  readonly record: MemRecord;
  readonly isHot: boolean;
}

function isStored({ kind }: MemRecord): boolean {
  return kind === MEM.PAGES || kind === MEM.READ;
}

function offsetOf({ offset = 0 }: MemRecord): number {
  return Number(offset);
}

/** Equal pages are stored once: where they are mapped again, mem.bin has them from a piece before. */
function findRepeated(stored: readonly Piece[]) {
  const moved: Piece[] = [];
  const repeated = new Map<MemRecord, MemRecord>();
  let end = 0;
  for (const piece of stored) {
    const { record } = piece;
    const [from, to] = [offsetOf(record), offsetOf(record) + record.length];
    const holder =
      from < end
        ? moved.find((other) => offsetOf(other.record) <= from && to <= offsetOf(other.record) + other.record.length)
        : undefined;
    if (holder === undefined) moved.push(piece);
    else repeated.set(record, holder.record);
    end = Math.max(end, to);
  }
  return { moved, repeated };
}

/** A mapping of mem.bin → its touched and untouched parts. What is read is read at once, and all of it needed. */
function cutRecord(record: MemRecord, hot: readonly Run[]): Piece[] {
  if (record.kind !== MEM.PAGES) return [{ record, isHot: true }];
  const start = Number(record.offset ?? 0);
  const end = start + record.length;
  const pieces: Piece[] = [];
  const add = (from: number, to: number, isHot: boolean) => {
    if (from >= to) return;
    const part = { ...record, address: record.address + from - start, length: to - from, offset: from };
    pieces.push({ record: part, isHot });
  };
  let at = start;
  for (const run of hot) {
    const from = Math.max(at, run.offset);
    const to = Math.min(end, run.offset + run.length);
    if (from >= to) continue;
    add(at, from, false);
    add(from, to, true);
    at = to;
  }
  add(at, end, false);
  return pieces;
}

function planPrefetch(hotBytes: number, filePaths: readonly string[], touches: Touches): PlanRecord<'prefetch'>[] {
  if (hotBytes === 0) return [];
  const files = [...new Set(filePaths)].flatMap((path) =>
    mergeRuns(touches.files.get(path) ?? [], FILE_GAP_BYTES).map((run) => ({ ...run, file: filePaths.indexOf(path) })),
  );
  return [{ offset: 0, length: hotBytes, file: NO_FILE }, ...files];
}

async function copyStretches(
  fromPath: string,
  toPath: string,
  moves: readonly { readonly from: number; readonly length: number }[],
): Promise<void> {
  await using from = await open(fromPath, 'r');
  await using to = await open(toPath, 'w');
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  for (const move of moves)
    for (let done = 0; done < move.length; ) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(COPY_BYTES, move.length - done), move.from + done);
      if (bytesRead === 0) throw new Error(`${fromPath} is shorter than its plan says`);
      await to.appendFile(buffer.subarray(0, bytesRead));
      done += bytesRead;
    }
}
