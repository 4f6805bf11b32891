/** Plans that are right, as the compile step writes them. */
import { rmSync } from 'node:fs';
import type { Fields } from '../../unit/restore-plan/criu-encoder.ts';
import { compileSample, HEAP, makeSample, open, regular, type Sample } from '../../unit/restore-plan/sample-dump.ts';
import { addThread } from '../add-thread.ts';

const PAGE = 4096;

const unix = (id: number, ino: number, peer: number, more: Fields = {}): Fields => ({
  1: 5,
  2: id,
  16: { 1: id, 2: ino, 3: 1, 4: 7, 5: 2, 8: peer, 11: '', ...more },
});

/** With a record in most sections. */
function addEverything(sample: Sample): void {
  open(sample, 3, regular(60, '/lib/library', { 8: 2 * PAGE }));
  open(sample, 4, { 1: 8, 2: 61, 8: { 1: 61, 2: 2048, 4: 3n } });
  open(sample, 5, { 1: 9, 2: 62, 9: { 1: 62, 2: 0, 4: [{ 1: 62, 2: 4, 3: 1, 4: 99n }] } });
  open(sample, 6, { 1: 8, 2: 61, 8: { 1: 61, 2: 2048, 4: 3n } }, 1);
  open(sample, 8, { 1: 2, 2: 65, 18: { 1: 65, 2: 77, 3: 0 } });
  open(sample, 9, { 1: 2, 2: 66, 18: { 1: 66, 2: 77, 3: 1 } });
  open(sample, 10, { 1: 4, 2: 67, 4: { 1: 67, 2: 8, 3: 2, 4: 1, 5: 6, 6: 10, 7: 8080, 9: 2, 10: 50, 11: [0] } });
  open(sample, 11, { 1: 17, 2: 68, 12: { 1: 68, 2: 0o4002, 4: 1, 5: 3n, 7: 2n, 8: 5n, 9: 1n, 10: 0n } });
  open(sample, 12, unix(69, 900, 901));
  open(sample, 13, unix(70, 901, 900));
  open(sample, 14, unix(71, 902, 0, { 4: 10, 7: 5, 11: '/run/app.sock\0' }));
  sample.images.set('sk-queues', { magic: 0x56264026, records: [{ 1: 69, 2: 3 }, Buffer.from('abc')] });
  sample.images.set('pipes-data', { magic: 0x56453709, records: [{ 1: 77, 2: 5, 3: 65536 }, Buffer.from('bytes')] });
  addThread(sample);
  Object.assign(sample.registers, { 11: 202n, 14: 0x89, 8: HEAP + 0x840 });
  Object.assign(sample.task, { 15: Array.from({ length: 62 }, () => ({ 1: 1n, 2: 4n, 3: 5n, 4: 6n })) });
  Object.assign(sample.thread, { 15: { 1: HEAP + 0x900, 2: 32, 3: 0x53053053 } });
}

export async function makePlans(): Promise<readonly Buffer[]> {
  const plans: Buffer[] = [];
  for (const mode of ['map', 'read'] as const) {
    const sample = makeSample();
    addEverything(sample);
    plans.push((await compileSample(sample, mode)).plan);
    rmSync(sample.dir, { recursive: true, force: true });
  }
  return plans;
}
