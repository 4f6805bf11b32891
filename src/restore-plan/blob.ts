/** Grows the BLOB section. Offset 0 is the empty string, so that 0 can mean "none". */
export class Blob {
  readonly #parts: Buffer[] = [Buffer.alloc(1)];
  readonly #texts = new Map<string, number>();
  readonly #pointers: { readonly at: number; readonly target: number }[] = [];
  #size = 1;

  add(bytes: Uint8Array, align = 1): number {
    const offset = Math.ceil(this.#size / align) * align;
    this.#parts.push(Buffer.alloc(offset - this.#size), Buffer.from(bytes));
    this.#size = offset + bytes.length;
    return offset;
  }

  text(value: string): number {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const offset = this.add(Buffer.from(`${value}\0`));
    this.#texts.set(value, offset);
    return offset;
  }

  /** A 64-bit word at `at` that is to hold the address of `target` (both blob offsets). */
  pointer(at: number, target: number): void {
    this.#pointers.push({ at, target });
  }

  /** `address`: where the blob will lie in the restored process. */
  render(address: number): Buffer {
    const bytes = Buffer.concat(this.#parts);
    for (const { at, target } of this.#pointers) bytes.writeBigUInt64LE(BigInt(address + target), at);
    return bytes;
  }
}
