/** What the first bytes of a program tell: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
export interface ElfHeader {
  readonly bits: 32 | 64;
  /** "x86-64", "aarch64", or the number that the format has for it. */
  readonly machine: string;
  /** The loader that it asks for: "/lib64/ld-linux-x86-64.so.2". Absent: a static one, or one whose headers are too long. */
  readonly interpreter?: string;
}

const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x86-64',
  183: 'aarch64',
  243: 'riscv64',
  258: 'loongarch64',
};
const PT_INTERP = 3;

/** Undefined: no ELF file. */
export function parseElfHeader(start: Buffer): ElfHeader | undefined {
  if (start.length < 64 || start.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const bits = start[4] === 1 ? 32 : 64;
  const isLittle = start[5] !== 2;
  const u16 = (at: number): number => (isLittle ? start.readUInt16LE(at) : start.readUInt16BE(at));
  const number = u16(18);
  const machine = MACHINES[number] ?? `machine ${number}`;
  const interpreter = bits === 64 && isLittle ? readInterpreter(start) : undefined;
  return { bits, machine, ...(interpreter === undefined ? {} : { interpreter }) };
}

function readInterpreter(start: Buffer): string | undefined {
  const table = Number(start.readBigUInt64LE(32));
  const size = start.readUInt16LE(54);
  const count = start.readUInt16LE(56);
  for (let at = table; at < table + count * size; at += size) {
    if (size < 56 || at + size > start.length) return undefined;
    if (start.readUInt32LE(at) !== PT_INTERP) continue;
    const offset = Number(start.readBigUInt64LE(at + 8));
    const length = Number(start.readBigUInt64LE(at + 32));
    return offset + length > start.length ? undefined : start.toString('latin1', offset, offset + length - 1);
  }
  return undefined;
}
