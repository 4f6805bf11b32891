import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkDump } from './check-dump.ts';
import { DESCRIPTOR_FACTS, type DescriptorFacts, parseDescriptorFacts } from './descriptor-facts.ts';
import { readHeadAndRest, readImage, readOne } from './image-file.ts';
import {
  CORE,
  type Core,
  FDINFO,
  type FdInfo,
  FILE,
  type FileEntry,
  FS,
  MEMFD,
  MM,
  type Mm,
  PAGEMAP,
  PAGEMAP_HEAD,
  PIPE_DATA,
  PSTREE,
  REMAP,
  SOCKET_PACKET,
  TIMENS,
} from './schema.ts';

export interface DumpedThread {
  readonly tid: number;
  readonly core: Core;
}
/** A run of pages in the pages file. */
export interface PageRun {
  readonly address: number;
  readonly pageCount: number;
  /** Bytes into the file. */
  readonly offset: number;
  /** Where they are; absent: in the dump's pages file. */
  readonly file?: string;
}
export interface PipeContent {
  readonly pipeId: number;
  readonly capacityBytes: number;
  readonly bytes: Buffer;
}
export interface QueuedPacket {
  readonly bytes: Buffer;
  /** A descriptor was sent with it. */
  readonly hasDescriptors: boolean;
}
/** A dump of one process, decoded. */
export interface Dump {
  /** Refused. */
  readonly children: readonly { readonly pid: number; readonly name: string; readonly hasEnded: boolean }[];
  /** The main thread first. */
  readonly threads: readonly DumpedThread[];
  readonly mm: Mm;
  readonly pagesFile: string;
  /** By address; runs whose content CRIU did not write are left out. */
  readonly pageRuns: readonly PageRun[];
  readonly hasParentPages: boolean;
  readonly files: ReadonlyMap<number, FileEntry>;
  /** By descriptor. */
  readonly descriptors: readonly FdInfo[];
  readonly fs: { readonly cwdId: number; readonly rootId: number; readonly umask: number };
  readonly monotonicNs: bigint;
  readonly boottimeNs: bigint;
  readonly pipeContents: readonly PipeContent[];
  /** What waits to be read at unix sockets, by file id, in order. */
  readonly socketQueues: ReadonlyMap<number, readonly QueuedPacket[]>;
  /** Of memfd files, by file id; shared memory without a file is one, too. */
  readonly memfdNames: ReadonlyMap<number, string>;
  readonly descriptorFacts: DescriptorFacts;
  /** Ids of files that were deleted. */
  readonly deletedFiles: ReadonlySet<number>;
  /** Names of image files that mean a state we do not know how to restore, when not empty. */
  readonly extraImages: readonly string[];
}

const TASK_ENDED = 2;
const PAGE_IN_PARENT = 1;
const PAGE_PRESENT = 4;
export const PAGE_BYTES = 4096;

/** Decoded here, or about states that are refused by what is: any other image is a state of which nothing is restored. */
const KNOWN_IMAGES =
  /^(inventory|pstree|(core|mm|pagemap|pages|fdinfo|ids|fs|timens)-\d+|files|pipes-data|fifo-data|sk-queues|seccomp|apparmor)\.img$/;
const HEADER_BYTES = 8;

export function readDump(dir: string): Dump {
  const processes = readImage(dir, 'pstree', 'pstree', PSTREE).map(({ record }) => record);
  const pid = processes[0]?.pid ?? 0;
  const tids = [pid, ...(processes[0]?.threads ?? []).filter((tid) => tid !== pid)];
  const threads = tids.map((tid) => ({ tid, core: readOne(dir, `core-${tid}`, 'core', CORE) }));
  const { head, rest } = readHeadAndRest(dir, `pagemap-${pid}`, 'pagemap', PAGEMAP_HEAD, PAGEMAP);
  const timens = readOne(dir, 'timens-0', 'timens', TIMENS);
  const files = new Map(readImage(dir, 'files', 'files', FILE).map(({ record }) => [record.id, record]));
  const filesId = threads[0]?.core.ids?.files || readFilesId(dir);
  const dump: Dump = {
    children: processes.slice(1).map(({ pid: child }) => {
      const task = readImage(dir, `core-${child}`, 'core', CORE)[0]?.record.task;
      return { pid: child, name: task?.name ?? '', hasEnded: task?.state === TASK_ENDED };
    }),
    threads,
    mm: readOne(dir, `mm-${pid}`, 'mm', MM),
    pagesFile: join(dir, `pages-${head.pagesId}.img`),
    pageRuns: readPageRuns(rest),
    hasParentPages: rest.some((entry) => entry.inParent || (entry.flags & PAGE_IN_PARENT) !== 0),
    files,
    memfdNames: readMemfdNames(dir, files.values()),
    descriptors: readImage(dir, `fdinfo-${filesId}`, 'fdinfo', FDINFO)
      .map(({ record }) => record)
      .toSorted((a, b) => a.fd - b.fd),
    fs: readOne(dir, `fs-${pid}`, 'fs', FS),
    monotonicNs: nanoseconds(timens.monotonic),
    boottimeNs: nanoseconds(timens.boottime),
    pipeContents: readImage(dir, 'pipes-data', 'pipes-data', PIPE_DATA, ({ byteCount }) => byteCount).map(
      ({ record, payload }) => ({ pipeId: record.pipeId, capacityBytes: record.capacityBytes, bytes: payload }),
    ),
    socketQueues: readSocketQueues(dir),
    descriptorFacts: readDescriptorFacts(dir),
    deletedFiles: new Set(readImage(dir, 'remap-fpath', 'remap-fpath', REMAP).map(({ record }) => record.fileId)),
    extraImages: readdirSync(dir)
      .filter((name) => name.endsWith('.img') && !KNOWN_IMAGES.test(name))
      .filter((name) => statSync(join(dir, name)).size > HEADER_BYTES)
      .toSorted(),
  };
  checkDump(dump);
  return dump;
}

function readSocketQueues(dir: string): ReadonlyMap<number, readonly QueuedPacket[]> {
  const queues = new Map<number, QueuedPacket[]>();
  const packets = readImage(dir, 'sk-queues', 'sk-queues', SOCKET_PACKET, ({ byteCount }) => byteCount);
  for (const { record, payload } of packets) {
    const packet = { bytes: payload, hasDescriptors: record.ancillary.length > 0 };
    queues.set(record.idFor, [...(queues.get(record.idFor) ?? []), packet]);
  }
  return queues;
}

function readMemfdNames(dir: string, files: Iterable<FileEntry>): Map<number, string> {
  const names = new Map(readImage(dir, 'memfd', 'memfd', MEMFD).map(({ record }) => [record.inodeId, record.name]));
  return new Map(
    [...files].flatMap(({ id, memfd }): [number, string][] =>
      memfd === undefined ? [] : [[id, (names.get(memfd.inodeId) ?? '').replace(/ \(deleted\)$/, '')]],
    ),
  );
}

/** Nothing is known where nobody has asked. */
function readDescriptorFacts(dir: string): DescriptorFacts {
  const path = join(dir, DESCRIPTOR_FACTS);
  return parseDescriptorFacts(existsSync(path) ? readFileSync(path, 'utf8') : '');
}

/** ids-PID.img is left out when the core has them; one process has one table of descriptors. */
function readFilesId(dir: string): number {
  const [name] = readdirSync(dir).filter((file) => /^fdinfo-\d+\.img$/.test(file));
  return Number(/\d+/.exec(name ?? '')?.[0] ?? 0);
}

function readPageRuns(
  entries: readonly { address: number; compatPageCount: number; pageCount: number; flags: number }[],
): PageRun[] {
  let offset = 0;
  const runs: PageRun[] = [];
  for (const entry of entries) {
    // CRIU ≥ 4.1 writes a 64-bit count, older ones the 32-bit one.
    const pageCount = entry.pageCount || entry.compatPageCount;
    if ((entry.flags & PAGE_PRESENT) === 0) continue;
    runs.push({ address: entry.address, pageCount, offset });
    offset += pageCount * PAGE_BYTES;
  }
  return runs.toSorted((a, b) => a.address - b.address);
}

function nanoseconds(time: { seconds: bigint; nanoseconds: bigint } | undefined): bigint {
  return time === undefined
    ? 0n
    : BigInt.asIntN(64, time.seconds) * 1_000_000_000n + BigInt.asIntN(64, time.nanoseconds);
}
