/** Dumps to start from: between them every kind of record that the compile step reads. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RootFile } from '../../../src/criu/checkpoint.ts';
import { DESCRIPTOR_FACTS } from '../../../src/criu/descriptor-facts.ts';
import { patchVdso, restoredSample } from '../../unit/restore-plan/restored-sample.ts';
import {
  anonymous,
  compileSample,
  HEAP,
  makeSample,
  open,
  regular,
  type Sample,
  writeSample,
} from '../../unit/restore-plan/sample-dump.ts';
import { addThread } from '../add-thread.ts';
import type { DumpFiles } from './mutate-dump.ts';

export interface Seed {
  readonly files: DumpFiles;
  readonly root: ReadonlyMap<string, RootFile>;
}

const PAGE = 4096;
const LISTENER = {
  2: 8,
  3: 10,
  4: 1,
  5: 6,
  6: 10,
  7: 8080,
  8: 0,
  9: 2,
  10: 50,
  11: [0, 0, 0, 0],
  14: { 7: true },
  15: false,
};
const socket = (id: number, more: object) => ({ 1: 4, 2: id, 4: { 1: id, ...LISTENER, ...more } });
const unix = (id: number, ino: number, peer: number) => ({
  1: 5,
  2: id,
  16: { 1: id, 2: ino, 3: 1, 4: 1, 5: 2, 8: peer, 11: '' },
});
const pipe = (id: number, flags: number) => ({ 1: 2, 2: id, 18: { 1: id, 2: 77, 3: flags } });

const CHANGES: readonly ((sample: Sample) => void)[] = [
  () => {},
  (s) => {
    open(s, 3, regular(60, '/lib/library', { 8: 2 * PAGE }));
    open(s, 4, { 1: 8, 2: 61, 8: { 1: 61, 2: 2048, 4: 3n } });
    open(s, 5, { 1: 9, 2: 62, 9: { 1: 62, 2: 0, 4: [{ 1: 62, 2: 4, 3: 1, 4: 99n }] } });
    open(s, 6, { 1: 8, 2: 61, 8: { 1: 61, 2: 2048, 4: 3n } }, 1);
    open(s, 7, regular(63, '/app.log', { 2: 0o2001, 8: 10 }));
    open(s, 8, regular(64, '/dev/null', { 10: 0o020666 }));
  },
  (s) => {
    open(s, 3, socket(60, {}));
    open(s, 4, socket(61, { 6: 1, 8: 5000 }));
    open(s, 5, socket(62, { 3: 2, 4: 2, 5: 17, 6: 7, 7: 0, 10: 0, 11: [0] }));
    open(s, 6, unix(63, 900, 901));
    open(s, 7, unix(64, 901, 900));
    open(s, 8, pipe(65, 0));
    open(s, 9, pipe(66, 1));
    s.images.set('pipes-data', { magic: 0x56453709, records: [{ 1: 77, 2: 5, 3: 65536 }, Buffer.from('bytes')] });
    open(s, 10, { 1: 17, 2: 67, 12: { 1: 67, 2: 0o4002, 4: 1, 5: 3n, 7: 2n, 8: 5n, 9: 1n, 10: 0n } });
    open(s, 11, {
      1: 5,
      2: 68,
      16: { 1: 68, 2: 902, 3: 1, 4: 10, 5: 2, 7: 5, 8: 0, 11: '/run/app.sock\0', 13: { 1: 0o755 } },
    });
    s.images.set('sk-queues', { magic: 0x56264026, records: [{ 1: 63, 2: 3 }, Buffer.from('abc')] });
    writeFileSync(join(s.dir, DESCRIPTOR_FACTS), 'option 3 1 2 01000000\nsemaphore 4\nmember 5 224.0.0.1\n');
  },
  (s) => {
    s.vmas.push(
      anonymous(HEAP + (1 << 20), 4, { 6: 0x28, 7: 0x201 }),
      anonymous(HEAP + (2 << 20), 1024, { 5: 1, 9: 1n << 14n }),
    );
    s.pages.set(HEAP + (2 << 20), Buffer.alloc(PAGE, 'z'));
    Object.assign(s.registers, { 11: 202n, 14: 0x89, 8: HEAP + 0x840 });
    Object.assign(s.task, { 8: { 1: Array.from({ length: 16 }, () => ({ 1: 1024n, 2: 4096n })) } });
    Object.assign(s.task, { 15: Array.from({ length: 62 }, (_, index) => ({ 1: index % 3, 2: 4n, 3: 5n, 4: 6n })) });
    Object.assign(s.thread, { 7: { 1: HEAP, 2: 8192, 3: 0 }, 15: { 1: HEAP + 0x900, 2: 32, 3: 0x53053053 } });
  },
  addThread,
];

export async function makeSeeds(): Promise<Disposable & { readonly seeds: readonly Seed[] }> {
  const samples: Sample[] = [];
  for (const change of CHANGES) {
    const sample = makeSample();
    change(sample);
    samples.push(sample);
  }
  const first = makeSample();
  const former = await compileSample(first);
  rmSync(first.dir, { recursive: true, force: true });
  const patched = restoredSample(former);
  patchVdso(patched);
  samples.push(restoredSample(former), patched);
  return {
    seeds: samples.map(readSeed),
    [Symbol.dispose]: () => {
      for (const { dir } of samples) rmSync(dir, { recursive: true, force: true });
    },
  };
}

function readSeed(sample: Sample): Seed {
  writeSample(sample);
  const names = readdirSync(sample.dir).filter((name) => name.endsWith('.img') || name === DESCRIPTOR_FACTS);
  return { files: new Map(names.map((name) => [name, readFileSync(join(sample.dir, name))])), root: sample.root };
}
