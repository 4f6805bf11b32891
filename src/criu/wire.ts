/**
 * Just enough protobuf to read CRIU's images: a message is a list of (field number, wire type, value).
 * https://protobuf.dev/programming-guides/encoding/. A shape names the fields that are wanted; others are
 * skipped, and listed where the shape has a field `others`.
 */
type Raw = bigint | Uint8Array;
interface Field<T> {
  readonly number: number;
  initial(): T;
  /** `before`: what earlier occurrences of the field gave. */
  read(raw: Raw, before: T): T;
}
export type Shape = Readonly<Record<string, Field<unknown>>>;
export type Message<S extends Shape> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

export const uint = (number: number): Field<number> => scalar(number, 0, (value) => narrow(number, value));
/** 64 bits, unsigned; above 2^53 (the vsyscall page) only as exact as a double. */
export const ulong = (number: number): Field<number> => scalar(number, 0, Number);
export const uint64 = (number: number): Field<bigint> => scalar(number, 0n, (value) => value);
export const sint = (number: number): Field<number> =>
  scalar(number, 0, (value) => Number((value >> 1n) ^ -(value & 1n)));
export const flag = (number: number): Field<boolean> => scalar(number, false, (value) => value !== 0n);
export const bytes = (number: number): Field<Uint8Array> => ({
  number,
  initial: () => new Uint8Array(),
  read: asBytes,
});
export const text = (number: number): Field<string> => ({
  number,
  initial: () => '',
  read: (raw) => Buffer.from(asBytes(raw)).toString('utf8'),
});
export const message = <S extends Shape>(number: number, shape: S): Field<Message<S> | undefined> => ({
  number,
  initial: () => undefined,
  read: (raw) => decodeMessage(shape, asBytes(raw)),
});
export const messages = <S extends Shape>(number: number, shape: S): Field<readonly Message<S>[]> =>
  list(number, (raw) => [decodeMessage(shape, asBytes(raw))]);
/** Repeated numbers, packed or not. */
export const uints = (number: number): Field<readonly number[]> =>
  list(number, (raw) => scalars(raw).map((value) => narrow(number, value)));
export const uint64s = (number: number): Field<readonly bigint[]> => list(number, scalars);

const OTHERS = 0; // no field can have this number
/** Numbers of the fields that are neither in the shape nor known to mean nothing here. */
export const others = (...ignored: readonly number[]): Field<readonly number[]> =>
  list(OTHERS, (number) => [Number(number)].filter((other) => !ignored.includes(other)));

export function decodeMessage<S extends Shape>(shape: S, data: Uint8Array): Message<S> {
  const names = new Map(Object.entries(shape).map(([name, field]) => [field.number, name]));
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape)) values[name] = field.initial();
  for (const [number, raw] of readFields(data)) {
    const isKnown = names.has(number);
    const name = names.get(isKnown ? number : OTHERS);
    const field = name === undefined ? undefined : shape[name];
    if (name !== undefined && field !== undefined)
      values[name] = field.read(isKnown ? raw : BigInt(number), values[name]);
  }
  return values as Message<S>;
}

const MAX_FIELD_NUMBER = 2 ** 29 - 1;

function* readFields(data: Uint8Array): Generator<[number, Raw]> {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const cursor = { at: 0 };
  while (cursor.at < view.length) {
    const key = Number(readVarint(view, cursor));
    const number = Math.floor(key / 8);
    if (number === 0 || number > MAX_FIELD_NUMBER) throw new RangeError(`not a protobuf message (field ${number})`);
    yield [number, readValue(view, cursor, key % 8)];
  }
}

function readValue(view: Buffer, cursor: { at: number }, wireType: number): Raw {
  if (wireType === 0) return readVarint(view, cursor);
  const size = wireType === 1 ? 8 : wireType === 5 ? 4 : wireType === 2 ? Number(readVarint(view, cursor)) : -1;
  const start = cursor.at;
  if (size < 0 || start + size > view.length) throw new RangeError(`not a protobuf message (wire type ${wireType})`);
  cursor.at += size;
  if (wireType === 1) return view.readBigUInt64LE(start);
  if (wireType === 5) return BigInt(view.readUInt32LE(start));
  return view.subarray(start, start + size);
}

function readVarint(view: Buffer, cursor: { at: number }): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = view[cursor.at++];
    if (byte === undefined) break;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asUintN(64, value);
  }
  throw new RangeError('not a protobuf message (number without an end)');
}

function scalar<T>(number: number, initial: T, read: (value: bigint) => T): Field<T> {
  return {
    number,
    initial: () => initial,
    read: (raw) => {
      if (typeof raw !== 'bigint') throw new RangeError(`field ${number} is not a number`);
      return read(raw);
    },
  };
}

/** Grows in place: an image may have very many of them. */
function list<T>(number: number, read: (raw: Raw) => readonly T[]): Field<readonly T[]> {
  return {
    number,
    initial: () => [],
    read: (raw, before) => {
      for (const value of read(raw)) (before as T[]).push(value);
      return before;
    },
  };
}

function narrow(number: number, value: bigint): number {
  if (value > 0xffffffffn) throw new RangeError(`field ${number} has more than 32 bits`);
  return Number(value);
}

function scalars(raw: Raw): bigint[] {
  if (typeof raw === 'bigint') return [raw];
  const view = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const cursor = { at: 0 };
  const values: bigint[] = [];
  while (cursor.at < view.length) values.push(readVarint(view, cursor));
  return values;
}

function asBytes(raw: Raw): Uint8Array {
  if (typeof raw === 'bigint') throw new RangeError('a number where bytes were expected');
  return raw;
}
