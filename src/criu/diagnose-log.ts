import { type FindDescriptor, findCurrent, findExternalSocket, findLocked } from './log-descriptors.ts';

/** What a failed dump comes down to. */
export interface Diagnosis {
  readonly sentence: string;
  readonly hint: string;
  /** The errors of the log where they are understood; else its end, with the first error among it. */
  readonly lines: readonly string[];
  readonly noSpace: boolean;
}

interface KnownError {
  readonly pattern: RegExp;
  /** `$1` … are the pattern's groups. */
  readonly sentence: string;
  readonly hint: string;
  /** What `$who` in the sentence is; "a descriptor" where it finds nothing. */
  readonly who?: FindDescriptor;
}

const CLOSE_IT = 'Close it in beforeCheckpoint.';

/** Messages of CRIU 4.2. The first that matches any error line, in the log's order, wins. */
const KNOWN: readonly KnownError[] = [
  {
    pattern: /no space left on device/i,
    sentence: 'there is no space left for the dump',
    hint: 'Free some space where the engine keeps its containers.',
  },
  {
    pattern: /CRIU needs to have the CAP_SYS_ADMIN or the CAP_CHECKPOINT_RESTORE/,
    sentence: 'CRIU has no CAP_CHECKPOINT_RESTORE',
    hint: 'The build container needs CAP_CHECKPOINT_RESTORE (or CAP_SYS_ADMIN); something took it away: a policy, a user namespace or no_new_privs.',
  },
  {
    pattern: /Unseizable non-zombie (\d+)|Unable to interrupt task|ptrace.*(?:Operation not permitted|EPERM)/i,
    sentence: 'CRIU may not stop the app: ptrace is not permitted',
    hint: 'The build container needs CAP_SYS_PTRACE and seccomp=unconfined, no debugger or tracer may be attached to the app, and its main thread must not have ended before the others.',
  },
  {
    pattern: /Can't get rlimit|prlimit/,
    sentence: 'CRIU cannot read the limits of the app: it ran as another user',
    hint: 'The app must keep the user that app.user names; do not change users in the app.',
  },
  {
    pattern: /Can't lookup mount=\S+ for fd=-3 path=\/anon_hugepage/,
    sentence: 'the app uses huge pages of hugetlbfs',
    hint: 'Start the JVM without -XX:+UseLargePages; transparent huge pages can stay.',
  },
  {
    pattern: /Can't lookup mount=\S+ for fd=-3 path=(\S+)/,
    sentence: 'the app has $1 mapped, a file outside the container’s own file system',
    hint: 'Do not map files of other file systems before the checkpoint.',
  },
  {
    pattern: /Unknown shit \d+ \(.*\[io_uring\]\)/,
    sentence: 'the app uses io_uring, of which nothing can be dumped',
    hint: 'Have the library use epoll (Netty: -Dio.netty.transport.noNative=true or its epoll transport), or close the ring in beforeCheckpoint.',
  },
  {
    pattern: /Unknown shit \d+ \((.*)\)/,
    sentence: 'the app has $1 mapped, which cannot be dumped',
    hint: 'Unmap it in beforeCheckpoint.',
  },
  {
    pattern: /Can't lookup mount=\S+ for fd=(\S+) path=(\S+)/,
    sentence: 'descriptor $1 ($2) is a file outside the container’s own file system',
    hint: 'Close it before the checkpoint; do not hand descriptors from outside to the app.',
  },
  {
    pattern: /Can't dump ghost file (\S+) of (\d+) size/,
    sentence: 'the app keeps a deleted file open or mapped, $1 ($2 bytes)',
    hint: 'Close it before the checkpoint. Where it is a library that was deleted once it was loaded, have it kept: docs/runtime.md, "Libraries with native code".',
  },
  {
    pattern: /External socket is used|ext-unix-sk/i,
    sentence: '$who is connected to another process or to something outside the container',
    hint: CLOSE_IT,
    who: findExternalSocket,
  },
  {
    pattern: /Unix socket \S+ (?:without peer|with unreachable peer)/i,
    sentence: '$who is a unix socket whose other end is outside the app',
    hint: CLOSE_IT,
    who: findCurrent,
  },
  {
    pattern: /Can't resolve name for socket/,
    sentence: '$who is a unix socket whose relative path does not lead to its file any more',
    hint: 'Bind it to an absolute path, and keep its file.',
    who: findCurrent,
  },
  {
    pattern: /In-flight connection|closed in-flight socket|Dangling connection/,
    sentence: '$who has a connection that the app has not accepted',
    hint: 'Take the checkpoint when no client connects; close a listener in beforeCheckpoint if nobody accepts.',
    who: findCurrent,
  },
  {
    pattern: /packetized mode for pipes/,
    sentence: '$who is a pipe in packet mode (O_DIRECT)',
    hint: CLOSE_IT,
    who: findCurrent,
  },
  {
    pattern: /Unknown clock type (\d+) for/,
    sentence: '$who is a timerfd whose clock ($1) wakes the machine',
    hint: 'Close it in beforeCheckpoint, or use CLOCK_BOOTTIME.',
    who: findCurrent,
  },
  {
    pattern: /Unsupported proto (\d+) for socket|Unknown socket collected \(family (\d+)\)/,
    sentence: '$who is a socket of a protocol or family that cannot be dumped ($1$2)',
    hint: CLOSE_IT,
    who: findCurrent,
  },
  {
    pattern: /corked dgram socket/,
    sentence: '$who is a UDP socket that holds back what is sent (UDP_CORK)',
    hint: CLOSE_IT,
    who: findCurrent,
  },
  {
    pattern: /The socket has data to read/,
    sentence: '$who is a netlink socket with unread data',
    hint: CLOSE_IT,
    who: findCurrent,
  },
  {
    pattern: /pidfd pid (\d+) is not a part of process tree|PIDFD_THREAD flag/,
    sentence: '$who stands for a process or a thread (pidfd)',
    hint: CLOSE_IT,
    who: findCurrent,
  },
  {
    pattern: /Can't find suitable path for handle/,
    sentence: '$who watches a file that has no name any more (inotify or fanotify)',
    hint: 'Close file watchers (WatchService) in beforeCheckpoint.',
    who: findCurrent,
  },
  {
    pattern: /Escaped\/closed fd descriptor (\d+)/,
    sentence: '$who is an epoll that watches descriptor $1, which is closed',
    hint: 'Remove it from the selector before it is closed.',
    who: findCurrent,
  },
  {
    pattern: /Connected TCP socket/,
    sentence: 'a TCP connection is open',
    hint: 'Close connections in beforeCheckpoint (pools: set idle to zero).',
  },
  {
    pattern: /inet: Can't dump (\d+) inet socket/,
    sentence: 'the app holds a socket of a kind (protocol $1) that cannot be dumped',
    hint: 'Close it in beforeCheckpoint.',
  },
  {
    pattern: /Some file locks are hold by dumping tasks/,
    sentence: '$who has a file lock or a lease',
    hint: 'Release it in beforeCheckpoint (embedded databases, single-instance locks).',
    who: findLocked,
  },
  {
    pattern: /Can't dump file (\d+) of that type .*\[io_uring\]/,
    sentence: 'descriptor $1 is a ring of io_uring',
    hint: 'Have the library use epoll, or close the ring in beforeCheckpoint.',
  },
  {
    pattern: /Can't dump file (\d+) of that type .*(bpf-\w+|\[perf_event\])/,
    sentence: 'descriptor $1 belongs to a profiler or tracer ($2)',
    hint: 'Stop it before the checkpoint, or leave it out of the build.',
  },
  {
    pattern: /Can't dump file (\d+) of that type \[\S+\] \((?:anon |chr |reg |unknown )?(.*)\)/,
    sentence: 'descriptor $1 is of a kind that cannot be dumped: $2',
    hint: CLOSE_IT,
  },
  {
    pattern: /Dumping seccomp filters not supported|suspend seccomp/,
    sentence: 'the app runs under a seccomp filter that CRIU cannot take off',
    hint: 'The build container needs seccomp=unconfined; an engine or policy overrides it.',
  },
  {
    pattern: /Can't dump nested (\S+) namespace for (\d+)/,
    sentence: 'process $2 has a $1 namespace of its own',
    hint: 'The app must not make namespaces (browsers and sandboxes do): end such processes before the checkpoint.',
  },
  {
    pattern: /Timeout reached\. Try to interrupt/,
    sentence: 'a process could not be stopped in time: it hangs in the kernel',
    hint: 'Look for file systems or devices that do not answer.',
  },
  {
    pattern: /(?:[Zz]ombie).*(?:not supported|outside of its pid namespace)/,
    sentence: 'a child process has ended and was not waited for',
    hint: 'Let the app wait for its child processes before the checkpoint.',
  },
  {
    pattern: /uprobes vma/,
    sentence: 'the app is being traced with uprobes',
    hint: 'Stop the tracer (bpftrace, perf, agents) during the build.',
  },
  {
    pattern: /tty.*(?:Found|can't|not supported)|Can't dump.*tty/i,
    sentence: 'the app has a terminal open',
    hint: 'Do not open /dev/tty; standard output is a pipe in a build.',
  },
  {
    pattern: /sysv ?(?:ipc )?shm|SysVIPC shmem/i,
    sentence: 'the app uses SysV shared memory',
    hint: 'Detach it before the checkpoint.',
  },
  {
    pattern: /Kernel.*(?:not|n't) support|is not supported: |Function not implemented/,
    sentence: 'the kernel of the build machine lacks what CRIU needs',
    hint: 'The lines above name it. What a build needs: README.md, "What it needs".',
  },
];

const LAST_LINES = 25;

/** Reads a log as `criu dump -v4 -o` writes it: "(00.012345) Error (criu/files.c:123): text". */
export function diagnoseLog(log: string): Diagnosis {
  const all = log.split('\n').filter((line) => line.trim() !== '');
  const errors = all.filter((line) => /\bError \(/.test(line));
  // A warning may tell the cause of an error that does not; where there is neither, any of the last lines may.
  const warnings = all.filter((line) => /\bWarn +\(/.test(line));
  for (const line of errors.length > 0 ? [...errors, ...warnings] : all.slice(-LAST_LINES)) {
    const known = KNOWN.find(({ pattern }) => pattern.test(line));
    if (known !== undefined) {
      const match = known.pattern.exec(line) ?? [];
      const sentence = known.sentence
        .replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '')
        .replace('$who', () => known.who?.(all, all.indexOf(line)) ?? 'a descriptor');
      return {
        sentence,
        hint: known.hint,
        lines: [...new Set([line, ...errors])].slice(0, LAST_LINES),
        noSpace: known === KNOWN[0],
      };
    }
  }
  const words = errors[0] && /Error \([^)]*\): (.*)$/.exec(errors[0])?.[1]?.trim();
  return {
    sentence: words === undefined || words === '' ? 'CRIU gave no reason' : `CRIU says: ${words}`,
    hint: 'The end of CRIU’s log is above.',
    lines: selectLines(all, errors[0]),
    noSpace: false,
  };
}

function selectLines(all: readonly string[], firstError: string | undefined): readonly string[] {
  const end = all.slice(-LAST_LINES);
  return firstError === undefined || end.includes(firstError) ? end : [firstError, '…', ...end];
}
