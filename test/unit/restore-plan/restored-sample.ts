/** The dump of a process that was restored from the smallest dump: its memory is in two places. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLAN_BASE, RESTORER_BASE } from '../../../src/restore-plan/format.ts';
import type { Fields } from './criu-encoder.ts';
import { anonymous, type Compiled, HEAP, LIBRARY, makeSample, regular, type Sample, VDSO } from './sample-dump.ts';

const PAGE = 4096;
const MEM_BIN = 70;
export const STAGING = RESTORER_BASE + 0x8000000;
export const CHECKPOINT = '/opt/crac/checkpoint';

/** After the restore the heap's second page was written for the first time, and its third again. */
export function restoredSample({ plan, mem }: Compiled): Sample {
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
export function patchVdso({ vmas, pages }: Sample): void {
  const own = vmas.splice(-2).filter((vma) => [VDSO, VDSO - 2 * PAGE].includes(Number(vma[1])));
  if (own.length !== 2) throw new Error('the vdso does not lie last');
  vmas.push(
    anonymous(VDSO - 4 * PAGE, 1),
    anonymous(VDSO, 1, { 5: 5 }),
    { 1: STAGING, 2: STAGING + 2 * PAGE, 3: 0, 4: 0, 5: 1, 6: 0x22, 7: 0x1201 },
    { 1: STAGING + 2 * PAGE, 2: STAGING + 3 * PAGE, 3: 0, 4: 0, 5: 5, 6: 0x22, 7: 0x209 },
  );
  pages.set(VDSO, Buffer.alloc(PAGE, 'J'));
  pages.set(VDSO - 4 * PAGE, Buffer.alloc(PAGE, 'b'));
}
