import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { compileDump } from '../../../src/restore-plan/compile-dump.ts';
import { measureCauses, type SizesByCause } from '../../../src/restore-plan/measure-causes.ts';
import { attribute } from '../../../src/restore-plan/memory-causes.ts';
import type { StepName } from '../../../src/steps.ts';
import { LIBJVM, makeJvm, RESERVED, type Shape } from '../hotspot/tiny-jvm.ts';
import {
  anonymous,
  factsOf,
  HEAP,
  LIBRARY,
  makeSample,
  regular,
  type Sample,
  STACK,
  writeSample,
} from './sample-dump.ts';

const PAGE = 4096;
let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

/** Pages by cause; none of the others. */
async function compile(ready: object = {}, skip: readonly StepName[] = []): Promise<Record<string, number>> {
  const facts = factsOf(sample);
  const mailbox = { address: '0x50000000', sizeBytes: PAGE, nonce: '0x1' };
  sample.vmas.push(anonymous(0x50000000, 1));
  const checkpoint = { ...facts, ready: { ...facts.ready, mailbox, ...ready } };
  const { byCause, memBytes } = await compileDump(
    ...([writeSample(sample), checkpoint, 'map', sample.dir, undefined] as const),
    new Set(skip),
  );
  const sizes = Object.entries<SizesByCause['other']>(byCause);
  expect(sizes.reduce((sum, [, { rawBytes }]) => sum + rawBytes, 0)).toBe(memBytes);
  for (const [, { rawBytes, compressedBytes }] of sizes) expect(compressedBytes).toBeLessThanOrEqual(rawBytes);
  return Object.fromEntries(
    sizes.filter(([, { rawBytes }]) => rawBytes > 0).map(([cause, { rawBytes }]) => [cause, rawBytes / PAGE]),
  );
}

function addPages(start: number, pageCount: number, byte = 'x'): void {
  for (let page = 0; page < pageCount; page++) sample.pages.set(start + page * PAGE, Buffer.alloc(PAGE, byte));
}

test('a process of which nobody tells more: its stack, its library, and other memory', async () => {
  expect(await compile()).toEqual({ stacks: 1, libraries: 1, other: 2 });
});

test('what the JVM tells of itself, cut within an area; its archive lies in memory of the metaspace', async () => {
  sample.vmas.push(anonymous(0x51000000, 8));
  addPages(0x51000000, 8);
  sample.vmas.push({ 1: 0x52000000, 2: 0x52000000 + 2 * PAGE, 3: 0, 4: 2, 5: 3, 6: 2, 7: 0x41, 10: 0 });
  sample.files.push(regular(2, '/opt/java/lib/server/classes.jsa', { 8: 2 * PAGE }));
  const archive = sample.root.get('/lib/library');
  if (archive !== undefined) sample.root.set('/opt/java/lib/server/classes.jsa', archive);
  addPages(0x52000000, 1);
  const range = (address: number, pages: number) => ({
    address: `0x${address.toString(16)}`,
    sizeBytes: pages * PAGE,
  });
  const metaspace = [range(0x51000000 + 3 * PAGE, 4), range(0x52000000, 1024)];
  const jvmMemory = { codeCache: range(0x51000000 + PAGE, 2), metaspace };
  addPages(0x50000000, 1);
  expect(await compile({ heap: range(HEAP, 2), jvmMemory })).toEqual({
    'heap-other': 1,
    'code-cache': 2,
    metaspace: 4,
    cds: 1,
    agent: 1,
    stacks: 1,
    libraries: 1,
    other: 1 + 2, // the heap's second half; the first and the last page
  });
});

const AT = RESERVED.start;
const SERIAL: Shape = {
  ...{ collector: 'Serial', version: 17 },
  spaces: [
    [AT, AT + 2 * PAGE + 8, AT + 4 * PAGE],
    [AT + 4 * PAGE, AT + 4 * PAGE, AT + 5 * PAGE],
    [AT + 5 * PAGE, AT + 5 * PAGE, AT + 6 * PAGE],
    [AT + 8 * PAGE, AT + 12 * PAGE, AT + 16 * PAGE],
  ],
};

/** Its heap has 20 pages at first, the last four behind all spaces. */
function addJvm(shape: Shape): { readonly heap: object } {
  const { bytes } = makeJvm(shape);
  const localPath = join(sample.dir, 'libjvm.so');
  writeFileSync(localPath, bytes);
  const path = '/opt/java/lib/server/libjvm.so';
  sample.files.push(regular(2, path, { 8: bytes.length }));
  sample.root.set(path, { sizeBytes: bytes.length, mtimeSeconds: 1000, localPath });
  sample.vmas.push(anonymous(AT, 1024));
  addPages(AT, 20);
  sample.vmas.push({ 1: LIBJVM, 2: LIBJVM + bytes.length, 3: 0, 4: 2, 5: 7, 6: 2, 7: 0x41, 10: 0 });
  return { heap: { address: `0x${AT.toString(16)}`, sizeBytes: RESERVED.end - AT } };
}

const BESIDES = { stacks: 1, libraries: 1, other: 2 };

test('the Java heap by generation; what is of no space is of none', async () => {
  const ready = addJvm(SERIAL);
  expect(await compile(ready)).toEqual({ 'heap-young': 3, 'heap-old': 4, 'heap-other': 2 + 4, ...BESIDES });
});

test('generations are told where their free parts are not left out', async () => {
  const ready = addJvm(SERIAL);
  const kept = await compile(ready, ['heap-pages', 'duplicates']);
  expect(kept).toEqual({ 'heap-young': 6, 'heap-old': 8, 'heap-other': 2 + 4, ...BESIDES });
});

test('regions of G1 are of the generation that their type tells', async () => {
  const spaces = [0, 1, 2, 3].map((index) => {
    const bottom = AT + index * 2 ** 20;
    return [bottom, bottom + 2 ** 20, bottom + 2 ** 20] as const;
  });
  const ready = addJvm({ collector: 'G1', version: 25, spaces, types: [0, 8, 4, 3] });
  for (const [index, pages] of [1, 2, 3].entries()) addPages(AT + (index + 1) * 2 ** 20, pages);
  expect(await compile(ready)).toEqual({
    ...{ 'heap-other': 20, 'heap-old': 1, 'heap-humongous': 2, 'heap-young': 3 },
    ...BESIDES,
  });
});

test('a heap of which the JVM tells nothing is of no generation', async () => {
  const ready = addJvm({ ...SERIAL, collector: 'Epsilon' });
  expect(await compile(ready)).toEqual({ 'heap-other': 20, ...BESIDES });
});

/** heap_info of glibc. */
function arena(start: number, fields: readonly number[]): void {
  sample.vmas.push(anonymous(start, 4));
  addPages(start, 3);
  const first = Buffer.alloc(PAGE, 'x');
  for (const [index, field] of fields.entries()) first.writeBigUInt64LE(BigInt(field), index * 8);
  sample.pages.set(start, first);
}

test('malloc: the main heap, and arenas that say that they are such', async () => {
  sample.vmas.push(anonymous(0x60000000, 2, { 7: 0x221 }));
  addPages(0x60000000, 2);
  arena(0x64000000, [0x64000030, 0, 2 * PAGE, 2 * PAGE]); // the third page is another's
  arena(0x68000000, [0x64000030, 0x64000000, 3 * PAGE, 4 * PAGE]);
  expect(await compile()).toMatchObject({ malloc: 2 + 2 + 3, other: 2 + 1 });
});

test.each([
  ['at an address that no arena has', 0x64001000, [0x64001030, 0, PAGE, PAGE]],
  ['of no size', 0x64000000, [0x64000030, 0, 0, PAGE]],
  ['of another size than committed', 0x64000000, [0x64000030, 0, 2 * PAGE, PAGE]],
  ['that belongs to nobody', 0x64000000, [0, 0, PAGE, PAGE]],
  ['after what is no arena', 0x64000000, [0x64000030, 0x1000, PAGE, PAGE]],
])('memory %s is no arena', async (_, start, fields) => {
  arena(start, fields);
  expect(await compile()).toMatchObject({ other: 2 + 3 });
});

test('a thread stack is what a thread-local pointer or a stack pointer points into', async () => {
  for (const start of [0x61000000, 0x62000000]) {
    sample.vmas.push(anonymous(start, 2));
    addPages(start, 1);
  }
  sample.registers[22] = 0x61001800; // fs_base
  expect(await compile()).toEqual({ stacks: 1 + 1, libraries: 1, other: 2 + 1 });
});

test("a library's data that the file does not have is right behind what it has", async () => {
  sample.vmas.push(anonymous(LIBRARY + 2 * PAGE, 2), anonymous(LIBRARY + 5 * PAGE, 1));
  addPages(LIBRARY + 2 * PAGE, 2);
  addPages(LIBRARY + 5 * PAGE, 1);
  expect(await compile()).toEqual({ stacks: 1, libraries: 1 + 2, other: 2 + 1 });
});

test('parts: cut where the cause changes, joined where it goes on', () => {
  const ranges = [
    { start: 10, end: 20, cause: 'cds' },
    { start: 0, end: 30, cause: 'metaspace' },
  ] as const;
  const stretches = [
    { address: 5, length: 10, memOffset: 0 },
    { address: 18, length: 7, memOffset: 10 },
    { address: 25, length: 2, memOffset: 5, sameAs: 10 },
    { address: 28, length: 4, memOffset: 17 },
    { address: STACK, length: 4, memOffset: 21 },
  ];
  expect(attribute(stretches, ranges)).toEqual([
    { cause: 'metaspace', memOffset: 0, length: 5 },
    { cause: 'cds', memOffset: 5, length: 7 },
    { cause: 'metaspace', memOffset: 12, length: 7 },
    { cause: 'other', memOffset: 19, length: 6 },
  ]);
});

test('sizes: each cause is compressed for itself, however many parts it has', async () => {
  const file = join(sample.dir, 'mem');
  const text = Buffer.alloc(5 << 20, 'text ');
  for (let at = 0; at < text.length; at += PAGE) text.writeUInt32LE(at, at);
  writeFileSync(file, text);
  const third = Math.floor(text.length / 3);
  const sizes = await measureCauses(file, [
    { cause: 'malloc', memOffset: 0, length: third },
    { cause: 'cds', memOffset: third, length: third },
    { cause: 'malloc', memOffset: 2 * third, length: third },
  ]);
  const malloc = Buffer.concat([text.subarray(0, third), text.subarray(2 * third, 3 * third)]);
  const compressedOf = (bytes: Buffer) => ({ rawBytes: bytes.length, compressedBytes: deflateSync(bytes).length });
  expect(sizes).toMatchObject({
    malloc: compressedOf(malloc),
    cds: compressedOf(text.subarray(third, 2 * third)),
    other: { rawBytes: 0, compressedBytes: 0 },
  });
  const [block, rest] = [text.subarray(0, 4 << 20), text.subarray(4 << 20)];
  const whole = await measureCauses(file, [{ cause: 'other', memOffset: 0, length: text.length }]);
  expect(whole.other).toEqual({
    rawBytes: text.length,
    compressedBytes: compressedOf(block).compressedBytes + compressedOf(rest).compressedBytes,
  });
});

test('sizes: of a large cause, samples are compressed and taken for all of it', async () => {
  const file = join(sample.dir, 'large');
  const blocks = Array.from({ length: 10 }, (_, index) =>
    Buffer.alloc(4 << 20, `text ${index % 2 === 0 ? '' : 'more'}`),
  );
  writeFileSync(file, Buffer.concat(blocks));
  const { other } = await measureCauses(file, [{ cause: 'other', memOffset: 0, length: 10 * (4 << 20) }]);
  const sampled = [0, 3, 6, 9].map((index) => deflateSync(blocks[index] ?? Buffer.alloc(0)).length);
  expect(other.rawBytes).toBe(10 * (4 << 20));
  expect(other.compressedBytes).toBe(Math.round((sampled.reduce((sum, bytes) => sum + bytes) * 10) / 4));
});
