/** The smallest dump that can be restored: one thread, a file, a heap page, a vdso; tests add to it what they are about. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint, ReadyFacts, RootFile } from '../../../src/criu/checkpoint.ts';
import { type Dump, readDump } from '../../../src/criu/read-dump.ts';
import { compileDump } from '../../../src/restore-plan/compile-dump.ts';
import type { PageScanner } from '../../../src/restore-plan/page-scanner.ts';
import type { RestoreImage } from '../../../src/restore-plan/restore-image.ts';
import type { StepName } from '../../../src/steps.ts';
import { type Fields, writeImage } from './criu-encoder.ts';
import { renderVdso } from './tiny-vdso.ts';

export const PID = 100;
export const HEAP = 0x10000000;
export const LIBRARY = 0x20000000;
export const STACK = 0x30000000;
export const VDSO = 0x40002000;
const PAGE = 4096;

export interface Sample {
  readonly vmas: Fields[];
  /** By address, of whole pages. */
  readonly pages: Map<number, Buffer>;
  readonly files: Fields[];
  readonly fdinfo: Fields[];
  /** Fields of task_core_entry and thread_core_entry that are added or replaced. */
  readonly task: Record<number, Fields[number]>;
  readonly thread: Record<number, Fields[number]>;
  /** Fields of mm_entry. */
  readonly mm: Record<number, Fields[number]>;
  readonly registers: Record<number, number | bigint>;
  /** Fields of user_x86_fpregs_entry. */
  readonly fp: Record<number, Fields[number]>;
  readonly processes: Fields[];
  /** Files of the image's root. */
  readonly root: Map<string, RootFile>;
  /** More images by name. */
  readonly images: Map<string, { readonly magic: number; readonly records: readonly (Fields | Buffer)[] }>;
  readonly dir: string;
  /** What the agent decided; none: it has not looked. */
  resources?: ReadyFacts['resources'];
}

const samples = mkdtempSync(join(tmpdir(), 'sample-dumps-'));
const removeSamples = () => rmSync(samples, { recursive: true, force: true });
// The fuzzers make samples, too, and are no tests.
if (typeof afterAll === 'function') afterAll(removeSamples);
else process.once('exit', removeSamples);

export function makeSample(): Sample {
  const dir = mkdtempSync(join(samples, 'sample-'));
  const libraryPath = join(dir, 'library');
  writeFileSync(libraryPath, Buffer.alloc(2 * PAGE, 'L'));
  return {
    dir,
    vmas: [
      anonymous(HEAP, 4),
      { 1: LIBRARY, 2: LIBRARY + 2 * PAGE, 3: 0, 4: 1, 5: 3, 6: 2, 7: 0x41, 10: 0 },
      { 1: STACK, 2: STACK + 4 * PAGE, 3: 0, 4: 0, 5: 3, 6: 0x122, 7: 0x201 },
      { 1: VDSO - 2 * PAGE, 2: VDSO, 3: 0, 4: 0, 5: 1, 6: 0x22, 7: 0x1201 },
      { 1: VDSO, 2: VDSO + PAGE, 3: 0, 4: 0, 5: 5, 6: 0x22, 7: 0x209 },
    ],
    pages: new Map([
      [HEAP, Buffer.alloc(PAGE, 'h')],
      [HEAP + PAGE, Buffer.alloc(PAGE)],
      [HEAP + 2 * PAGE, Buffer.alloc(PAGE, 'H')],
      [LIBRARY, Buffer.alloc(PAGE, 'L')],
      [LIBRARY + PAGE, Buffer.alloc(PAGE, 'x')],
      [STACK + PAGE, Buffer.alloc(PAGE, 'd')],
      [STACK + 2 * PAGE, Buffer.alloc(PAGE, 's')],
      [VDSO, renderVdso(['__vdso_clock_gettime'], PAGE)],
    ]),
    files: [
      regular(1, '/lib/library', { 8: 2 * PAGE }),
      regular(90, '/work', { 10: 0o040755 }),
      regular(91, '/', { 10: 0o040755 }),
    ],
    fdinfo: [],
    task: {},
    thread: {},
    mm: {},
    registers: {},
    fp: {},
    processes: [{ 1: PID, 2: 0, 3: PID, 4: PID, 5: [PID] }],
    root: new Map([['/lib/library', { sizeBytes: 2 * PAGE, mtimeSeconds: 1000, localPath: libraryPath }]]),
    images: new Map(),
  };
}

export function anonymous(start: number, pageCount: number, more: Fields = {}): Fields {
  return { 1: start, 2: start + pageCount * PAGE, 3: 0, 4: 0, 5: 3, 6: 0x4022, 7: 0x201, ...more };
}

export function regular(id: number, path: string, more: Fields = {}): Fields {
  return { 1: 1, 2: id, 3: { 1: id, 2: 0, 3: 0, 6: path, 10: 0o100644, ...more } };
}

/** Adds an open file at a descriptor. */
export function open(sample: Sample, fd: number, file: Fields, flags = 0): void {
  if (!sample.files.some((known) => known[2] === file[2])) sample.files.push(file);
  sample.fdinfo.push({ 1: file[2] ?? 0, 2: flags, 3: file[1] ?? 0, 4: fd });
}

export function writeSample(sample: Sample): Dump {
  const { dir } = sample;
  const image = (name: string, magic: number, records: readonly (Fields | Buffer)[]) =>
    writeImage(dir, name, magic, records);
  const addresses = [...sample.pages.keys()].toSorted((a, b) => a - b);
  const pageCountAt = (address: number) => (sample.pages.get(address)?.length ?? 0) / PAGE;
  image('pstree', 0x50273030, sample.processes);
  image(`mm-${PID}`, 0x57492820, [{ 5: STACK + 3 * PAGE, 13: [6n, 4096n], 14: sample.vmas, ...sample.mm }]);
  image(`pagemap-${PID}`, 0x56084025, [
    { 1: 1 },
    ...addresses.map((address) => ({ 1: address, 2: 0, 4: 4, 5: pageCountAt(address) })),
  ]);
  writeFileSync(
    join(dir, 'pages-1.img'),
    Buffer.concat(addresses.map((address) => sample.pages.get(address) ?? Buffer.alloc(PAGE))),
  );
  image('files', 0x56303138, sample.files);
  image('fdinfo-2', 0x56213732, sample.fdinfo);
  image(`fs-${PID}`, 0x51403912, [{ 1: 90, 2: 91, 3: 0o22 }]);
  image('timens-0', 0x43114433, [{ 1: { 1: 5, 2: 7 }, 2: { 1: 6, 2: 8 } }]);
  image(`core-${PID}`, 0x55053847, [
    {
      1: 1,
      2: {
        1: HEAP + 0x820,
        2: {
          16: 202,
          17: 0x1234,
          18: 0x33,
          19: 0x246,
          20: STACK + 2 * PAGE + 512,
          21: 0x2b,
          22: 0x7000,
          ...sample.registers,
        },
        3: { 1: 0x37f, 7: 0x1f80, 8: 0xffff, 9: Array(32).fill(0), 10: Array(64).fill(0), ...sample.fp },
      },
      3: { 1: 1, 2: 0, 3: 0, 4: 0, 5: 0, 6: 'java', ...sample.task },
      5: { 1: 0x5010, 2: 24, 4: 0, 5: 0, 6: 4, 13: 'java', ...sample.thread },
    },
  ]);
  for (const [name, { magic, records }] of sample.images) image(name, magic, records);
  return readDump(dir);
}

export interface Compiled {
  readonly image: RestoreImage;
  readonly plan: Buffer;
  readonly mem: Buffer;
}

/** What is known of a sample besides its dump. */
export function factsOf(sample: Sample): Pick<Checkpoint, 'rootFile' | 'cpu' | 'ready'> {
  return {
    cpu: [
      { leaf: 1, subleaf: 0, registers: [0, 0, 1 << 28, 1 << 26] },
      { leaf: 0xffffff00, subleaf: 0, registers: [7, 0, 0, 0] },
    ],
    rootFile: async (path) => sample.root.get(path),
    ready: {
      pid: PID,
      mailbox: { address: `0x${HEAP.toString(16)}`, sizeBytes: PAGE, nonce: '0xffffffffffffffff' },
      nanoOffset: '0x10000800',
      javaVersion: '17',
      gc: 'Serial',
      steps: [],
      ...(sample.resources === undefined ? {} : { resources: sample.resources }),
    },
  };
}

export async function compileSample(
  sample: Sample,
  mode: 'map' | 'read' = 'map',
  scanner?: PageScanner,
  skip: readonly StepName[] = [],
): Promise<Compiled> {
  const image = await compileDump(writeSample(sample), factsOf(sample), mode, sample.dir, scanner, new Set(skip));
  return { image, plan: readFileSync(image.planFile), mem: readFileSync(image.memFile) };
}
