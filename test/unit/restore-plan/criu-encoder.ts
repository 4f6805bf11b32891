/** Writes protobuf and CRIU image files, so that fixtures can be read in the test that uses them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Scalar = number | bigint | boolean | string | Uint8Array;
export type Fields = { readonly [number: number]: Scalar | Fields | readonly (Scalar | Fields)[] };

export function encodeMessage(fields: Fields): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([number, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) => encodeField(Number(number), one)),
    ),
  );
}

const COMMON_MAGIC = 0x54564319;

/** `records`: messages, or raw bytes that follow one. */
export function writeImage(dir: string, name: string, magic: number, records: readonly (Fields | Buffer)[]): void {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(COMMON_MAGIC, 0);
  head.writeUInt32LE(magic, 4);
  const parts = records.flatMap((record) => {
    if (Buffer.isBuffer(record)) return [record];
    const message = encodeMessage(record);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(message.length);
    return [size, message];
  });
  writeFileSync(join(dir, `${name}.img`), Buffer.concat([head, ...parts]));
}

function encodeField(number: number, value: Scalar | Fields): Buffer {
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint')
    return Buffer.concat([varint(BigInt(number << 3)), varint(BigInt.asUintN(64, BigInt(value)))]);
  const bytes =
    typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? value : encodeMessage(value);
  return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
}
