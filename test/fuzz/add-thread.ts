import { HEAP, PID, type Sample } from '../unit/restore-plan/sample-dump.ts';

/** A second thread, which was running code: its frame has an XSAVE area. */
export function addThread(s: Sample): void {
  const xsave = { 1: 7n, 2: Array.from({ length: 64 }, (_, index) => index) };
  s.processes.splice(0, 1, { 1: PID, 2: 0, 3: PID, 4: PID, 5: [PID, PID + 1] });
  s.images.set(`core-${PID + 1}`, {
    magic: 0x55053847,
    records: [
      {
        1: 1,
        2: {
          1: HEAP + 0x880,
          2: {
            16: 0xffff_ffff_ffff_ffffn,
            17: 0x1234,
            18: 0x33,
            19: 0x246,
            20: HEAP + 0x1800,
            21: 0x2b,
            22: 0x7100n,
          },
          3: { 1: 0x37f, 7: 0x1f80, 8: 0xffff, 9: Array(32).fill(1), 10: Array(64).fill(2), 13: xsave },
        },
        5: { 1: 0, 2: 24, 4: 0, 5: 0, 6: 4n, 13: 'worker' },
      },
    ],
  });
}
