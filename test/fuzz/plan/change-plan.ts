/** Changes fields of a plan by the tables of format.ts, so that new fields are changed, too. */
import { FIELD_BYTES, LAYOUTS, PLAN_BASE, RESTORER_BASE, SECTION_STRUCTS } from '../../../src/restore-plan/format.ts';
import { decodePlan, offsetOf, planChecksum } from '../../../src/restore-plan/read-plan.ts';
import type { Random } from '../random.ts';

export interface Change {
  readonly struct: 'header' | (typeof SECTION_STRUCTS)[number];
  readonly index: number;
  readonly field: string;
  readonly value: bigint;
}

const SECTION_ENTRY_BYTES = 16;
/** Whatever these hold, the file is not looked at any further. */
const IDENTITY = /^(magic|version|header_size|arch|page_size|file_size|crc32|sections|reserved)$/;

/** The changed plan, with the right checksum. */
export function changePlan(plan: Buffer, changes: readonly Change[]): Buffer {
  const changed = Buffer.from(plan);
  for (const { struct, index, field, value } of changes) {
    const at = startOf(plan, struct, index) + offsetOf(struct, field);
    const isWide = LAYOUTS[struct].find(([name]) => name === field)?.[1] === 'u64';
    if (isWide) changed.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    else changed.writeUInt32LE(Number(BigInt.asUintN(32, value)), at);
  }
  changed.writeUInt32LE(planChecksum(changed), offsetOf('header', 'crc32'));
  return changed;
}

export function chooseChange(plan: Buffer, random: Random): Change {
  const { header, sections } = decodePlan(plan);
  const filled = SECTION_STRUCTS.filter((name) => sections[name].length > 0);
  const struct = random.below(4) === 0 ? 'header' : random.pick(['header', ...filled] as const);
  const records: readonly object[] = struct === 'header' ? [header] : sections[struct];
  const index = random.below(records.length);
  const fields = LAYOUTS[struct].filter(([name, type]) => !IDENTITY.test(name) && FIELD_BYTES[type] <= 8);
  const [field] = random.pick(fields) ?? ['flags'];
  const now = BigInt((records[index] as Readonly<Record<string, number | bigint>>)[field] ?? 0);
  const area = random.pick(sections.mem);
  const values = [
    ...[0n, 1n, 2n, 7n, 65n, 4096n, 1n << 31n, 0xffffffffn, 1n << 32n, 1n << 47n, 1n << 63n, (1n << 64n) - 1n],
    ...[now + 1n, now - 1n, now + 4096n, now - 4096n, now * 2n, now ^ (1n << BigInt(random.below(64)))],
    ...[BigInt(plan.length), BigInt(plan.length - 1), header.mem_size, BigInt(PLAN_BASE), BigInt(RESTORER_BASE)],
    ...(area === undefined ? [] : [area.address, area.address + area.length, area.address + area.length - 4n]),
  ];
  return { struct, index, field, value: random.pick(values) ?? 0n };
}

function startOf(plan: Buffer, struct: Change['struct'], index: number): number {
  if (struct === 'header') return 0;
  const entry = offsetOf('header', 'sections') + SECTION_STRUCTS.indexOf(struct) * SECTION_ENTRY_BYTES;
  return plan.readUInt32LE(entry) + index * plan.readUInt32LE(entry + 8);
}
