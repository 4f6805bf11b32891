import { diagnoseLog } from '../../../src/criu/diagnose-log.ts';

const at = (text: string): string => `(00.012345) Error (criu/x.c:1): ${text}`;

test.each([
  ["Can't lookup mount=42 for fd=7 path=/host/file", 'descriptor 7 (/host/file) is a file outside'],
  ['Some file locks are hold by dumping tasks! You can try --file-locks to dump them.', 'a descriptor has a file lock'],
  ["Can't dump ghost file /tmp/x of 2097152 size, increase limit", '/tmp/x (2097152 bytes)'],
  ["Can't dump file 12 of that type [100600] (anon_inode:[io_uring])", 'descriptor 12 is a ring of io_uring'],
  ["Can't dump file 12 of that type [100600] (anon anon_inode:[userfaultfd])", 'dumped: anon_inode:[userfaultfd]'],
  ["Can't dump file 12 of that type [100600] (anon anon_inode:bpf-prog)", 'a profiler or tracer (bpf-prog)'],
  ['CRIU needs to have the CAP_SYS_ADMIN or the CAP_CHECKPOINT_RESTORE capability: ', 'no CAP_CHECKPOINT_RESTORE'],
  ["Can't lookup mount=18 for fd=-3 path=/anon_hugepage (deleted)", 'uses huge pages of hugetlbfs'],
  ["Can't lookup mount=18 for fd=-3 path=/mnt/data", 'has /mnt/data mapped'],
  ['Unknown shit 600 (anon_inode:[io_uring])', 'uses io_uring'],
  ['Unknown shit 600 (anon_inode:[perf_event])', 'has anon_inode:[perf_event] mapped'],
  ["Task 7 with SysVIPC shmem map @7f0 doesn't live in IPC ns", 'uses SysV shared memory'],
  ['Unseizable non-zombie 1 found, state S, err -1/1', 'ptrace is not permitted'],
  ["Can't get rlimit 7: Operation not permitted", 'ran as another user'],
  ['Connected TCP socket, consider using --tcp-established option.', 'a TCP connection is open'],
  ["Can't dump nested net namespace for 17", 'process 17 has a net namespace'],
  ['Something nobody has seen', 'CRIU says: Something nobody has seen'],
])('%s', (line, sentence) => {
  const version = '(00.000001) Version: 4.2.1';
  const diagnosis = diagnoseLog([version, at(line), at('Dumping FAILED.')].join('\n'));
  expect(diagnosis.sentence).toContain(sentence);
  expect(diagnosis.hint).not.toBe('');
  const isUnderstood = !diagnosis.sentence.startsWith('CRIU says');
  expect(diagnosis.lines).toEqual([...(isUnderstood ? [] : [version]), at(line), at('Dumping FAILED.')]);
});

const DESCRIPTORS = [
  '(00.1) 77 fdinfo 3: pos:                0 flags:                2/0',
  '(00.1) unix: Dumping unix socket at 3',
  '(00.1) unix: \tDumping: ino 841 peer_ino 840 family    1 type    1 state  1 name null',
  '(00.1) lockinfo: 1:1 1 7365 fe:00:2163337 3 3',
  '(00.1) 77 fdinfo 4: pos:                0 flags:           100002/0',
  '(00.1) Dumping path for 4 fd via self 18 [/data/lock]',
  '(00.1) 77 fdinfo 5: pos:                0 flags:                2/0',
];

test.each([
  ['The packetized mode for pipes is not supported yet', 'descriptor 5 is a pipe in packet mode (O_DIRECT)'],
  ['inet: In-flight connection (l) for 9118c', 'descriptor 5 has a connection that the app has not accepted'],
  ["unix: Can't resolve name for socket 0x8", 'descriptor 5 is a unix socket whose relative path'],
  ['Unknown clock type 9 for 0', 'descriptor 5 is a timerfd whose clock (9) wakes the machine'],
  [
    'Unsupported proto 132 for socket 91',
    'descriptor 5 is a socket of a protocol or family that cannot be dumped (132)',
  ],
  ['BUG! Unknown socket collected (family 40)', 'that cannot be dumped (40)'],
  ['Some file locks are hold by dumping tasks!', 'descriptor 4 (/data/lock) has a file lock or a lease'],
])('the descriptor is named: %s', (line, sentence) => {
  expect(diagnoseLog([...DESCRIPTORS, at(line)].join('\n')).sentence).toContain(sentence);
});

test.each([
  ['/run/service', 'descriptor 3, a unix socket to /run/service, is connected to another process'],
  ['', 'descriptor 3 is connected to another process'],
])('a socket to outside is named, with its peer (%s)', (peer, sentence) => {
  const runaway = `(00.2) unix: \tRunaway socket: ino 840 peer_ino 841 family    1 type    1 state  1 name ${peer}`;
  const log = [...DESCRIPTORS, runaway, at('unix: External socket is used. Consider using --ext-unix-sk option.')];
  expect(diagnoseLog(log.join('\n')).sentence).toContain(sentence);
});

test('a full disk is told apart', () => {
  expect(diagnoseLog(at('Write error: No space left on device'))).toMatchObject({ noSpace: true });
});

test('the first error is shown even when much follows it', () => {
  const rest = Array.from({ length: 100 }, (_, i) => `(00.1) line ${i}`);
  const { lines } = diagnoseLog([at('first'), ...rest].join('\n'));
  expect(lines).toHaveLength(27);
  expect(lines.slice(0, 2)).toEqual([at('first'), '…']);
});

test('a warning explains an error that does not', () => {
  const warning = '(00.07) Warn  (compel/src/lib/infect.c:132): Unable to interrupt task: 1 (Operation not permitted)';
  expect(diagnoseLog([warning, at('Unable to detach from 1: No such process')].join('\n'))).toMatchObject({
    sentence: expect.stringContaining('ptrace is not permitted'),
  });
});

test('an empty log is no reason', () => {
  expect(diagnoseLog('')).toMatchObject({ sentence: 'CRIU gave no reason', lines: [] });
});
