/** Writes plan.bin by the golden layout alone, so that the restorer is tested against it and not against our writer. */
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

interface Layout {
  readonly constants: Readonly<Record<string, number | string>>;
  readonly structs: Readonly<
    Record<string, { readonly size: number; readonly fields: Readonly<Record<string, readonly [number, number]>> }>
  >;
}
type Value = number | bigint | Uint8Array;
export type Fields = Readonly<Record<string, Value>>;

export const layout: Layout = JSON.parse(
  readFileSync(new URL('../golden/plan-format.json', import.meta.url), 'utf8'),
) as Layout;

export function constant(name: string): bigint {
  const value = layout.constants[name];
  if (value === undefined) throw new Error(`no constant ${name}`);
  return BigInt(value);
}

export function encode(struct: string, values: Fields): Buffer {
  const shape = layout.structs[struct];
  if (shape === undefined) throw new Error(`no struct ${struct}`);
  const bytes = Buffer.alloc(shape.size);
  for (const [name, value] of Object.entries(values)) write(bytes, fieldOf(struct, name), value);
  return bytes;
}

export function fieldOf(struct: string, name: string): readonly [offset: number, size: number] {
  const field = layout.structs[struct]?.fields[name];
  if (field === undefined) throw new Error(`no field ${struct}.${name}`);
  return field;
}

function write(bytes: Buffer, [offset, size]: readonly [number, number], value: Value): void {
  if (value instanceof Uint8Array) bytes.set(value.subarray(0, size), offset);
  else if (size === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), offset);
  else bytes.writeUInt32LE(Number(BigInt.asUintN(32, BigInt(value))), offset);
}

/** Grows the BLOB section; what is put in gets its offset there. */
export class Blob {
  readonly #parts: Buffer[] = [];
  #size = 0;

  add(bytes: Uint8Array, align = 1): number {
    const padding = (align - (this.#size % align)) % align;
    this.#parts.push(Buffer.alloc(padding), Buffer.from(bytes));
    const offset = this.#size + padding;
    this.#size = offset + bytes.length;
    return offset;
  }

  text(value: string): number {
    return this.add(Buffer.from(`${value}\0`));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

const SECTIONS = [
  'mem',
  'file',
  'thread',
  'sigact',
  'fd',
  'epoll',
  'time',
  'tidfix',
  'vdso_symbol',
  'cpu',
  'prefetch',
  'socket',
  'sockopt',
] as const;
export type Sections = Readonly<Record<(typeof SECTIONS)[number], readonly Fields[]>>;

/** Blob offsets are known before the sections are counted, addresses inside the plan only after: `threads` gets them. */
export function blobOffset(sections: Readonly<Record<string, readonly unknown[]>>): number {
  let offset = align64(layout.structs['crac_header']?.size ?? 0);
  for (const name of SECTIONS) {
    offset = align64(offset + (sections[name]?.length ?? 0) * (layout.structs[`crac_${name}`]?.size ?? 0));
  }
  return offset;
}

export function composePlan(header: Fields, sections: Sections, blob: Blob): Buffer {
  const parts: Buffer[] = [];
  const table: Buffer[] = [];
  let offset = align64(layout.structs['crac_header']?.size ?? 0);
  const append = (bytes: Buffer, count: number, recordSize: number): void => {
    table.push(numbers(offset, count, recordSize, 0));
    const padded = Buffer.alloc(align64(bytes.length));
    bytes.copy(padded);
    parts.push(padded);
    offset += padded.length;
  };
  for (const name of SECTIONS) {
    const records = sections[name].map((record) => encode(`crac_${name}`, record));
    append(Buffer.concat(records), records.length, layout.structs[`crac_${name}`]?.size ?? 0);
  }
  append(blob.bytes(), blob.bytes().length, 1);
  const head = Buffer.alloc(align64(layout.structs['crac_header']?.size ?? 0));
  encode('crac_header', {
    magic: constant('CRAC_PLAN_MAGIC'),
    version: constant('CRAC_PLAN_VERSION'),
    header_size: layout.structs['crac_header']?.size ?? 0,
    arch: constant('CRAC_ARCH_X86_64'),
    page_size: 4096,
    map_address: constant('CRAC_PLAN_BASE'),
    restorer_start: constant('CRAC_RESTORER_BASE'),
    restorer_end: constant('CRAC_RESTORER_END'),
    file_size: offset,
    sections: Buffer.concat(table),
    ...header,
  }).copy(head);
  return seal(Buffer.concat([head, ...parts]));
}

/** Sets the checksum, again after a change. */
export function seal(plan: Buffer): Buffer {
  const [offset] = fieldOf('crac_header', 'crc32');
  plan.writeUInt32LE(0, offset);
  plan.writeUInt32LE(crc32(plan), offset);
  return plan;
}

export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
}

function align64(value: number): number {
  return (value + 63) & ~63;
}
