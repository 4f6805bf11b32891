import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { parseElf } from './elf-file.ts';

export interface Vdso {
  readonly bytes: Buffer;
  readonly vvarBytes: number;
  /** Exported functions: name → offset. */
  readonly functions: ReadonlyMap<string, bigint>;
}

/** The running kernel's vdso, read from this process. */
export function readOwnVdso(): Vdso {
  let vvarBytes = 0;
  let bytes: Buffer = Buffer.alloc(0);
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const area = /^([0-9a-f]+)-([0-9a-f]+) .*\[(vdso|vvar\w*)\]$/.exec(line);
    if (area === null) continue;
    const start = BigInt(`0x${area[1]}`);
    const size = Number(BigInt(`0x${area[2]}`) - start);
    if (area[3] === 'vdso') bytes = readMemory(start, size);
    else vvarBytes += size;
  }
  const { symbols } = parseElf(bytes);
  return { bytes, vvarBytes, functions: new Map([...symbols].filter(([name]) => name.startsWith('__vdso_'))) };
}

function readMemory(address: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  const fd = openSync('/proc/self/mem', 'r');
  try {
    readSync(fd, bytes, 0, size, address);
  } finally {
    closeSync(fd);
  }
  return bytes;
}
