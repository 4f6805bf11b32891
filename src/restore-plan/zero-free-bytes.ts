/** Of pages that are partly free, the free part: old bytes take space in a compressed layer, zeros do not. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Range } from '../hotspot/address-space.ts';
import type { PlacedStretch } from './mem-file.ts';

const ZEROS = Buffer.alloc(64 << 10);

/** `memFile`: mem.bin, which holds `stretches`; both they and `free` by address. */
export function zeroFreeBytes(memFile: string, stretches: readonly PlacedStretch[], free: readonly Range[]): void {
  if (free.length === 0) return;
  const out = openSync(memFile, 'r+');
  try {
    let next = 0;
    for (const { address, length, memOffset } of stretches) {
      while ((free[next]?.end ?? Number.POSITIVE_INFINITY) <= address) next++;
      for (let index = next; (free[index]?.start ?? Number.POSITIVE_INFINITY) < address + length; index++) {
        const { start, end } = free[index] as Range;
        const from = Math.max(start, address);
        writeZeros(out, memOffset + from - address, Math.min(end, address + length) - from);
      }
    }
  } finally {
    closeSync(out);
  }
}

function writeZeros(out: number, offset: number, length: number): void {
  for (let done = 0; done < length; )
    done += writeSync(out, ZEROS, 0, Math.min(length - done, ZEROS.length), offset + done);
}
