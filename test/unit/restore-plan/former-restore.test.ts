import { rmSync } from 'node:fs';
import { isCracBuildError } from '../../../src/errors.ts';
import { MEM, PLAN_BASE } from '../../../src/restore-plan/format.ts';
import { blobBytes, blobText, readHeader, readSection } from './plan-reader.ts';
import { CHECKPOINT, patchVdso, restoredSample, STAGING } from './restored-sample.ts';
import {
  anonymous,
  type Compiled,
  compileSample,
  HEAP,
  LIBRARY,
  makeSample,
  type Sample,
  STACK,
  VDSO,
} from './sample-dump.ts';
import { renderVdso } from './tiny-vdso.ts';

const PAGE = 4096;
let first: Sample;
let sample: Sample;
let former: Compiled;

beforeEach(async () => {
  first = makeSample();
  former = await compileSample(first);
  sample = restoredSample(former);
});
afterEach(() => {
  for (const { dir } of [first, sample]) rmSync(dir, { recursive: true, force: true });
});

test('clean pages come from the former mem.bin, written ones from the dump, areas are whole again', async () => {
  const { plan, mem } = await compileSample(sample);
  const records = readSection(plan, 'CRAC_MEM', 'crac_mem').map(({ address, length, kind, prot, flags }) => [
    ...[kind, address, (length ?? 0) / PAGE, prot, flags],
  ]);
  expect(records).toEqual([
    [MEM.ANON, HEAP, 4, 3, 0x4022],
    [MEM.PAGES, HEAP, 3, 3, 0x4002],
    [MEM.FILE, LIBRARY, 1, 3, 2],
    [MEM.ANON, LIBRARY + PAGE, 1, 3, 0x22],
    [MEM.PAGES, LIBRARY + PAGE, 1, 3, 2],
    [MEM.ANON, STACK, 4, 3, 0x122],
    [MEM.READ, STACK + 2 * PAGE, 1, 3, 0],
  ]);
  expect(mem.toString('latin1')).toBe(['h', 'n', 'Z', 'x', 's'].map((byte) => byte.repeat(PAGE)).join(''));
  const files = readSection(plan, 'CRAC_FILES', 'crac_file').map(({ path_blob: path }) => blobText(plan, path ?? 0));
  expect(files).toEqual(['/lib/library']);
});

test("threads' ids in the former plan are not taken for HotSpot's", async () => {
  const page = sample.pages.get(PLAN_BASE) ?? Buffer.alloc(0);
  for (let at = 2048; at < PAGE; at += 64) page.writeUInt32LE(0x7000, at) && page.writeUInt32LE(100, at + 16);
  expect(readSection((await compileSample(sample)).plan, 'CRAC_TIDFIX', 'crac_tidfix')).toEqual([]);
});

describe('the vdso', () => {
  test('that has taken the place of the old one is the vdso', async () => {
    const { plan } = await compileSample(sample);
    expect(readHeader(plan)).toMatchObject({ vdso_start: VDSO, vvar_start: VDSO - 2 * PAGE, vvar_size: 2 * PAGE });
  });

  test('that is called from the old one is not: the process goes on calling the old one', async () => {
    patchVdso(sample);
    const { plan } = await compileSample(sample);
    const header = readHeader(plan);
    expect(header).toMatchObject({ vdso_start: VDSO, vvar_start: VDSO - 2 * PAGE, vvar_size: 2 * PAGE });
    expect(blobBytes(plan, header['vdso_blob'] ?? 0, PAGE)).toEqual(renderVdso(['__vdso_clock_gettime'], PAGE));
    const symbols = readSection(plan, 'CRAC_VDSO', 'crac_vdso_symbol').map(({ name_blob: name }) =>
      blobText(plan, name ?? 0),
    );
    expect(symbols).toEqual(['__vdso_clock_gettime']);
    const addresses = readSection(plan, 'CRAC_MEM', 'crac_mem').map(({ address }) => address);
    expect(addresses).toContain(VDSO - PAGE * 4);
    expect(addresses).not.toContain(VDSO);
  });

  test('cannot take the old place where there is other memory now', async () => {
    patchVdso(sample);
    sample.vmas.push(anonymous(VDSO - PAGE, 1));
    const header = readHeader((await compileSample(sample)).plan);
    expect(header).toMatchObject({ vdso_start: VDSO, vdso_size: PAGE, vvar_size: 0 });
  });
});

describe('refused is', () => {
  test.each<[string, () => void, RegExp]>([
    [
      'a plan of another checkpoint',
      () => sample.pages.get(PLAN_BASE)?.fill(0x55, 344, 448),
      /plan.bin: it is not the one from which the app was restored/,
    ],
    ['no plan', () => sample.root.delete(`${CHECKPOINT}/plan.bin`), /plan.bin: it is not the one/],
    ['no mem.bin', () => sample.root.delete(`${CHECKPOINT}/mem.bin`), /mem.bin: it is not the one/],
    [
      'a mem.bin of another size',
      () => sample.root.set(`${CHECKPOINT}/mem.bin`, { sizeBytes: 1, mtimeSeconds: 0, localPath: first.dir }),
      /mem.bin: it is not the one/,
    ],
    [
      'a thread in the vdso beside the restorer',
      () => Object.assign(sample.registers, { 17: STAGING + 16 }),
      /thread 100: it was reading the clock/,
    ],
  ])('%s', async (_, change, message) => {
    change();
    const error = await compileSample(sample).catch((thrown: unknown) => thrown);
    expect(isCracBuildError(error, 'STATE_REFUSED') && error.details?.join('\n')).toMatch(message);
  });
});
