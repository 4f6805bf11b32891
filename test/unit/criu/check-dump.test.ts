import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { readDump } from '../../../src/criu/read-dump.ts';
import { type Fields, writeImage } from '../restore-plan/criu-encoder.ts';
import { anonymous, HEAP, makeSample, PID, type Sample, VDSO, writeSample } from '../restore-plan/sample-dump.ts';

const PAGE = 4096;
let sample: Sample;
beforeEach(() => {
  sample = makeSample();
});
afterEach(() => rmSync(sample.dir, { recursive: true, force: true }));

function pagemap(...entries: readonly Fields[]): void {
  writeImage(sample.dir, `pagemap-${PID}`, 0x56084025, [{ 1: 1 }, ...entries]);
}

/** What is done before the images are written, and after. */
const DAMAGED: Readonly<Record<string, readonly [message: RegExp, before: () => void, after?: () => void]>> = {
  'an area that ends before it begins': [
    /mm: has an area from 0x\w+ to 0x\w+, which cannot be/,
    () => sample.vmas.push(anonymous(0x50000000, -1)),
  ],
  'an area between pages': [/mm: has an area/, () => sample.vmas.push({ ...anonymous(0x50000000, 1), 1: 0x50000010 })],
  'an area above all addresses': [/mm: has an area/, () => sample.vmas.push(anonymous(2 ** 47, 1))],
  'two areas at one place': [/mm: has two areas at 0x10001000/, () => sample.vmas.push(anonymous(HEAP + PAGE, 1))],
  'a vdso of gigabytes': [
    /mm: has a vdso of \d+ bytes/,
    () => sample.vmas.splice(4, 1, { 1: VDSO, 2: VDSO + 2 ** 31, 3: 0, 4: 0, 5: 5, 6: 0x22, 7: 0x209 }),
  ],
  'no file with pages': [/pages-1\.img: is missing/, () => {}, () => rmSync(join(sample.dir, 'pages-1.img'))],
  'pages that end too early': [
    /pages-1\.img: is truncated/,
    () => {},
    () => truncateSync(join(sample.dir, 'pages-1.img'), PAGE),
  ],
  'more pages than there is memory': [
    /pagemap: has \d+ pages at 0x10000000, which cannot be/,
    () => {},
    () => pagemap({ 1: HEAP, 4: 4, 5: 2n ** 60n }),
  ],
  'a page twice': [
    /pagemap: has the page at 0x10000000 twice/,
    () => {},
    () => pagemap({ 1: HEAP, 4: 4, 5: 1 }, { 1: HEAP, 4: 4, 5: 1 }),
  ],
  'a descriptor that cannot be': [
    /fdinfo: has descriptor 4294967295/,
    () => sample.fdinfo.push({ 1: 9, 2: 0, 3: 1, 4: 0xffffffff }),
  ],
  'a segment of more than 16 bits': [
    /core-100: has a register that is too large/,
    () => Object.assign(sample.registers, { 18: 0x10033 }),
  ],
  'more floating point registers than there are': [
    /core-100: has a register that is too large/,
    () => Object.assign(sample.fp, { 10: Array(65).fill(0) }),
  ],
  'a head that is no message': [
    /pagemap-100\.img: not a protobuf message/,
    () => {},
    () => writeImage(sample.dir, `pagemap-${PID}`, 0x56084025, [Buffer.from([2, 0, 0, 0, 0x0d, 1])]),
  ],
};

test.each(Object.entries(DAMAGED))('%s is refused', (_, [message, before, after = () => {}]) => {
  const read = () => {
    before();
    // The samples are read once they are written.
    writeSample(sample);
    after();
    readDump(sample.dir);
  };
  expect(read).toThrow(
    expect.objectContaining({
      code: 'CHECKPOINT_FAILED',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    }),
  );
});

test('what lies inside another area is no second one, and vsyscall is above all', () => {
  const guard = { 1: HEAP, 2: HEAP + PAGE, 3: 0, 4: 0, 5: 0, 6: 0x22, 7: 0x10201 };
  const vsyscall = { 1: 0xffffffffff600000n, 2: 0xffffffffff601000n, 3: 0, 4: 0, 5: 4, 6: 0x22, 7: 0x204 };
  sample.vmas.push(guard, vsyscall);
  expect(writeSample(sample).mm.vmas).toHaveLength(7);
});
