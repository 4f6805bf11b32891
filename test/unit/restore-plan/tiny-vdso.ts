/** An ELF file with nothing but a dynamic symbol table. */
export function renderVdso(names: readonly string[], size: number): Buffer {
  const elf = Buffer.alloc(size);
  const dynamic = 0x200;
  const symbols = 0x300;
  const strings = symbols + (names.length + 1) * 24;
  elf.writeUInt32BE(0x7f454c46, 0);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(2, 56);
  segment(64, 1, 0, size);
  segment(64 + 56, 2, dynamic, 48);
  for (const [index, [tag, value]] of [
    [5, strings],
    [6, symbols],
  ].entries()) {
    elf.writeBigUInt64LE(BigInt(tag ?? 0), dynamic + index * 16);
    elf.writeBigUInt64LE(BigInt(value ?? 0), dynamic + index * 16 + 8);
  }
  let text = strings + 1;
  for (const [index, name] of names.entries()) {
    const at = symbols + (index + 1) * 24;
    elf.writeUInt32LE(text - strings, at);
    elf[at + 4] = 0x12; // global function
    elf.writeUInt16LE(1, at + 6);
    elf.writeBigUInt64LE(BigInt(0x800 + index * 16), at + 8);
    text += elf.write(`${name}\0`, text);
  }
  return elf;

  function segment(at: number, type: number, offset: number, bytes: number): void {
    elf.writeUInt32LE(type, at);
    for (const [index, value] of [offset, offset, offset, bytes, bytes].entries())
      elf.writeBigUInt64LE(BigInt(value), at + 8 + index * 8);
  }
}
