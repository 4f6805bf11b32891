import { diagnoseLog } from '../../../src/criu/diagnose-log.ts';

const at = (text: string): string => `(00.012345) Error (criu/x.c:1): ${text}`;

test.each([
  ["Can't lookup mount=42 for fd=7 path=/host/file", 'descriptor 7 (/host/file) is a file outside'],
  ['Some file locks are hold by dumping tasks! You can try --file-locks to dump them.', 'a file lock'],
  ["Can't dump ghost file /tmp/x of 2097152 size, increase limit", '/tmp/x (2097152 bytes)'],
  ["Can't dump file 12 of that type [100600] (anon_inode:[io_uring])", 'descriptor 12 is of a kind'],
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
  const diagnosis = diagnoseLog(['(00.000001) Version: 4.2.1', at(line), at('Dumping FAILED.')].join('\n'));
  expect(diagnosis.sentence).toContain(sentence);
  expect(diagnosis.hint).not.toBe('');
  expect(diagnosis.lines).toContain(at(line));
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
