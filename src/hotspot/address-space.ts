/** The memory of a JVM that was dumped, and how its values are read. */

export interface AddressSpace {
  /** Undefined where not all of it is known. */
  readonly read: (address: number, length: number) => Buffer | undefined;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What is read is not what this JVM was expected to hold: from here on nothing of it can be relied on. */
export class UnknownJvm extends Error {}

const WORD_BYTES = 8;
const TEXT_CHUNK_BYTES = 64;
const MOST_TEXT_BYTES = 512;

/** A pointer or size_t. */
export function readWord(memory: AddressSpace, address: number): number {
  const word = Number(readBytes(memory, address, WORD_BYTES).readBigUInt64LE());
  if (!Number.isSafeInteger(word)) throw new UnknownJvm(`0x${address.toString(16)} holds no address`);
  return word;
}

export function readFlag(memory: AddressSpace, address: number): boolean {
  const byte = readBytes(memory, address, 1)[0] ?? 0;
  if (byte > 1) throw new UnknownJvm(`0x${address.toString(16)} holds neither true nor false`);
  return byte === 1;
}

/** A string of C. */
export function readText(memory: AddressSpace, address: number): string {
  let text = '';
  for (let at = address; text.length < MOST_TEXT_BYTES; ) {
    const chunk = readBytes(memory, at, TEXT_CHUNK_BYTES - (at % TEXT_CHUNK_BYTES));
    const end = chunk.indexOf(0);
    if (end >= 0) return text + chunk.toString('latin1', 0, end);
    text += chunk.toString('latin1');
    at += chunk.length;
  }
  throw new UnknownJvm(`0x${address.toString(16)} holds no name`);
}

export function readBytes(memory: AddressSpace, address: number, length: number): Buffer {
  const bytes = memory.read(address, length);
  if (bytes === undefined) throw new UnknownJvm(`0x${address.toString(16)} is not in the dump`);
  return bytes;
}
