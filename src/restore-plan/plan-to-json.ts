/** Every record of a plan with every field, by the tables of format.ts: what is new there is here, too. */
import { FD, MEM, SECTION_STRUCTS, type StructName } from './format.ts';
import { type PlanValues, type RestorePlan, readText } from './plan-values.ts';

export type PlanValue = number | bigint | Buffer;

/** Blob offsets of strings as the strings; addresses, masks and what is above 2^53 as "0x…". */
export function planToJson(plan: RestorePlan): Record<string, unknown> {
  const sections = SECTION_STRUCTS.map((struct) => [
    struct,
    plan.sections[struct].map((record) => recordToJson(struct, record, plan)),
  ]);
  return { header: recordToJson('header', plan.header, plan), ...Object.fromEntries(sections) };
}

function recordToJson(struct: StructName, record: object, plan: RestorePlan): object {
  const fields = Object.entries(record as Readonly<Record<string, PlanValue>>)
    .filter(([field]) => field !== 'reserved' && field !== 'sections')
    .map(([field, value]) => {
      const known = field === 'kind' ? nameOfKind(struct, Number(value)) : textOfField(struct, field, record, plan);
      return [field, known ?? valueToJson(field, value)];
    });
  return Object.fromEntries(fields);
}

export function nameOfKind(struct: StructName, kind: number): string {
  const kinds: Readonly<Record<string, number>> = struct === 'fd' ? FD : MEM;
  return Object.keys(kinds).find((name) => kinds[name] === kind) ?? `kind ${kind}`;
}

/** The string of a `…_blob` field that has no `…_size` beside it; a pipe's `path_blob` is its capacity. */
export function textOfField(struct: StructName, field: string, record: object, plan: RestorePlan): string | undefined {
  const offset = (record as Readonly<Record<string, PlanValue>>)[field];
  if (!field.endsWith('_blob') || field.replace(/_blob$/, '_size') in record) return undefined;
  if (struct === 'fd' && (record as PlanValues<'fd'>).kind === FD.PIPE) return undefined;
  return typeof offset === 'number' ? readText(plan.blob, offset) : undefined;
}

export function textOfName(name: Buffer): string {
  return name.toString('utf8').replace(/\0.*$/s, '');
}

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** Of 64 bits, all that is no size, time or number. */
export function isAddress(field: string): boolean {
  return field === 'nano_offset' || !/(size|bytes|_ns|_s|length|offset|soft|hard)$|^[abcd]$/.test(field);
}

/** As C has it. */
export function signedIfTime(field: string, value: bigint): bigint {
  return /_(ns|s)$/.test(field) ? BigInt.asIntN(64, value) : value;
}

function valueToJson(field: string, value: PlanValue): string | number {
  if (Buffer.isBuffer(value)) return field === 'name' ? textOfName(value) : value.toString('hex');
  if (typeof value === 'number') return value;
  const number = Number(signedIfTime(field, value));
  return isAddress(field) || !Number.isSafeInteger(number) ? hex(value) : number;
}
