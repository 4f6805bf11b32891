/** The exported symbols of a library as the process has it in memory: https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html */
import { type AddressSpace, readBytes, readWord, UnknownJvm } from './address-space.ts';

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const SYMBOL_BYTES = 24;
const PT_DYNAMIC = 2;
const DT_NULL = 0;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_STRSZ = 10;
const MOST_DYNAMIC_ENTRIES = 1000;
const MOST_TABLE_BYTES = 64 << 20;

/** Name → address. `base`: where the file's first byte is mapped, which is its link address 0. */
export function readDynamicSymbols(memory: AddressSpace, base: number): ReadonlyMap<string, number> {
  const tags = readDynamicSection(memory, base);
  const symbolsAt = locate(tags.get(DT_SYMTAB));
  const namesAt = locate(tags.get(DT_STRTAB));
  const namesBytes = tags.get(DT_STRSZ) ?? 0;
  // Symbols end where their names begin, as linkers lay them.
  const symbolsBytes = namesAt - symbolsAt;
  if (symbolsBytes <= 0 || symbolsBytes > MOST_TABLE_BYTES || namesBytes > MOST_TABLE_BYTES)
    throw new UnknownJvm('its symbols do not lie before their names');
  const symbols = readBytes(memory, symbolsAt, symbolsBytes);
  const names = readBytes(memory, namesAt, namesBytes);
  const found = new Map<string, number>();
  for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
    const isDefined = symbols.readUInt16LE(at + 6) !== 0;
    const start = symbols.readUInt32LE(at);
    if (isDefined)
      found.set(
        names.toString('latin1', start, names.indexOf(0, start)),
        base + Number(symbols.readBigUInt64LE(at + 8)),
      );
  }
  return found;

  /** glibc's loader has made an address of what is an offset in the file; musl's leaves it. */
  function locate(value = 0): number {
    return value >= base ? value : base + value;
  }
}

function readDynamicSection(memory: AddressSpace, base: number): ReadonlyMap<number, number> {
  const header = readBytes(memory, base, HEADER_BYTES);
  if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2) throw new UnknownJvm('it is no ELF file of 64 bits');
  const segmentsAt = base + Number(header.readBigUInt64LE(32));
  for (let index = 0; index < header.readUInt16LE(56); index++) {
    const segment = segmentsAt + index * SEGMENT_BYTES;
    if (readBytes(memory, segment, 4).readUInt32LE() === PT_DYNAMIC)
      return readTags(memory, base + readWord(memory, segment + 16));
  }
  throw new UnknownJvm('it exports nothing');
}

function readTags(memory: AddressSpace, dynamicAt: number): ReadonlyMap<number, number> {
  const tags = new Map<number, number>();
  for (let index = 0; index < MOST_DYNAMIC_ENTRIES; index++) {
    const entry = readBytes(memory, dynamicAt + index * 16, 16);
    const tag = Number(entry.readBigUInt64LE());
    if (tag === DT_NULL) return tags;
    tags.set(tag, Number(entry.readBigUInt64LE(8)));
  }
  throw new UnknownJvm('its dynamic section has no end');
}
