/** As much of ELF (https://refspecs.linuxfoundation.org/elf/elf.pdf) as the tests need: segments, symbols. */
export interface ElfFile {
  readonly segments: readonly {
    readonly offset: number;
    readonly address: bigint;
    readonly fileBytes: number;
    readonly memoryBytes: number;
    readonly flags: number;
  }[];
  readonly symbols: ReadonlyMap<string, bigint>;
}

const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;

export function parseElf(bytes: Buffer): ElfFile {
  const segments = [];
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const at = Number(bytes.readBigUInt64LE(32)) + i * 56;
    if (bytes.readUInt32LE(at) !== PT_LOAD) continue;
    segments.push({
      flags: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 8)),
      address: bytes.readBigUInt64LE(at + 16),
      fileBytes: Number(bytes.readBigUInt64LE(at + 32)),
      memoryBytes: Number(bytes.readBigUInt64LE(at + 40)),
    });
  }
  return { segments, symbols: parseSymbols(bytes) };
}

function parseSymbols(bytes: Buffer): ReadonlyMap<string, bigint> {
  const symbols = new Map<string, bigint>();
  const sections = Number(bytes.readBigUInt64LE(40));
  for (let i = 0; i < bytes.readUInt16LE(60); i++) {
    const at = sections + i * 64;
    const type = bytes.readUInt32LE(at + 4);
    if (type !== SHT_SYMTAB && type !== SHT_DYNSYM) continue;
    const start = Number(bytes.readBigUInt64LE(at + 24));
    const end = start + Number(bytes.readBigUInt64LE(at + 32));
    const names = Number(bytes.readBigUInt64LE(sections + bytes.readUInt32LE(at + 40) * 64 + 24));
    for (let symbol = start; symbol < end; symbol += 24) {
      if (bytes.readUInt16LE(symbol + 6) === 0) continue;
      const name = names + bytes.readUInt32LE(symbol);
      symbols.set(bytes.toString('latin1', name, bytes.indexOf(0, name)), bytes.readBigUInt64LE(symbol + 8));
    }
  }
  return symbols;
}
