/** Protobuf without a schema: a message as fields that can be changed and written again, whatever they then hold. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Buffer | readonly Field[];
}

const MAX_DEPTH = 6;

/** Undefined when the bytes are no message. Bytes that could be one are taken for one. */
export function parseFields(bytes: Buffer, depth = 0): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const key = readVarint(bytes, at);
    if (key === undefined) return undefined;
    const kind = Number(key.value & 7n);
    const number = Number(key.value >> 3n);
    const head = readVarint(bytes, key.end);
    if (head === undefined || number === 0) return undefined;
    at = head.end;
    if (kind === 0) fields.push({ number, value: head.value });
    else if (kind !== 2 || at + Number(head.value) > bytes.length) return undefined;
    else {
      const content = bytes.subarray(at, at + Number(head.value));
      const inner = depth < MAX_DEPTH && content.length > 1 ? parseFields(content, depth + 1) : undefined;
      fields.push({ number, value: inner ?? content });
      at += content.length;
    }
  }
  return fields;
}

export function renderFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(({ number, value }) => {
      if (typeof value === 'bigint') return Buffer.concat([varint(BigInt(number) << 3n), varint(value)]);
      const content = Buffer.isBuffer(value) ? value : renderFields(value);
      return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(content.length)), content]);
    }),
  );
}

function readVarint(bytes: Buffer, at: number): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  for (let index = 0; index < 10 && at + index < bytes.length; index++) {
    const byte = bytes[at + index] ?? 0;
    value |= BigInt(byte & 127) << BigInt(7 * index);
    if (byte < 128) return { value: BigInt.asUintN(64, value), end: at + index + 1 };
  }
  return undefined;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let left = BigInt.asUintN(64, value); ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
}
