/** Changes a dump: a field of a message, records, or plain bytes of one of its images. */
import type { Random } from '../random.ts';
import { type Field, parseFields, renderFields } from './protobuf-tree.ts';

/** Image files by name. */
export type DumpFiles = ReadonlyMap<string, Buffer>;

const MAGIC_BYTES = 8;
const MAX_IMAGE_BYTES = 1 << 16;
const WORDS: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 7n, 255n, 4095n, 4096n, 4097n, 65536n, 1n << 31n, (1n << 31n) - 1n, 1n << 32n, (1n << 32n) - 1n],
  ...[
    1n << 47n,
    (1n << 47n) - 4096n,
    (1n << 53n) + 1n,
    1n << 63n,
    (1n << 63n) - 1n,
    (1n << 64n) - 1n,
    (1n << 64n) - 4096n,
  ],
  ...[0x200000000000n, 0x200010000000n, 0x1000_0000n, 0x2000_0000n, 0x3000_0000n, 0x4000_2000n, 100n, 202n],
];

export function mutateDump(dump: DumpFiles, others: readonly DumpFiles[], random: Random): DumpFiles {
  const changed = new Map(dump);
  for (let left = 1 + random.below(3); left > 0; left--) {
    const name = random.pick([...changed.keys()]);
    const content = name === undefined ? undefined : changed.get(name);
    if (name === undefined || content === undefined) continue;
    const other = random.pick(others)?.get(name) ?? content;
    if (random.below(200) === 0) changed.delete(name);
    else changed.set(name, mutateImage(content, other, random).subarray(0, MAX_IMAGE_BYTES));
  }
  return changed;
}

function mutateImage(image: Buffer, other: Buffer, random: Random): Buffer {
  const records = random.below(20) === 0 ? undefined : parseRecords(image);
  if (records === undefined || records.length === 0) return mutateBytes(image, random);
  const at = random.below(records.length);
  switch (random.below(12)) {
    case 0:
      records.splice(at, 1);
      break;
    case 1:
      records.splice(random.below(records.length + 1), 0, records[at] ?? []);
      break;
    case 2:
      records.splice(at, 1, random.pick(parseRecords(other) ?? [[]]) ?? []);
      break;
    default:
      records[at] = mutateFields(records[at] ?? [], random);
  }
  return renderImage(image, records);
}

function mutateFields(fields: readonly Field[], random: Random): readonly Field[] {
  if (fields.length === 0 || random.below(25) === 0)
    return [...fields, { number: 1 + random.below(22), value: anyValue(random) }];
  const at = random.below(fields.length);
  const { number, value } = fields[at] ?? { number: 1, value: 0n };
  const isInner = typeof value !== 'bigint' && !Buffer.isBuffer(value);
  const choice = random.below(isInner ? 40 : 12);
  if (choice === 0) return fields.toSpliced(at, 1);
  if (choice === 1) return fields.toSpliced(at, 0, { number, value });
  if (choice === 2) return fields.with(at, { number: 1 + random.below(22), value });
  if (choice === 3) return fields.with(at, { number, value: anyValue(random) });
  if (choice === 4) return [...fields, ...Array.from({ length: random.below(50) }, () => ({ number, value }))];
  const changed = isInner
    ? mutateFields(value, random)
    : typeof value === 'bigint'
      ? mutateWord(value, random)
      : mutateBytes(value, random);
  return fields.with(at, { number, value: changed });
}

function mutateWord(value: bigint, random: Random): bigint {
  const near = [value + 1n, value - 1n, value + 4096n, value - 4096n, value ^ (1n << BigInt(random.below(64))), -value];
  return BigInt.asUintN(64, random.below(2) === 0 ? (random.pick(WORDS) ?? 0n) : (random.pick(near) ?? 0n));
}

function anyValue(random: Random): bigint | Buffer {
  return random.below(2) === 0 ? (random.pick(WORDS) ?? 0n) : random.bytes(random.below(20));
}

function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const changed = Buffer.from(bytes);
  switch (random.below(5)) {
    case 0:
      return changed.subarray(0, at);
    case 1:
      return Buffer.concat([changed.subarray(0, at), random.bytes(1 + random.below(12)), changed.subarray(at)]);
    case 2:
      return Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1 + random.below(12))]);
    case 3:
      if (at + 4 <= changed.length) changed.writeUInt32LE(Number(BigInt.asUintN(32, random.pick(WORDS) ?? 0n)), at);
      return changed;
    default:
      if (changed.length > 0) changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
      return changed;
  }
}

/** Undefined where the file is no list of messages alone. */
function parseRecords(image: Buffer): (readonly Field[])[] | undefined {
  const records: (readonly Field[])[] = [];
  for (let at = MAGIC_BYTES; at < image.length; ) {
    if (at + 4 > image.length) return undefined;
    const end = at + 4 + image.readUInt32LE(at);
    const fields = end > image.length ? undefined : parseFields(image.subarray(at + 4, end));
    if (fields === undefined) return undefined;
    records.push(fields);
    at = end;
  }
  return records;
}

function renderImage(image: Buffer, records: readonly (readonly Field[])[]): Buffer {
  const parts = records.flatMap((fields) => {
    const message = renderFields(fields);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(message.length);
    return [size, message];
  });
  return Buffer.concat([image.subarray(0, MAGIC_BYTES), ...parts]);
}
