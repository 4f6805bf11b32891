/** The dump of a process that was restored from the smallest dump: its memory is in two places. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCracBuildError } from '../../../src/errors.ts';
import { MEM, PLAN_BASE, RESTORER_BASE } from '../../../src/restore-plan/format.ts';
import type { Fields } from './criu-encoder.ts';
import { blobBytes, blobText, readHeader, readSection } from './plan-reader.ts';
import {
  anonymous,
  type Compiled,
  compileSample,
  HEAP,
  LIBRARY,
  makeSample,
  regular,
  type Sample,
  STACK,
  VDSO,
} from './sample-dump.ts';
import { renderVdso } from './tiny-vdso.ts';

const PAGE = 4096;
const MEM_BIN = 70;
const STAGING = RESTORER_BASE + 0x8000000;
const CHECKPOINT = '/opt/crac/checkpoint';
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

/** After the restore the heap's second page was written for the first time, and its third again. */
function restoredSample({ plan, mem }: Compiled): Sample {
  const restored = makeSample();
  const { vmas, pages, root, files, dir } = restored;
  const fromMem = (start: number, offset: number, more: Fields): Fields => ({
    ...{ 1: start, 2: start + PAGE, 3: offset, 4: MEM_BIN, 5: 3, 7: 0x41, 10: 0 },
    ...more,
  });
  vmas.splice(
    ...([0, 2] as const),
    fromMem(HEAP, 0, { 6: 0x4002 }),
    anonymous(HEAP + PAGE, 1),
    fromMem(HEAP + 2 * PAGE, PAGE, { 6: 0x4002 }),
    anonymous(HEAP + 3 * PAGE, 1),
    { 1: LIBRARY, 2: LIBRARY + PAGE, 3: 0, 4: 1, 5: 3, 6: 2, 7: 0x41, 10: 0 },
    fromMem(LIBRARY + PAGE, 2 * PAGE, { 6: 2 }),
    { 1: RESTORER_BASE, 2: RESTORER_BASE + PAGE, 3: 0, 4: 71, 5: 5, 6: 2, 7: 0x41, 10: 0 },
    { 1: PLAN_BASE, 2: PLAN_BASE + 16 * PAGE, 3: 0, 4: 72, 5: 3, 6: 2, 7: 0x41, 10: 0 },
  );
  for (const address of [HEAP, LIBRARY, LIBRARY + PAGE]) pages.delete(address);
  pages.set(HEAP + PAGE, Buffer.alloc(PAGE, 'n'));
  pages.set(HEAP + 2 * PAGE, Buffer.alloc(PAGE, 'Z'));
  pages.set(PLAN_BASE, Buffer.concat([plan, Buffer.alloc(PAGE)], PAGE).fill(0, 40, 44)); // no checksum
  files.push(
    regular(MEM_BIN, `${CHECKPOINT}/mem.bin`, { 8: mem.length }),
    regular(71, '/opt/crac/restore', { 8: PAGE }),
    regular(72, `${CHECKPOINT}/plan.bin`, { 8: plan.length }),
  );
  for (const [name, bytes] of Object.entries({ 'plan.bin': plan, 'mem.bin': mem })) {
    const localPath = join(dir, `former-${name}`);
    writeFileSync(localPath, bytes);
    root.set(`${CHECKPOINT}/${name}`, { sizeBytes: bytes.length, mtimeSeconds: 0, localPath });
  }
  return restored;
}

/** The kernel's vdso lies beside the restorer; memory directly below the old one has the same rights. */
function patchVdso({ vmas, pages }: Sample): void {
  const own = vmas.splice(-2).filter((vma) => [VDSO, VDSO - 2 * PAGE].includes(Number(vma[1])));
  expect(own).toHaveLength(2);
  vmas.push(
    anonymous(VDSO - 4 * PAGE, 1),
    anonymous(VDSO, 1, { 5: 5 }),
    { 1: STAGING, 2: STAGING + 2 * PAGE, 3: 0, 4: 0, 5: 1, 6: 0x22, 7: 0x1201 },
    { 1: STAGING + 2 * PAGE, 2: STAGING + 3 * PAGE, 3: 0, 4: 0, 5: 5, 6: 0x22, 7: 0x209 },
  );
  pages.set(VDSO, Buffer.alloc(PAGE, 'J'));
  pages.set(VDSO - 4 * PAGE, Buffer.alloc(PAGE, 'b'));
}
