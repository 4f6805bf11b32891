/** plan.bin → what is in it: the counterpart of renderPlan, by the same tables. */
import { crc32 } from 'node:zlib';
import { CracBuildError } from '../errors.ts';
import { findPlanFault } from './check-plan.ts';
import {
  ARCH_X86_64,
  FIELD_BYTES,
  LAYOUTS,
  PAGE_BYTES,
  PLAN_BASE,
  PLAN_MAGIC,
  PLAN_VERSION,
  RESTORER_BASE,
  RESTORER_END,
  SECTION_COUNT,
  SECTION_STRUCTS,
  type StructName,
  structBytes,
} from './format.ts';
import type { PlanValues, RestorePlan } from './plan-values.ts';

const SECTION_ENTRY_BYTES = 16;
const SECTION_ALIGNMENT = 64;
/** Up to here a header of any version tells what it is. */
const SIZE_END = 16;

/** Throws IMAGE_INVALID where the restorer would not take the plan either. */
export function parsePlan(bytes: Buffer): RestorePlan {
  const plan = decodePlan(bytes);
  const fault = findPlanFault(plan);
  if (fault !== undefined) throw invalid(fault);
  return plan;
}

/** What the records refer to may not be there. */
export function decodePlan(bytes: Buffer): RestorePlan {
  const header = parsePlanHeader(bytes);
  const table = parseSectionTable(bytes, header.sections);
  if (planChecksum(bytes) !== header.crc32) throw damaged('checksum');
  const blobPlace = table[SECTION_COUNT - 1] ?? { start: 0, count: 0 };
  return {
    header,
    sections: Object.fromEntries(
      SECTION_STRUCTS.map((struct, index) => {
        const { start, count } = table[index] ?? { start: 0, count: 0 };
        const size = structBytes(struct);
        return [struct, Array.from({ length: count }, (_, record) => readRecord(bytes, start + record * size, struct))];
      }),
    ) as unknown as RestorePlan['sections'],
    blob: bytes.subarray(blobPlace.start, blobPlace.start + blobPlace.count),
    blobAddress: header.map_address + BigInt(blobPlace.start),
  };
}

/** The header alone, of a plan of this version; the sections need not be there. */
export function parsePlanHeader(bytes: Buffer): PlanValues<'header'> {
  if (bytes.length < SIZE_END || bytes.readBigUInt64LE(0) !== PLAN_MAGIC)
    throw invalid('is not a restore plan', 'Give the plan.bin of an image that crac-build has made.');
  const version = bytes.readUInt32LE(8);
  if (version !== PLAN_VERSION)
    throw invalid(
      `has version ${version}, this crac-build knows version ${PLAN_VERSION}`,
      'Use the crac-build that made the image, or build the image again.',
    );
  if (bytes.readUInt32LE(offsetOf('header', 'header_size')) !== structBytes('header'))
    throw invalid('has a header of another size');
  if (bytes.length < structBytes('header')) throw invalid('is truncated');
  const header = readRecord(bytes, 0, 'header');
  if (header.arch !== ARCH_X86_64) throw invalid(`is for another architecture (${header.arch})`);
  if (header.page_size !== PAGE_BYTES) throw invalid(`is for pages of ${header.page_size} bytes`);
  return header;
}

/** CRC-32 of the file, taken with the field itself 0. */
export function planChecksum(bytes: Buffer): number {
  const at = offsetOf('header', 'crc32');
  const after = at + FIELD_BYTES.u32;
  return crc32(bytes.subarray(after), crc32(Buffer.alloc(FIELD_BYTES.u32), crc32(bytes.subarray(0, at))));
}

export function offsetOf(struct: StructName, field: string): number {
  let offset = 0;
  for (const [name, type] of LAYOUTS[struct]) {
    if (name === field) return offset;
    offset += FIELD_BYTES[type];
  }
  throw new Error(`${struct} has no ${field}`);
}

interface Place {
  readonly start: number;
  readonly count: number;
}

function parseSectionTable(bytes: Buffer, table: Buffer): readonly Place[] {
  const header = readRecord(bytes, 0, 'header');
  if (header.file_size > BigInt(bytes.length)) throw invalid('is truncated');
  if (header.file_size !== BigInt(bytes.length)) throw invalid('has a wrong size');
  let end = structBytes('header');
  const places = Array.from({ length: SECTION_COUNT }, (_, index) => {
    const [start, count, size] = [0, 4, 8].map((at) => table.readUInt32LE(index * SECTION_ENTRY_BYTES + at)) as [
      number,
      number,
      number,
    ];
    const struct = SECTION_STRUCTS[index];
    const isInOrder = start >= end && start % SECTION_ALIGNMENT === 0;
    end = start + count * size;
    if (size !== (struct === undefined ? 1 : structBytes(struct)) || !isInOrder || end > bytes.length)
      throw damaged(`section ${index}`);
    return { start, count };
  });
  const { restorer_start: from, restorer_end: to, map_address: at } = header;
  if (from !== BigInt(RESTORER_BASE) || to !== BigInt(RESTORER_END))
    throw invalid('was made for a restorer at another address');
  if (at < BigInt(PLAN_BASE) || at + BigInt(bytes.length) > BigInt(RESTORER_END) || at % BigInt(PAGE_BYTES) !== 0n)
    throw invalid('does not fit where it is to be mapped');
  return places;
}

function readRecord<S extends StructName>(bytes: Buffer, at: number, struct: S): PlanValues<S> {
  const values: Record<string, number | bigint | Buffer> = {};
  let offset = at;
  for (const [field, type] of LAYOUTS[struct]) {
    if (type === 'u64') values[field] = bytes.readBigUInt64LE(offset);
    else if (type === 'u32') values[field] = bytes.readUInt32LE(offset);
    else values[field] = bytes.subarray(offset, offset + FIELD_BYTES[type]);
    offset += FIELD_BYTES[type];
  }
  return values as PlanValues<S>;
}

function damaged(what: string): CracBuildError {
  return invalid(`is damaged (${what})`);
}

function invalid(what: string, hint = 'Build the image again, or copy it again from where it came.'): CracBuildError {
  return new CracBuildError('IMAGE_INVALID', `plan.bin ${what}`, { hint });
}
