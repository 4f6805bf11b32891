/** Everything is decided here; the restorer only executes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../criu/checkpoint.ts';
import type { Dump } from '../criu/read-dump.ts';
import type { StepName } from '../steps.ts';
import { findAllocators } from './allocators.ts';
import { type Areas, sortAreas } from './areas.ts';
import { Blob } from './blob.ts';
import { CARRIED_MTIME_SECONDS, type CarriedFile } from './carried-files.ts';
import { findPlanFault } from './check-plan.ts';
import { decideRequiredCpu, planCpu } from './cpu-features.ts';
import { stackOf } from './dead-stacks.ts';
import { planDescriptors } from './descriptors.ts';
import { PLAN_BASE, type PlanRecord, RESTORER_END, renderPlan } from './format.ts';
import { type FormerVdso, seeThroughFormerRestore } from './former-restore.ts';
import { findFreeMemory } from './free-memory.ts';
import { findLockOwners, refuseLockWaits } from './lock-owners.ts';
import { fileRecord, inspectMappedFiles, inspectOpenFiles, type MappedFile, pathsOfCode } from './mapped-files.ts';
import { measureCauses } from './measure-causes.ts';
import { attribute, findCauses } from './memory-causes.ts';
import { writeMemory } from './memory-layout.ts';
import type { MemoryPolicy } from './memory-strategy.ts';
import { javascriptScanner, type PageScanner } from './page-scanner.ts';
import { ProcessMemory } from './process-memory.ts';
import { planProcess, planSignalActions, refuseProcessState } from './process-state.ts';
import { decodePlan } from './read-plan.ts';
import { REPORT_IT, type Refusal, type Refuse, throwRefusals } from './refusals.ts';
import type { RestoreImage } from './restore-image.ts';
import { componentsOfFrames } from './sigframe.ts';
import { planThreads } from './threads.ts';
import { findTidFixes } from './tid-fixes.ts';
import { findDeadlines } from './times.ts';
import { refuseUnknownFields } from './unknown-fields.ts';
import { parseVdsoSymbols } from './vdso-symbols.ts';
import { readXsaveLayout } from './xsave.ts';

/** What a thread needs besides its stack: kernel structures, page tables. */
const THREAD_BYTES = 64 << 10;
/** What is written between release and the first answer, however the memory is mapped. */
const EARLY_BYTES = 24 << 20;

/** Writes plan.bin and mem.bin into `outDir`; rejects with STATE_REFUSED and every refusal there is. */
export async function compileDump(
  dumped: Dump,
  checkpoint: Pick<Checkpoint, 'rootFile' | 'cpu' | 'ready'>,
  mode: 'map' | 'read',
  outDir: string,
  scanner: PageScanner = javascriptScanner,
  skip: ReadonlySet<StepName> = new Set(),
  carry: (files: readonly MappedFile[], code: readonly string[]) => ReadonlyMap<MappedFile, CarriedFile> = () =>
    new Map(),
): Promise<RestoreImage> {
  const refusals: Refusal[] = [];
  const refuse: Refuse = (object, reason, remedy) => refusals.push({ object, reason, remedy });
  const blob = new Blob();
  const { dump, formerVdso } = await seeThroughFormerRestore(dumped, checkpoint.rootFile, refuse);
  throwRefusals(refusals); // of memory that is not known nothing more can be said
  refuseProcessState(dump, refuse);
  refuseUnknownFields(dump, refuse);
  const areas = sortAreas(dump, refuse);
  const files = await inspectMappedFiles(dump, checkpoint.rootFile, refuse);
  const openFiles = await inspectOpenFiles(dump, checkpoint, files);
  const descriptors = await planDescriptors(dump, checkpoint.rootFile, checkpoint.ready.resources, blob, refuse);
  using memory = new ProcessMemory(dump.pagesFile, dump.pageRuns);
  const vdso = planVdso(formerVdso ?? readVdso(areas, memory), blob, refuse);
  const mailbox = Number(checkpoint.ready.mailbox.address);
  const threads = planThreads(dump, areas, readXsaveLayout(checkpoint.cpu), blob, mailbox, refuse);
  refuseLockWaits(dump.threads, memory, refuse);
  throwRefusals(refusals);

  const memFile = join(outDir, 'mem.bin');
  const stacks = dump.threads.map(({ core }) => stackOf(core));
  const { ready } = checkpoint;
  const policy = { mode, allocators: await findAllocators(files), heap: heapRange(ready) };
  const free = findFreeMemory(dump, areas, memory, files, policy.heap, skip);
  const layout = writeMemory(areas, memory, files, stacks, policy, free.ranges, scanner, memFile, skip);
  const causes = findCauses(areas, memory, files, stacks, ready, free.generations);
  const code = pathsOfCode(dump, files);
  const requiredCpu = decideRequiredCpu(checkpoint.cpu, ready.cpu, code);
  const header: PlanRecord<'header'> = {
    ...planProcess(dump, blob),
    ...vdso.header,
    mem_size: layout.memBytes,
    nano_offset: BigInt(ready.nanoOffset),
    mailbox: BigInt(ready.mailbox.address),
    mailbox_size: ready.mailbox.sizeBytes,
    mailbox_nonce: BigInt(ready.mailbox.nonce),
    scratch_fd: descriptors.scratchFd,
    needed_bytes: layout.readBytes + EARLY_BYTES + threads.length * THREAD_BYTES,
    max_heap_bytes: ready.maxHeapBytes ?? 0,
  };
  // Memory refers to the mapped ones by their place.
  const allFiles = [...files, ...openFiles];
  const carried = carry(files, code);
  const placeOf = (file: MappedFile) => {
    const place = carried.get(file);
    return place === undefined ? file : { path: place.imagePath, mtimeSeconds: CARRIED_MTIME_SECONDS };
  };
  const sections = {
    mem: layout.records,
    file: allFiles.map((file) => fileRecord(file, placeOf(file), blob)),
    thread: threads,
    sigact: planSignalActions(dump),
    fd: descriptors.fds,
    epoll: descriptors.epolls,
    time: findDeadlines(dump.threads),
    tidfix: [
      ...findTidFixes(dump.threads, memory, scanner),
      ...findLockOwners(
        dump.threads.map(({ tid }) => tid),
        areas,
        memory,
        policy.heap,
      ),
    ],
    vdso_symbol: vdso.symbols,
    cpu: planCpu(requiredCpu, checkpoint.cpu, componentsOfFrames(dump.threads), blob),
    prefetch: [],
    socket: descriptors.sockets,
    sockopt: descriptors.socketOptions,
  };
  const plan = renderPlan(header, sections, blob);
  if (PLAN_BASE + plan.length > RESTORER_END) {
    refuse('threads', `${threads.length} are too many for one plan`, 'Use fewer threads');
    throwRefusals(refusals);
  }
  const fault = findPlanFault(decodePlan(plan));
  if (fault !== undefined) {
    refuse('restore plan', `the restorer would refuse it: plan.bin ${fault}`, REPORT_IT);
    throwRefusals(refusals);
  }
  const planFile = join(outDir, 'plan.bin');
  writeFileSync(planFile, plan);
  return {
    planFile,
    memFile,
    planBytes: plan.length,
    memBytes: layout.memBytes,
    readAheadBytes: 0,
    populatedBytes: 0,
    threadCount: threads.length,
    mappingCount: layout.mappingCount,
    requiredCpu,
    droppedPages: layout.droppedPages,
    unknownHeap: free.unknown['free-heap'],
    unknownCode: free.unknown['free-code'],
    unknownArenas: free.unknown['free-arena'],
    unknownMetaspace: free.unknown['free-metaspace'],
    unknownMalloc: free.unknown['free-malloc'],
    byCause: await measureCauses(memFile, attribute(layout.stretches, causes)),
    allocators: policy.allocators,
    contents: { header, sections, blob, heap: policy.heap, filePaths: allFiles.map((file) => placeOf(file).path) },
    carriedFiles: [...carried.values()],
  };
}

function heapRange({ heap }: Checkpoint['ready']): MemoryPolicy['heap'] {
  if (heap === undefined || heap === null) return undefined;
  const start = Number(heap.address);
  return { start, end: start + heap.sizeBytes };
}

function readVdso(
  { vdso, vvar }: Areas,
  memory: ProcessMemory,
): Partial<FormerVdso> & Pick<FormerVdso, 'vdso' | 'vvar'> {
  const bytes = memory.read(vdso.start, vdso.size);
  return bytes === undefined ? { vdso, vvar } : { vdso, vvar, bytes };
}

function planVdso(
  { vdso, vvar, bytes }: ReturnType<typeof readVdso>,
  blob: Blob,
  refuse: Refuse,
): { header: PlanRecord<'header'>; symbols: PlanRecord<'vdso_symbol'>[] } {
  if (vdso.size === 0) return { header: {}, symbols: [] };
  const symbols = bytes === undefined ? [] : parseVdsoSymbols(bytes);
  if (bytes === undefined || symbols.length === 0) {
    refuse('vdso', 'its functions are not in the dump', REPORT_IT);
    return { header: {}, symbols: [] };
  }
  return {
    header: {
      vvar_start: vvar.start,
      vvar_size: vvar.size,
      vdso_start: vdso.start,
      vdso_size: vdso.size,
      vdso_blob: blob.add(bytes, 64),
    },
    symbols: symbols.map(({ name, offset }) => ({ offset, name_blob: blob.text(name) })),
  };
}
