/** What plan.bin lists under PREFETCH, and how that list is made; page cache and page tables are the witnesses. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MEM } from '../../src/restore-plan/format.ts';
import { launch, makeState, repo, run, type State, setUpRestorer, work } from './restorer-setup.ts';

setUpRestorer();

const PAGE = 4096;
const PAGES = 64;
const MEM_BIN = 0xffffffff;

const dropFromCache = (path: string) =>
  run('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
const countCached = (path: string) => Number(run('fincore', ['--raw', '--noheadings', '--output', 'PAGES', path]));

function makeFile(name: string): string {
  const file = join(work, name);
  writeFileSync(file, Buffer.alloc(PAGES * PAGE, 1));
  return file;
}

/** A file that no restore touches, and of which 16 pages are to be read ahead. */
async function makePrefetchState(name: string, memBytes = PAGE): Promise<State & { readonly file: string }> {
  const file = makeFile(name);
  const prefetch = [
    { offset: 0, length: memBytes, file: MEM_BIN },
    { offset: 8 * PAGE, length: 16 * PAGE, file: 1 },
  ];
  const state = await makeState({ files: [file], sections: () => ({ prefetch }) });
  dropFromCache(file);
  expect(countCached(file)).toBe(0); // or this file system is one in memory, where nothing can be seen
  return { ...state, file };
}

test('a restore from disk reads ahead what is listed', async () => {
  const state = await makePrefetchState('cold');
  dropFromCache(state.memFile);
  expect(launch(state.dir, { env: { CRAC_RESTORE: 'require' } }).status).toBe(42);
  expect(countCached(state.file)).toBeGreaterThanOrEqual(16);
});

test('also when only the end of what it needs of mem.bin is missing', async () => {
  const state = await makePrefetchState('half', 4 * PAGE);
  dropFromCache(state.memFile);
  const readFirstPage = `import os, sys; file = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM); os.pread(file, ${PAGE}, 0)`;
  run('python3', ['-c', readFirstPage, state.memFile]);
  expect(countCached(state.memFile)).toBe(1);
  expect(launch(state.dir, { env: { CRAC_RESTORE: 'require' } }).status).toBe(42);
  expect(countCached(state.file)).toBeGreaterThanOrEqual(16);
});

test('a restore from the page cache asks for nothing', async () => {
  const state = await makePrefetchState('warm');
  run('cat', [state.memFile]);
  expect(launch(state.dir, { env: { CRAC_RESTORE: 'require' } }).status).toBe(42);
  expect(countCached(state.file)).toBe(0);
});

test('a restore that is recorded maps files in small pieces', async () => {
  const { dir } = await makeState();
  const countMaps = (env: Record<string, string>) => {
    const { status, lines } = launch(dir, { env: { CRAC_RESTORE: 'require', ...env } });
    expect(status).toBe(42);
    return lines.filter((line) => line.startsWith('map ')).length;
  };
  expect(countMaps({ CRAC_RECORD: '1' })).toBeGreaterThan(countMaps({}));
});

const TOUCH = `
import ctypes, mmap, sys
libc = ctypes.CDLL(None)
file = open(sys.argv[1], 'rb')
area = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
for page in range(0, ${PAGES}, 2): area.madvise(mmap.MADV_DONTDUMP, page * ${PAGE}, ${PAGE})
for page in (3, 7, 8): area[page * ${PAGE}]
other = open(sys.argv[2], 'rb')
own = mmap.mmap(other.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
blank = mmap.mmap(-1, ${PAGES} * ${PAGE}, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
own[5 * ${PAGE}], blank[6 * ${PAGE}]
for page in (2, 3, 9): own[page * ${PAGE}] = blank[page * ${PAGE}] = 1
def start(area): return ctypes.addressof(ctypes.c_char.from_buffer(area))
print(start(own), start(blank), flush=True)
sys.stdin.read()
`;

test('ctl tells the pages that a process has touched, and which of its own it has written to', async () => {
  const ctl = join(work, 'native/ctl');
  run('make', ['-s', '-C', join(repo, 'native'), `OUT=${work}/native`, ctl]);
  const file = makeFile('mapped');
  const child = spawn('python3', ['-c', TOUCH, file, makeFile('written')], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [line] = await once(child.stdout, 'data');
    const { touched, written } = JSON.parse(run(ctl, ['touched', '--pid', String(child.pid)]));
    const runs = touched
      .filter(({ path }: { path: string }) => path === file)
      .flatMap((entry: { runs: number[][] }) => entry.runs);
    expect(runs).toEqual([3, 7, 8].map((page) => [page * PAGE, PAGE]));
    for (const start of String(line).trim().split(' ').map(Number)) {
      const inside = written.filter(([at]: number[]) => Number(at) >= start && Number(at) < start + PAGES * PAGE);
      expect(inside).toEqual([
        [start + 2 * PAGE, 2 * PAGE],
        [start + 9 * PAGE, PAGE],
      ]);
    }
  } finally {
    child.kill('SIGKILL');
  }
});

test('what the first answer writes to is populated before the app goes on', async () => {
  const area = { kind: MEM.ANON, address: 0x500000000, length: 16 * PAGE, prot: 3, flags: 0x22, file: MEM_BIN };
  const populated = { kind: MEM.ADVISE, address: 0x500004000, length: 4 * PAGE, flags: 23, file: MEM_BIN };
  const { dir } = await makeState({ moreMemory: [area, populated] });
  const trace = join(work, 'madvise');
  const prefix = ['/usr/bin/strace', '-e', 'trace=madvise', '-o', trace];
  expect(launch(dir, { prefix, env: { CRAC_RESTORE: 'require', CRAC_LOG: 'debug' } })).toMatchObject({
    status: 42,
    stderr: expect.stringMatching(/, memory \d+, pages \d+, descriptors \d+,/),
  });
  expect(readFileSync(trace, 'utf8')).toMatch(/^madvise\(0x500004000, 16384, (MADV_POPULATE_WRITE|0x17[^)]*)\) += 0$/m);
});

test('what the first requests write to is populated in pieces by a thread beside the app, which lets it go first and ends', async () => {
  const area = { kind: MEM.ANON, address: 0x500000000, length: 128 * PAGE, prot: 3, flags: 0x22, file: MEM_BIN };
  const later = { kind: MEM.LATER, address: 0x500001000, length: 20 * PAGE, file: MEM_BIN };
  const { dir } = await makeState({ moreMemory: [area, later], held: 'never opened' }); // it lives for a while
  const trace = join(work, 'later');
  const prefix = ['/usr/bin/strace', '-f', '-e', 'trace=madvise,nanosleep,exit', '-o', trace];
  expect(launch(dir, { prefix, env: { CRAC_RESTORE: 'require' } }).status).toBe(42);
  const calls = readFileSync(trace, 'utf8').split('\n');
  const pid = calls.find((line) => line.includes('madvise(0x500001000, '))?.split(' ')[0];
  const own = calls.filter((line) => line.startsWith(`${pid} `)).map((line) => line.slice(`${pid} `.length).trim());
  // strace tells of a call in two lines where another thread's comes in between.
  expect(own.join('\n').replace(/ *<unfinished \.\.\.>\n<\.\.\. \w+ resumed>/g, '')).toMatch(
    new RegExp(
      [
        /^nanosleep\(\{tv_sec=0, tv_nsec=10000000\}, *NULL\) += 0/,
        /madvise\(0x500001000, 65536, *(?:MADV_POPULATE_WRITE|0x17[^)]*)\) += 0/,
        /madvise\(0x500011000, 16384, *(?:MADV_POPULATE_WRITE|0x17[^)]*)\) += 0/,
        /exit\(0\) .*/,
        /.*exited with 0.*$/,
      ]
        .map(({ source }) => source)
        .join('\n'),
    ),
  );
});
