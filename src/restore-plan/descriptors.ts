/** Descriptors → FDS and EPOLL. */
import type { Checkpoint, ReadyFacts, ResourceAction } from '../criu/checkpoint.ts';
import type { Dump } from '../criu/read-dump.ts';
import type { FdInfo, FileEntry } from '../criu/schema.ts';
import type { Blob } from './blob.ts';
import { FD, type FdRecord, type PlanRecord } from './format.ts';
import { planPipe } from './pipes.ts';
import { REPORT_IT, type Refuse } from './refusals.ts';
import { planRegularFile } from './regular-files.ts';
import { groupActions } from './resource-actions.ts';
import { SocketTable } from './socket-table.ts';
import { planInetSocket } from './sockets.ts';
import { planStandIn } from './stand-ins.ts';
import { planTimerfd } from './timerfds.ts';
import { planUnixSocket } from './unix-sockets.ts';

const REFUSED_TYPES: Readonly<Record<number, readonly [name: string, remedy: string]>> = {
  3: ['FIFO', 'Close it in beforeCheckpoint and open it again in afterRestore'],
  8: ['inotify', 'Close file watchers (WatchService) in beforeCheckpoint and make new ones in afterRestore'],
  9: ['signalfd', 'Close it in beforeCheckpoint'],
  10: ['packet socket', 'Close it in beforeCheckpoint'],
  11: ['terminal', 'Run the app without a terminal during the build'],
  12: ['fanotify', 'Close it in beforeCheckpoint'],
  13: ['netlink socket', 'Close it in beforeCheckpoint'],
  14: ['namespace', 'Close it in beforeCheckpoint'],
  15: ['tun device', 'Close it in beforeCheckpoint'],
  16: ['external file', 'Close it in beforeCheckpoint'],
  18: ['memfd', 'Close it in beforeCheckpoint; choose a collector other than ZGC'],
  19: ['BPF map', 'Close it in beforeCheckpoint'],
  20: ['pidfd', 'Close it in beforeCheckpoint'],
};
const LAST_STANDARD_FD = 2;
const EFD_SEMAPHORE = 1;
const O_ASYNC = 0o20000;

export interface DescriptorPlan {
  readonly fds: readonly FdRecord[];
  readonly epolls: readonly PlanRecord<'epoll'>[];
  readonly sockets: readonly PlanRecord<'socket'>[];
  readonly socketOptions: readonly PlanRecord<'sockopt'>[];
  /** All descriptors are below this one. */
  readonly scratchFd: number;
}

/** What the planners of single kinds need. */
export interface DescriptorContext {
  readonly dump: Dump;
  readonly rootFile: Checkpoint['rootFile'];
  readonly blob: Blob;
  readonly sockets: SocketTable;
  readonly refuse: Refuse;
  /** The first descriptor of an open file. */
  readonly descriptorOf: (fileId: number) => FdInfo | undefined;
  /** What the agent decided, by open file; absent: nobody has looked at what is open. */
  readonly actions: ReadonlyMap<number, ResourceAction> | undefined;
}

export async function planDescriptors(
  dump: Dump,
  rootFile: Checkpoint['rootFile'],
  resources: ReadyFacts['resources'],
  blob: Blob,
  refuse: Refuse,
): Promise<DescriptorPlan> {
  const first = new Map<number, FdInfo>();
  for (const info of dump.descriptors) if (!first.has(info.id)) first.set(info.id, info);
  const actions = resources === undefined ? undefined : groupActions(dump, resources);
  const sockets = new SocketTable();
  const descriptorOf = (id: number): FdInfo | undefined => first.get(id);
  const context: DescriptorContext = { dump, rootFile, blob, sockets, refuse, descriptorOf, actions };
  const fds: FdRecord[] = [];
  const dups: FdRecord[] = [];
  for (const info of dump.descriptors) {
    const { fd } = info;
    if (fd <= LAST_STANDARD_FD) fds.push({ fd, kind: FD.INHERIT });
    else if (first.get(info.id) !== info)
      dups.push({ fd, kind: FD.DUP, fd_flags: info.flags, a: first.get(info.id)?.fd ?? 0 });
    else {
      const record = await planAsDecided(info, context);
      if (record !== undefined) fds.push(record);
    }
  }
  return {
    fds: [...fds, ...dups],
    epolls: dump.descriptors.flatMap((info) => (first.get(info.id) === info ? planEpollTargets(info, context) : [])),
    sockets: sockets.sockets,
    socketOptions: sockets.options,
    scratchFd: Math.max(LAST_STANDARD_FD, ...dump.descriptors.map(({ fd }) => fd)) + 1,
  };
}

async function planAsDecided(info: FdInfo, context: DescriptorContext): Promise<FdRecord | undefined> {
  const action = context.actions?.get(info.id);
  const entry = context.dump.files.get(info.id);
  if (entry === undefined || action === undefined || action === 'reopen') return await planOne(info, context);
  if (action === 'close') return planStandIn(info, entry, context);
  let isRefused = false;
  const refuse: Refuse = () => {
    isRefused = true;
  };
  const record = await planOne(info, { ...context, refuse });
  return isRefused ? planStandIn(info, entry, context) : record;
}

async function planOne(info: FdInfo, context: DescriptorContext): Promise<FdRecord | undefined> {
  const entry = context.dump.files.get(info.id);
  const object = `descriptor ${info.fd}`;
  if (entry === undefined || entry.type !== info.type) {
    context.refuse(object, 'the dump does not say what it is', REPORT_IT);
    return undefined;
  }
  refuseAsynchronous(object, entry, context.refuse);
  const common = { fd: info.fd, fd_flags: info.flags };
  if (entry.regular !== undefined) return await planRegularFile(common, entry.id, entry.regular, context);
  if (entry.pipe !== undefined) return planPipe(info, entry.pipe, context);
  if (entry.inet !== undefined) return planInetSocket(common, entry.id, entry.inet, context);
  if (entry.unix !== undefined) return planUnixSocket(info, entry.id, entry.unix, context);
  if (entry.eventfd !== undefined)
    return {
      ...common,
      kind: FD.EVENTFD,
      flags: entry.eventfd.flags | (context.dump.descriptorFacts.semaphores.has(info.fd) ? EFD_SEMAPHORE : 0),
      a: entry.eventfd.counter,
    };
  if (entry.epoll !== undefined) return { ...common, kind: FD.EPOLL };
  if (entry.timerfd !== undefined) return planTimerfd(common, entry.timerfd, context.refuse);
  const [name, remedy] = REFUSED_TYPES[entry.type] ?? [`unknown type ${entry.type}`, REPORT_IT];
  context.refuse(`${object} (${name})`, 'it cannot be restored', remedy);
  return undefined;
}

function planEpollTargets(info: FdInfo, { dump, refuse, actions }: DescriptorContext): PlanRecord<'epoll'>[] {
  if (actions?.get(info.id) === 'close') return [];
  const object = `descriptor ${info.fd} (epoll)`;
  const remedy = 'Remove it from the selector before it is closed';
  const targets = dump.files.get(info.id)?.epoll?.targets ?? [];
  return targets.flatMap(({ fd, events, data }, index) => {
    // It watches files, not numbers: CRIU tells another number of the same file, which may be watched, too.
    if (targets.findIndex((other) => other.fd === fd) !== index)
      refuse(object, `it watches descriptor ${fd} twice, once under a number that is closed`, remedy);
    else if (dump.descriptors.some((other) => other.fd === fd)) return [{ epoll_fd: info.fd, fd, events, data }];
    else refuse(object, `it watches descriptor ${fd}, which is closed`, remedy);
    return [];
  });
}

function refuseAsynchronous(object: string, entry: FileEntry, refuse: Refuse): void {
  const file = entry.regular ?? entry.pipe ?? entry.inet ?? entry.unix ?? entry.eventfd ?? entry.epoll ?? entry.timerfd;
  if (file === undefined) return;
  const { owner, flags } = file;
  if ((owner?.pid ?? 0) !== 0 || (owner?.signal ?? 0) !== 0 || (flags & O_ASYNC) !== 0)
    refuse(
      object,
      'it sends signals (F_SETOWN, F_SETSIG or O_ASYNC)',
      'Switch asynchronous I/O off before the checkpoint',
    );
}
