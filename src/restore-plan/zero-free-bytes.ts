/** Of pages that are partly free, the free part: old bytes take space in a compressed layer, zeros do not. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Range } from '../hotspot/address-space.ts';
import type { PlacedStretch } from './mem-file.ts';

const ZEROS = Buffer.alloc(64 << 10);

/** What several places share stays as it is. `memFile`: mem.bin, which holds `stretches`; both they and `free` by address. */
export function zeroFreeBytes(memFile: string, stretches: readonly PlacedStretch[], free: readonly Range[]): void {
  if (free.length === 0) return;
  const shared = stretches.filter(({ sameAs }) => sameAs !== undefined);
  const isShared = (offset: number, length: number): boolean =>
    shared.some((part) => part.memOffset < offset + length && offset < part.memOffset + part.length);
  const out = openSync(memFile, 'r+');
  try {
    let next = 0;
    for (const { address, length, memOffset } of stretches) {
      while ((free[next]?.end ?? Number.POSITIVE_INFINITY) <= address) next++;
      for (let index = next; (free[index]?.start ?? Number.POSITIVE_INFINITY) < address + length; index++) {
        const { start, end } = free[index] as Range;
        const from = Math.max(start, address);
        const offset = memOffset + from - address;
        const size = Math.min(end, address + length) - from;
        if (!isShared(offset, size)) writeZeros(out, offset, size);
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
