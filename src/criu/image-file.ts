/**
 * CRIU's image files: `u32 magic, u32 second magic, { u32 size, message, payload }…`, little endian. The first magic is
 * common to all, the second names the kind. https://criu.org/Images
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { decodeMessage, type Message, type Shape } from './wire.ts';

const COMMON_MAGIC = 0x54564319;
const MAGICS = {
  pstree: 0x50273030,
  core: 0x55053847,
  mm: 0x57492820,
  pagemap: 0x56084025,
  fdinfo: 0x56213732,
  files: 0x56303138,
  fs: 0x51403912,
  timens: 0x43114433,
  'pipes-data': 0x56453709,
  'sk-queues': 0x56264026,
  memfd: 0x48453499,
  'remap-fpath': 0x59133954,
} as const;
export type ImageKind = keyof typeof MAGICS;

/** All records of a file; none when the file does not exist. `payload`: bytes that follow each message. */
export function readImage<S extends Shape>(
  dir: string,
  name: string,
  kind: ImageKind,
  shape: S,
  payloadBytes: (record: Message<S>) => number = () => 0,
): readonly { readonly record: Message<S>; readonly payload: Buffer }[] {
  const path = join(dir, `${name}.img`);
  if (!existsSync(path)) return [];
  const { records } = openImage(path, kind);
  return records((data) => decodeMessage(shape, data), payloadBytes);
}

export function readOne<S extends Shape>(dir: string, name: string, kind: ImageKind, shape: S): Message<S> {
  const [first] = readImage(dir, name, kind, shape);
  if (first === undefined) throw damaged(`${name}.img`, 'is missing or empty');
  return first.record;
}

/** pagemap-N.img: one head, then entries of another shape. */
export function readHeadAndRest<H extends Shape, S extends Shape>(
  dir: string,
  name: string,
  kind: ImageKind,
  head: H,
  shape: S,
): { readonly head: Message<H>; readonly rest: readonly Message<S>[] } {
  const path = join(dir, `${name}.img`);
  const { bytes } = openImage(path, kind);
  const [first, ...rest] = bytes();
  if (first === undefined) throw damaged(path, 'is empty');
  return decodeOrReport(path, () => ({
    head: decodeMessage(head, first),
    rest: rest.map((data) => decodeMessage(shape, data)),
  }));
}

function openImage(path: string, kind: ImageKind) {
  if (!existsSync(path)) throw damaged(path, 'is missing');
  const file = readFileSync(path);
  if (file.length < 8 || file.readUInt32LE(0) !== COMMON_MAGIC || file.readUInt32LE(4) !== MAGICS[kind])
    throw damaged(path, `is not a CRIU image of kind ${kind}`);
  return {
    bytes: () => records((data) => data).map(({ record }) => record),
    records,
  };

  function records<T>(decode: (data: Buffer) => T, payloadBytes: (record: T) => number = () => 0) {
    const all: { record: T; payload: Buffer }[] = [];
    for (let at = 8; at < file.length; ) {
      const end = at + 4 <= file.length ? at + 4 + file.readUInt32LE(at) : Number.POSITIVE_INFINITY;
      if (end > file.length) throw damaged(path, 'is truncated');
      const record = decodeOrReport(path, () => decode(file.subarray(at + 4, end)));
      at = end + payloadBytes(record);
      if (at > file.length) throw damaged(path, 'is truncated');
      all.push({ record, payload: file.subarray(end, at) });
    }
    return all;
  }
}

function decodeOrReport<T>(path: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
}

/** `path`: of the image, or its kind. */
export function damaged(path: string, what: string): CracBuildError {
  return new CracBuildError('CHECKPOINT_FAILED', `CRIU's image ${path}: ${what}`, {
    hint: 'Take the checkpoint again; CRIU 4.2 or newer is needed',
  });
}
