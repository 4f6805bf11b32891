/** A dump tells by itself which memory is free, unless a thread may be about to use them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DumpedThread } from '../../../src/criu/read-dump.ts';
import { type Mm, VMA } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { findFreeMemory } from '../../../src/restore-plan/free-memory.ts';
import type { FreeCause } from '../../../src/restore-plan/kept-pages.ts';
import type { MappedFile } from '../../../src/restore-plan/mapped-files.ts';
import { ProcessMemory } from '../../../src/restore-plan/process-memory.ts';
import type { StepName } from '../../../src/steps.ts';
import { CODE, LIBJVM, makeJvm, RESERVED } from '../hotspot/tiny-jvm.ts';
import { encodeMessage, type Fields } from './criu-encoder.ts';
import { anonymous } from './sample-dump.ts';

const PAGE = 4096;
const CODE_CACHE = 0x7e0000000000;
const AT = RESERVED.start;
const NO_SYSTEM_CALL = (1n << 64n) - 1n;
const FUTEX = 202n;
/** As in the file are the ELF header and the symbols; what the loader and the JVM have written is in the dump. */
const PAGES_OF_FILE = 4;

const dir = mkdtempSync(join(tmpdir(), 'free-memory-test-'));
const pagesFile = join(dir, 'pages');
const library = join(dir, 'libjvm.so');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const { bytes } = makeJvm({
  ...{ collector: 'Serial', version: 25 },
  spaces: [
    [AT, AT + 8, AT + 3 * PAGE - 8],
    [AT + 3 * PAGE, AT + 4 * PAGE, AT + 8 * PAGE],
    [AT + 8 * PAGE, AT + 8 * PAGE + 8, AT + 9 * PAGE],
    [AT + 9 * PAGE, AT + 10 * PAGE, AT + 11 * PAGE],
  ],
});
writeFileSync(library, bytes.subarray(0, PAGES_OF_FILE * PAGE));
writeFileSync(pagesFile, bytes.subarray(PAGES_OF_FILE * PAGE));
const pageCount = bytes.length / PAGE - PAGES_OF_FILE;
const files: readonly MappedFile[] = [
  {
    ...{ id: 7, path: '/opt/jdk/lib/server/libjvm.so', sizeBytes: PAGES_OF_FILE * PAGE, mtimeSeconds: 0 },
    ...{ sha256: Buffer.alloc(32), localPath: library },
  },
];
const mapped = [
  anonymous(AT, 1024),
  anonymous(CODE_CACHE, 16, { 5: 7 }),
  { 1: LIBJVM, 2: LIBJVM + bytes.length, 3: 0, 4: 7, 5: 7, 6: 2, 7: 0x41 },
];

function find(
  threads: readonly (readonly [ip: number, call: bigint])[],
  areas: readonly Fields[] = mapped,
  heap = RESERVED,
  skip: readonly StepName[] = [],
) {
  using memory = new ProcessMemory(pagesFile, [{ address: LIBJVM + PAGES_OF_FILE * PAGE, pageCount, offset: 0 }]);
  const dumped = threads.map(
    ([ip, origAx], tid) => ({ tid, core: { thread: { registers: { ip: BigInt(ip), origAx } } } }) as DumpedThread,
  );
  const { ranges, unknown } = findFreeMemory(
    { threads: dumped, mm: { startBrk: 0, brk: 0 } as Mm },
    {
      ...{ mapped: areas.map((fields) => decodeMessage(VMA, encodeMessage(fields))), guards: [] },
      ...{ vvar: { start: 0, size: 0 }, vdso: { start: 0, size: 0 } },
    },
    memory,
    files,
    heap,
    new Set(skip),
  );
  const rangesOf = (wanted: FreeCause) =>
    ranges.flatMap(({ start, end, cause }) => (cause === wanted ? [{ start, end }] : []));
  return { heap: rangesOf('free-heap'), code: rangesOf('free-code'), unknown };
}

/** Nobody knows anything. */
function nothing(reason: string | RegExp) {
  const unknown = typeof reason === 'string' ? reason : expect.stringMatching(reason);
  return { heap: [], code: [], unknown: expect.objectContaining({ 'free-heap': unknown, 'free-code': unknown }) };
}

test('memory between top and end and free code are told, while threads wait in system calls or run what the JVM has compiled', () => {
  expect(
    find([
      [LIBJVM, FUTEX],
      [CODE_CACHE + 5, NO_SYSTEM_CALL],
    ]),
  ).toEqual({
    heap: [
      { start: AT + 8, end: AT + 3 * PAGE - 8 },
      { start: AT + 4 * PAGE, end: AT + 8 * PAGE },
      { start: AT + 8 * PAGE + 8, end: AT + 9 * PAGE },
      { start: AT + 10 * PAGE, end: AT + 11 * PAGE },
    ],
    code: [CODE],
    unknown: {
      'free-arena': 'it has no pools of chunks of the form that is known',
      'free-metaspace': 'it has no metaspace of the form that is known',
      'free-malloc': 'no libc.so.6 is mapped',
    },
  });
});

test.each([
  ['libjvm.so', LIBJVM + 0x100],
  ['memory of which nothing is known', 0x1000],
])('nothing is free where a thread runs code of %s', (_, ip) => {
  expect(
    find([
      [LIBJVM, FUTEX],
      [ip, NO_SYSTEM_CALL],
    ]),
  ).toEqual(nothing(/^thread 1 .* runs code that may be the JVM's own$/));
});

test('nothing is free in a process without a libjvm.so, or with another heap', () => {
  expect(find([], mapped.slice(0, 2))).toEqual(nothing('no libjvm.so is mapped'));
  expect(find([], mapped, RESERVED, ['heap-pages'])).toMatchObject({ heap: [], code: [CODE] });
  expect(find([], mapped, RESERVED, ['code-pages']).code).toEqual([]);
  expect(find([], mapped, { ...RESERVED, end: RESERVED.end + PAGE })).toMatchObject({ heap: [] });
});
