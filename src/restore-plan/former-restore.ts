/**
 * A process that was itself restored and is now checkpointed again. Restorer and plan still lie in their range, and most
 * of its private memory is mapped from the mem.bin of then, of which CRIU dumps only the pages that were written since.
 * Here the dump becomes that of a process which has all of this as memory of its own.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Checkpoint, RootFile } from '../criu/checkpoint.ts';
import type { Dump, PageRun } from '../criu/read-dump.ts';
import type { Vma } from '../criu/schema.ts';
import { isCracBuildError } from '../errors.ts';
import { isFileArea, MAP, VMA_STATUS } from './areas.ts';
import { PAGE_BYTES, PLAN_BASE, RESTORER_BASE, RESTORER_END, structBytes } from './format.ts';
import type { RestorePlan } from './plan-values.ts';
import { ProcessMemory } from './process-memory.ts';
import { parsePlan, parsePlanHeader } from './read-plan.ts';
import type { Refuse } from './refusals.ts';

/** The vdso for which the process was made, where the functions of it that it calls now only lead to the kernel's own. */
export interface FormerVdso {
  readonly vvar: { readonly start: number; readonly size: number };
  readonly vdso: { readonly start: number; readonly size: number };
  /** As they were before they were patched. */
  readonly bytes: Buffer;
}

export interface SeenThrough {
  readonly dump: Dump;
  readonly formerVdso?: FormerVdso;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

const REMEDY = 'Do not replace /opt/crac/checkpoint while the app runs';

export async function seeThroughFormerRestore(
  dump: Dump,
  rootFile: Checkpoint['rootFile'],
  refuse: Refuse,
): Promise<SeenThrough> {
  const planArea = dump.mm.vmas.find((vma) => vma.start === PLAN_BASE && isFileArea(vma));
  const planPath = pathOf(planArea, dump);
  if (planPath === undefined) return { dump };
  const memPath = join(dirname(planPath), 'mem.bin');
  const plan = readFormerPlan(dump, planPath, await rootFile(planPath), refuse);
  if (plan === undefined) return { dump };
  const mem = await rootFile(memPath);
  if (mem === undefined || mem.sizeBytes !== Number(plan.header.mem_size)) {
    refuse(`mapped file ${memPath}`, 'it is not the one from which the app was restored', REMEDY);
    return { dump };
  }
  const formerVdso = findFormerVdso(dump, plan);
  const own = [{ start: RESTORER_BASE, end: RESTORER_END }];
  if (formerVdso !== undefined) own.push(rangeOf(formerVdso.vdso));
  refuseThreadsInside(own, dump, refuse);

  const isMem = (vma: Vma): boolean => pathOf(vma, dump) === memPath;
  const vmas = own
    .reduce<readonly Vma[]>((left, range) => left.flatMap((vma) => cutOut(vma, range)), dump.mm.vmas)
    .toSorted((a, b) => a.start - b.start);
  const cleanRuns = findUndumped(vmas.filter(isMem), dump.pageRuns, mem.localPath);
  return {
    dump: {
      ...dump,
      mm: { ...dump.mm, vmas: uniteAreas(vmas.map((vma) => (isMem(vma) ? asOwnMemory(vma) : vma))) },
      pageRuns: [...dump.pageRuns.filter(isOfApp), ...cleanRuns].toSorted((a, b) => a.address - b.address),
    },
    ...(formerVdso === undefined ? {} : { formerVdso: withFreeVvar(formerVdso, vmas) }),
  };
}

function pathOf(vma: Vma | undefined, dump: Dump): string | undefined {
  return vma !== undefined && isFileArea(vma) ? dump.files.get(vma.fileId)?.regular?.path : undefined;
}

/** The former plan has the threads' ids next to their TLS bases, as HotSpot has them. */
function isOfApp({ address }: PageRun): boolean {
  return address < RESTORER_BASE || address >= RESTORER_END;
}

/** The restorer has cleared the checksum in its copy, so the header's page is in the dump: it tells whose plan it was. */
function readFormerPlan(
  dump: Dump,
  path: string,
  found: RootFile | undefined,
  refuse: Refuse,
): RestorePlan | undefined {
  const plan = found && unlessInvalid(() => parsePlan(readFileSync(found.localPath)));
  using memory = new ProcessMemory(dump.pagesFile, dump.pageRuns);
  const bytes = memory.read(PLAN_BASE, structBytes('header'));
  const inProcess = bytes && unlessInvalid(() => parsePlanHeader(bytes));
  const identity = (header: RestorePlan['header']) => `${header.mailbox_nonce} ${header.monotonic_ns}`;
  if (plan !== undefined && inProcess !== undefined && identity(plan.header) === identity(inProcess)) return plan;
  refuse(`mapped file ${path}`, 'it is not the one from which the app was restored', REMEDY);
  return undefined;
}

function unlessInvalid<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (isCracBuildError(error, 'IMAGE_INVALID')) return undefined;
    throw error;
  }
}

/** Undefined when the kernel's vdso has taken the old one's place. */
function findFormerVdso(dump: Dump, { blob, header }: RestorePlan): FormerVdso | undefined {
  const live = dump.mm.vmas.find(({ status }) => status & VMA_STATUS.vdso);
  const vdso = { start: Number(header.vdso_start), size: Number(header.vdso_size) };
  if (vdso.size === 0 || live?.start === vdso.start) return undefined;
  return {
    vdso,
    vvar: { start: Number(header.vvar_start), size: Number(header.vvar_size) },
    bytes: blob.subarray(header.vdso_blob, header.vdso_blob + vdso.size),
  };
}

/** Nothing was below the patched vdso: where the process has put something there, no kernel's vdso can go there again. */
function withFreeVvar(former: FormerVdso, vmas: readonly Vma[]): FormerVdso {
  const wanted = rangeOf(former.vvar);
  const isTaken = vmas.some(({ start, end }) => start < wanted.end && end > wanted.start);
  return isTaken ? { ...former, vvar: { start: 0, size: 0 } } : former;
}

function rangeOf({ start, size }: { readonly start: number; readonly size: number }): Range {
  return { start, end: start + size };
}

function refuseThreadsInside(ranges: readonly Range[], dump: Dump, refuse: Refuse): void {
  for (const { tid, core } of dump.threads) {
    const at = core.thread?.registers?.ip ?? 0n;
    if (ranges.some(({ start, end }) => at >= BigInt(start) && at < BigInt(end)))
      refuse(`thread ${tid}`, "it was reading the clock in the kernel's vdso", 'Take the checkpoint again');
  }
}

/** The kernel's own areas stay, wherever they are: they are not restored as memory. */
function cutOut(vma: Vma, { start, end }: Range): Vma[] {
  if (vma.end <= start || vma.start >= end || vma.status & (VMA_STATUS.vdso | VMA_STATUS.vvar)) return [vma];
  const below = { ...vma, end: start };
  const above = { ...vma, start: end, offset: isFileArea(vma) ? vma.offset + end - vma.start : vma.offset };
  return [below, above].filter((part) => part.start < part.end);
}

/** What the process sees of mem.bin without having written to it. Areas and runs are by address. */
function findUndumped(areas: readonly Vma[], dumped: readonly PageRun[], file: string): PageRun[] {
  const runs: PageRun[] = [];
  let first = 0; // of the runs that end after the area's start
  for (const { start, end, offset } of areas) {
    let at = start;
    const add = (until: number): void => {
      if (until > at)
        runs.push({ address: at, pageCount: (until - at) / PAGE_BYTES, offset: offset + at - start, file });
    };
    while (endOf(dumped[first]) <= start) first++;
    for (let next = first; (dumped[next]?.address ?? Number.POSITIVE_INFINITY) < end; next++) {
      add(dumped[next]?.address ?? end);
      at = endOf(dumped[next]);
    }
    add(end);
  }
  return runs;
}

function endOf(run: PageRun | undefined): number {
  return run === undefined ? Number.POSITIVE_INFINITY : run.address + run.pageCount * PAGE_BYTES;
}

function asOwnMemory(vma: Vma): Vma {
  return {
    ...vma,
    offset: 0,
    fileId: 0,
    flags: vma.flags | MAP.anonymous,
    status: (vma.status & ~VMA_STATUS.filePrivate) | VMA_STATUS.anonPrivate,
  };
}

/** Puts together what the restore has divided; otherwise there would be more areas after each. */
function uniteAreas(vmas: readonly Vma[]): Vma[] {
  const united: Vma[] = [];
  for (const vma of vmas) {
    const last = united.at(-1);
    if (last !== undefined && belongTogether(last, vma)) united[united.length - 1] = { ...last, end: vma.end };
    else united.push(vma);
  }
  return united;
}

function belongTogether(a: Vma, b: Vma): boolean {
  return (
    a.end === b.start &&
    a.prot === b.prot &&
    a.flags === b.flags &&
    a.advice === b.advice &&
    (a.flags & MAP.type) === MAP.private &&
    (a.flags & MAP.growsDown) === 0 &&
    [a, b].every(({ status }) => (status & ~UNITABLE) === 0 && (status & VMA_STATUS.anonPrivate) !== 0)
  );
}

const UNITABLE = VMA_STATUS.regular | VMA_STATUS.heap | VMA_STATUS.anonPrivate;
