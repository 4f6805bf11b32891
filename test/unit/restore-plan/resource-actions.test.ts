import { rmSync } from 'node:fs';
import type { ResourceAction } from '../../../src/criu/checkpoint.ts';
import { isCracBuildError } from '../../../src/errors.ts';
import { FD, NONE } from '../../../src/restore-plan/format.ts';
import { blobText, readSection } from './plan-reader.ts';
import { compileSample, makeSample, open, regular, type Sample } from './sample-dump.ts';

const O_APPEND = 0o2000;
const O_CREAT = 0o100;
const O_PATH = 0o10000000;
const O_NONBLOCK = 0o4000;

let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

const decide = (...decisions: (readonly [fd: number, action: ResourceAction])[]) => {
  sample.resources = decisions.map(([fd, action]) => ({ fd, action }));
};

async function fds() {
  const { plan } = await compileSample(sample);
  return readSection(plan, 'CRAC_FDS', 'crac_fd').map((record) => ({
    ...record,
    path: record['kind'] === FD.FILE ? blobText(plan, record['path_blob'] ?? 0) : undefined,
  }));
}

async function refusals(): Promise<string> {
  const error = await compileSample(sample).catch((caught: unknown) => caught);
  if (!isCracBuildError(error, 'STATE_REFUSED')) throw error;
  return error.details.join('\n');
}

const connection = (id: number, more: object) => ({
  1: 4,
  2: id,
  4: { 1: id, 2: id, 3: 2, 4: 1, 5: 6, 6: 1, 7: 8080, 8: 40000, 9: 0o4002, 10: 0, 14: {}, ...more },
});

test('a file open for writing is opened again at its place; who only writes may begin anew', async () => {
  open(sample, 4, regular(61, '/app.log', { 2: O_APPEND | 1, 3: 120, 8: 120, 10: 0o100640 }));
  open(sample, 5, regular(62, '/app.db', { 2: 2, 3: 7, 8: 4096 }));
  open(sample, 6, regular(63, '/other.log', { 2: 1, 3: 9, 8: 9 }));
  decide([4, 'reopen'], [5, 'reopen'], [6, 'ignore']);
  expect(await fds()).toMatchObject([
    { fd: 4, kind: FD.FILE, path: '/app.log', flags: O_CREAT | O_APPEND | 1, a: 120, b: 120, c: 0o640 },
    { fd: 5, kind: FD.FILE, path: '/app.db', flags: 2, a: 7, b: 4096 },
    { fd: 6, kind: FD.FILE, path: '/other.log', flags: 1, a: 9, b: 9 },
  ]);
});

test('what is closed keeps its number, by a stand-in', async () => {
  open(sample, 4, regular(61, '/app.log', { 2: 1 }), 1);
  open(sample, 5, connection(62, {}));
  open(sample, 6, { 1: 4, 2: 63, 4: { 1: 63, 2: 8, 3: 2, 4: 2, 5: 17, 6: 1, 7: 40, 8: 53, 9: 2 } });
  open(sample, 7, { 1: 17, 2: 64 });
  open(sample, 8, regular(65, '/vanished'));
  open(sample, 9, connection(66, { 6: 10, 8: 0 }));
  decide([4, 'close'], [5, 'close'], [6, 'close'], [7, 'close'], [8, 'close'], [9, 'close']);
  expect(await fds()).toMatchObject([
    { fd: 4, kind: FD.FILE, path: '/', flags: O_PATH, fd_flags: 1 },
    { fd: 5, kind: FD.DEAD, flags: O_NONBLOCK },
    { fd: 6, kind: FD.SOCKET },
    { fd: 7, kind: FD.EVENTFD, a: 0, flags: O_NONBLOCK },
    { fd: 8, kind: FD.FILE, path: '/', flags: O_PATH },
    { fd: 9, kind: FD.DEAD },
  ]);
});

test('a file that is read must be what it was, unless it is closed', async () => {
  const localPath = `${sample.dir}/library`;
  for (const path of ['/kept', '/closed']) sample.root.set(path, { sizeBytes: 8192, mtimeSeconds: 1, localPath });
  open(sample, 4, regular(61, '/kept', { 8: 8192 }));
  open(sample, 5, regular(62, '/closed', { 8: 8192 }));
  decide([5, 'close']);
  const { plan } = await compileSample(sample);
  const files = readSection(plan, 'CRAC_FILES', 'crac_file').map(({ path_blob: at }) => blobText(plan, at ?? 0));
  expect(files).toEqual(['/lib/library', '/kept']);
});

test('an epoll that is closed watches nothing any more, whatever it watched', async () => {
  const targets = [5, 99].map((fd) => ({ 1: 61, 2: fd, 3: 1 }));
  open(sample, 4, { 1: 7, 2: 61, 9: { 1: 61, 2: 2, 4: targets } });
  open(sample, 5, connection(62, { 6: 10, 8: 0, 11: [0] }));
  decide([4, 'close']);
  const { plan } = await compileSample(sample);
  expect(readSection(plan, 'CRAC_FDS', 'crac_fd')).toMatchObject([
    { fd: 4, kind: FD.EVENTFD },
    { fd: 5, kind: FD.SOCKET },
  ]);
  expect(readSection(plan, 'CRAC_EPOLL', 'crac_epoll')).toEqual([]);
});

test('what is ignored is restored where that is possible, else a stand-in', async () => {
  open(sample, 4, { 1: 8, 2: 60 });
  open(sample, 5, regular(61, '/dev/null', { 2: 2, 10: 0o020666 }));
  open(sample, 6, { 1: 2, 2: 64, 18: { 1: 64, 2: 1, 3: 1 } });
  open(sample, 7, connection(66, { 6: 10, 8: 0, 11: [0x0100007f] }));
  decide([4, 'ignore'], [5, 'ignore'], [6, 'ignore'], [7, 'ignore']);
  expect(await fds()).toMatchObject([
    { fd: 4, kind: FD.EVENTFD },
    { fd: 5, kind: FD.FILE, path: '/dev/null', flags: 2 },
    { fd: NONE, kind: FD.PIPE, a: 6 },
    { fd: 7, kind: FD.SOCKET },
  ]);
});

test('both ends of a pair are closed, and all copies', async () => {
  open(sample, 4, { 1: 2, 2: 12, 18: { 1: 12, 2: 500, 3: 0 } });
  open(sample, 5, { 1: 2, 2: 13, 18: { 1: 13, 2: 500, 3: 1 } });
  open(sample, 6, regular(61, '/app.log', { 2: 1 }));
  open(sample, 7, regular(61, '/app.log', { 2: 1 }));
  decide([5, 'close'], [7, 'close']);
  expect(await fds()).toMatchObject([
    { fd: 4, kind: FD.DEAD },
    { fd: 5, kind: FD.DEAD },
    { fd: 6, kind: FD.FILE, flags: O_PATH },
    { fd: 7, kind: FD.DUP, a: 6 },
  ]);
});

describe('what came after the agent had looked', () => {
  test('a connection that the app has opened is refused', async () => {
    open(sample, 4, connection(61, { 7: 40000, 8: 5432 }));
    decide();
    expect(await refusals()).toMatch(/descriptor 4 .*: it was opened to port 5432 while the checkpoint was prepared/);
  });

  test('an accepted connection, and one that its peer has ended, come back dead', async () => {
    open(sample, 4, connection(61, { 6: 10, 8: 0, 11: [0] }));
    open(sample, 5, connection(62, {}));
    open(sample, 6, connection(63, { 6: 8, 7: 40001, 8: 5432 }));
    decide();
    expect(await fds()).toMatchObject([
      { fd: 4, kind: FD.SOCKET },
      { fd: 5, kind: FD.DEAD },
      { fd: 6, kind: FD.DEAD },
    ]);
  });

  test('a file open for writing is refused', async () => {
    open(sample, 4, regular(61, '/app.log', { 2: 1 }));
    decide([5, 'reopen']);
    expect(await refusals()).toMatch(/descriptor 4 \(\/app.log\): it is open for writing/);
  });
});
