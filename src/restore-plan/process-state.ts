/** States of the process as a whole: what refuses, what goes into header and SIGACT. */
import type { Dump } from '../criu/read-dump.ts';
import type { Blob } from './blob.ts';
import { MEMBARRIER_SHIFT, type PlanRecord, PROCESS } from './format.ts';
import { REPORT_IT, type Refuse } from './refusals.ts';

const SIGKILL = 9;
const SIGSTOP = 19;
const SIGNALS = Array.from({ length: 64 }, (_, index) => index + 1).filter(
  (signal) => signal !== SIGKILL && signal !== SIGSTOP,
);
const RLIMIT_NOFILE = 7;
/** ADDR_NO_RANDOMIZE means nothing once a program runs. CRIU 4.2 takes the kernel's hexadecimal number for a decimal one. */
const HARMLESS_PERSONALITIES: readonly number[] = [0, 0x40000, 40000];

/** CRIU's name for an image → what it means. */
const EXTRA_STATES: readonly (readonly [pattern: RegExp, object: string, remedy: string])[] = [
  [/^filelocks/, 'file locks', 'Release file locks in beforeCheckpoint'],
  [
    /^(utsns|ipcns-var|mountpoints|netns|netdev|userns|pidns|cgroup)/,
    'namespaces',
    'Run the app in the namespaces of its container: do not call unshare',
  ],
  [/^ipcns-/, 'System V IPC objects', 'Remove them before the checkpoint'],
];

const REFUSED_BY_OBJECT =
  /^(remap-fpath|ghost-file|signalfd|inotify|fanotify|bpfmap|timerfd|pidfd|tty-info|memfd|pagemap-shmem|pages-shmem)/;

export function refuseProcessState(dump: Dump, refuse: Refuse): void {
  for (const { pid, name, hasEnded } of dump.children)
    refuse(
      `child process ${pid} (${name})`,
      hasEnded ? 'it has ended, and the app has not waited for it' : 'only one process can be restored',
      hasEnded
        ? 'Wait for child processes before the checkpoint (Process.waitFor)'
        : 'End child processes in beforeCheckpoint and start them again in afterRestore',
    );
  const task = dump.threads[0]?.core.task;
  if (task === undefined || (task.state !== 1 && task.state !== 3))
    refuse('process', 'it is not alive', 'Look at the log of the app');
  if (!HARMLESS_PERSONALITIES.includes(task?.personality ?? 0))
    refuse('process', 'its personality was changed', 'Start the app without setarch, and do not call personality()');
  if (dump.hasParentPages) refuse('memory', 'the dump is incremental', 'Take a whole dump');
  if ((task?.pendingSignals?.signals.length ?? 0) > 0)
    refuse('process', 'a signal is pending', 'Take the checkpoint again; do not send the app signals during the build');
  const timers = task?.timers;
  for (const timer of [timers?.real, timers?.virtual, timers?.profiling])
    if (timer !== undefined && timer.isec + timer.iusec + timer.vsec + timer.vusec > 0)
      refuse('process', 'an interval timer is running (setitimer)', 'Stop it in beforeCheckpoint');
  if ((timers?.posix.length ?? 0) > 0)
    refuse('process', 'it has POSIX timers (timer_create)', 'Stop profilers and timers in beforeCheckpoint');
  for (const image of dump.extraImages) {
    const known = EXTRA_STATES.find(([pattern]) => pattern.test(image));
    // These are refused one by one, by descriptor or area of memory.
    if (REFUSED_BY_OBJECT.test(image)) continue;
    refuse(known?.[1] ?? image, 'they are part of the state', known?.[2] ?? REPORT_IT);
  }
  if (dump.deletedFiles.has(dump.fs.cwdId))
    refuse('process', 'its current folder was deleted', 'Start the app in a folder that stays');
  if (dump.files.get(dump.fs.rootId)?.regular?.path !== '/')
    refuse('process', 'its root folder was changed (chroot)', 'Run the app without chroot');
}

function attributesOf({ mm, threads }: Dump): number {
  const { task, threadCore } = threads[0]?.core ?? {};
  const flags = {
    NOT_DUMPABLE: (mm.dumpable.at(-1) ?? 1) !== 1,
    SUBREAPER: task?.isSubreaper === true,
    NO_HUGE_PAGES: mm.hasNoHugePages,
    NO_NEW_PRIVILEGES: (threadCore?.credentials?.noNewPrivileges ?? 0) !== 0,
  } satisfies Record<keyof typeof PROCESS, boolean>;
  const set = Object.entries(PROCESS).filter(([name]) => flags[name as keyof typeof PROCESS]);
  return set.reduce((bits, [, flag]) => bits | flag, (task?.membarriers ?? 0) << MEMBARRIER_SHIFT) >>> 0;
}

export function planSignalActions(dump: Dump): PlanRecord<'sigact'>[] {
  return (dump.threads[0]?.core.task?.sigactions ?? []).flatMap((action, index) => {
    const signal = SIGNALS[index];
    if (signal === undefined || (action.handler === 0n && action.flags === 0n)) return [];
    return [{ signal, handler: action.handler, flags: action.flags, restorer: action.restorer, mask: action.mask }];
  });
}

export function planProcess(dump: Dump, blob: Blob): PlanRecord<'header'> {
  const { mm, fs } = dump;
  const auxv = Buffer.alloc(mm.auxv.length * 8);
  for (const [index, value] of mm.auxv.entries()) auxv.writeBigUInt64LE(value, index * 8);
  const limit = dump.threads[0]?.core.task?.rlimits?.limits[RLIMIT_NOFILE];
  return {
    start_code: mm.startCode,
    end_code: mm.endCode,
    start_data: mm.startData,
    end_data: mm.endData,
    start_brk: mm.startBrk,
    brk: mm.brk,
    start_stack: mm.startStack,
    arg_start: mm.argStart,
    arg_end: mm.argEnd,
    env_start: mm.envStart,
    env_end: mm.envEnd,
    auxv_blob: blob.add(auxv, 8),
    auxv_size: auxv.length,
    umask: fs.umask,
    cwd_blob: blob.text(dump.files.get(fs.cwdId)?.regular?.path ?? '/'),
    flags: attributesOf(dump),
    nofile_soft: limit?.current ?? 0n,
    nofile_hard: limit?.max ?? 0n,
    monotonic_ns: dump.monotonicNs,
    boottime_ns: dump.boottimeNs,
  };
}
