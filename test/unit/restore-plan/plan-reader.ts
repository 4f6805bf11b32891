/** Reads records of a plan by the golden layout. */
import { readFileSync } from 'node:fs';

const golden = JSON.parse(readFileSync(new URL('../../golden/plan-format.json', import.meta.url), 'utf8')) as {
  constants: Record<string, number | string>;
  structs: Record<string, { size: number; fields: Record<string, [number, number]> }>;
};
type Values = Record<string, number>;

export function readHeader(plan: Buffer): Values {
  return readStruct(plan, 0, 'crac_header');
}

export function readSection(plan: Buffer, section: string, struct: string): Values[] {
  const { offset, count, bytes } = place(plan, section);
  return Array.from({ length: count }, (_, index) => readStruct(plan, offset + index * bytes, struct));
}

export function sectionStart(plan: Buffer, section: string): number {
  return place(plan, section).offset;
}

export function blobText(plan: Buffer, at: number): string {
  const start = place(plan, 'CRAC_BLOB').offset + at;
  return plan.toString('utf8', start, plan.indexOf(0, start));
}

export function blobBytes(plan: Buffer, at: number, size: number): Buffer {
  const start = place(plan, 'CRAC_BLOB').offset + at;
  return plan.subarray(start, start + size);
}

function place(plan: Buffer, section: string): { offset: number; count: number; bytes: number } {
  const at = (golden.structs['crac_header']?.fields['sections']?.[0] ?? 0) + Number(golden.constants[section]) * 16;
  return { offset: plan.readUInt32LE(at), count: plan.readUInt32LE(at + 4), bytes: plan.readUInt32LE(at + 8) };
}

function readStruct(plan: Buffer, at: number, struct: string): Values {
  const values: Values = {};
  for (const [name, [offset, size]] of Object.entries(golden.structs[struct]?.fields ?? {})) {
    if (size === 8) values[name] = Number(plan.readBigUInt64LE(at + offset));
    if (size === 4) values[name] = plan.readUInt32LE(at + offset);
  }
  return values;
}
