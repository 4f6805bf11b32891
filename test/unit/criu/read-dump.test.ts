import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage } from '../../../src/criu/image-file.ts';
import { readDump } from '../../../src/criu/read-dump.ts';
import { decodeMessage, flag, messages, sint, text, uint, uint64, uints } from '../../../src/criu/wire.ts';
import { isCracBuildError } from '../../../src/errors.ts';
import { encodeMessage, writeImage } from '../restore-plan/criu-encoder.ts';
import { HEAP, makeSample, PID, writeSample } from '../restore-plan/sample-dump.ts';

describe('messages', () => {
  const shape = {
    small: uint(1),
    large: uint64(2),
    name: text(3),
    many: uints(4),
    on: flag(5),
    signed: sint(6),
    nested: messages(7, { x: uint(1) }),
  };

  test('fields by number, unknown ones skipped, missing ones empty', () => {
    const bytes = encodeMessage({
      1: 300,
      2: 2n ** 64n - 1n,
      3: 'Grüße',
      4: [1, 2],
      5: true,
      6: 3,
      7: [{ 1: 8 }, {}],
      99: 'new',
    });
    expect(decodeMessage(shape, bytes)).toEqual({
      small: 300,
      large: 2n ** 64n - 1n,
      name: 'Grüße',
      many: [1, 2],
      on: true,
      signed: -2,
      nested: [{ x: 8 }, { x: 0 }],
    });
    expect(decodeMessage(shape, Buffer.alloc(0))).toEqual({
      small: 0,
      large: 0n,
      name: '',
      many: [],
      on: false,
      signed: 0,
      nested: [],
    });
  });

  test('packed numbers are the same as unpacked ones', () => {
    expect(decodeMessage(shape, encodeMessage({ 4: Buffer.from([1, 0xac, 0x02]) })).many).toEqual([1, 300]);
  });

  test('a message that ends too early is an error', () => {
    expect(() => decodeMessage(shape, Buffer.from([0x1a, 5, 65]))).toThrow(RangeError);
    expect(() => decodeMessage(shape, Buffer.from([0x08, 0x80]))).toThrow(RangeError);
  });

  test('a number that is too large for its field, and a field that cannot be, are errors', () => {
    expect(() => decodeMessage(shape, encodeMessage({ 1: 2n ** 32n }))).toThrow('field 1 has more than 32 bits');
    expect(() => decodeMessage(shape, encodeMessage({ 4: [2n ** 32n] }))).toThrow('field 4 has more than 32 bits');
    expect(() => decodeMessage(shape, encodeMessage({ 0: 1 }))).toThrow('field 0');
  });

  test('very many repeated fields are read in one go', () => {
    const count = 300_000;
    const bytes = Buffer.concat(Array.from({ length: count }, () => Buffer.from([0x3a, 0])));
    expect(decodeMessage(shape, bytes).nested).toHaveLength(count);
  });
});

describe('image files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'criu-image-test-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const FS_MAGIC = 0x51403912;
  const read = (name: string) => readImage(dir, name, 'fs', { cwd: uint(1) });

  test('a missing file has no records', () => expect(read('none')).toEqual([]));

  test.each([
    ['another kind', () => writeImage(dir, 'bad', 0x55053847, [])],
    ['truncated', () => writeImage(dir, 'bad', FS_MAGIC, [Buffer.from([9, 0, 0, 0, 8])])],
    ['not protobuf', () => writeImage(dir, 'bad', FS_MAGIC, [Buffer.from([1, 0, 0, 0, 0xff])])],
    ['empty', () => writeFileSync(join(dir, 'bad.img'), '')],
  ])('%s is named', (_, write) => {
    write();
    const error = catchError(() => read('bad'));
    expect(isCracBuildError(error, 'CHECKPOINT_FAILED') && error.message).toMatch(/bad\.img/);
  });
});

describe('a dump', () => {
  const sample = makeSample();
  afterAll(() => rmSync(sample.dir, { recursive: true, force: true }));

  test('pages with the old and the new count, absent ones skipped', () => {
    writeSample(sample);
    writeImage(sample.dir, `pagemap-${PID}`, 0x56084025, [
      { 1: 1 },
      { 1: HEAP, 2: 2, 4: 4 },
      { 1: HEAP + 0x10000, 2: 7, 4: 2, 5: 7 },
      { 1: HEAP + 0x20000, 2: 0, 4: 4, 5: 3 },
    ]);
    const dump = readDump(sample.dir);
    expect(dump.pageRuns).toEqual([
      { address: HEAP, pageCount: 2, offset: 0 },
      { address: HEAP + 0x20000, pageCount: 3, offset: 0x2000 },
    ]);
    expect(dump.hasParentPages).toBe(false);
    expect(dump.threads.map(({ tid }) => tid)).toEqual([PID]);
    expect(dump.monotonicNs).toBe(5_000_000_007n);
  });
});

function catchError(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
