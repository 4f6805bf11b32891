/** The functions of a vdso: its dynamic symbol table. The image's first page is mapped at its link address 0. */
export interface VdsoSymbol {
  readonly name: string;
  readonly offset: number;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const SEGMENT_BYTES = 56;
const SYMBOL_BYTES = 24;
const STT_FUNC = 2;

/** None where the bytes are no vdso, or one that is damaged. */
export function parseVdsoSymbols(elf: Buffer): readonly VdsoSymbol[] {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46) return [];
  const [first, bytes, count] = [word(elf, 32), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  if (bytes < SEGMENT_BYTES || first + bytes * count > elf.length) return [];
  const segments = Array.from({ length: count }, (_, index) => {
    const at = first + index * bytes;
    return {
      type: elf.readUInt32LE(at),
      offset: word(elf, at + 8),
      address: word(elf, at + 16),
      size: word(elf, at + 32),
    };
  });
  const load = segments.find(({ type }) => type === PT_LOAD);
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (load === undefined || dynamic === undefined) return [];
  const bias = load.offset - load.address;
  const tags = new Map<number, number>();
  for (let at = dynamic.offset; at + 16 <= elf.length && word(elf, at) !== 0; at += 16)
    tags.set(word(elf, at), word(elf, at + 8));
  const symbols = (tags.get(DT_SYMTAB) ?? 0) + bias;
  const names = (tags.get(DT_STRTAB) ?? 0) + bias;
  const found: VdsoSymbol[] = [];
  // Symbols end where their names begin, as linkers lay them.
  for (let at = symbols; at > 0 && at + SYMBOL_BYTES <= Math.min(names, elf.length); at += SYMBOL_BYTES) {
    const start = names + elf.readUInt32LE(at);
    const isDefined = elf.readUInt16LE(at + 6) !== 0;
    if (!isDefined || ((elf[at + 4] ?? 0) & 15) !== STT_FUNC) continue;
    found.push({ name: elf.toString('latin1', start, elf.indexOf(0, start)), offset: word(elf, at + 8) + bias });
  }
  return found;
}

function word(elf: Buffer, at: number): number {
  return Number(elf.readBigUInt64LE(at));
}
