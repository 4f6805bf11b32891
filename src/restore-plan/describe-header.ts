/** The header in words, field by field: a new field shows by itself. */
import { renderBytes } from '../report/render-bytes.ts';
import { LAYOUTS } from './format.ts';
import { hex, isAddress, type PlanValue, signedIfTime, textOfField } from './plan-to-json.ts';
import type { PlanValues, RestorePlan } from './plan-values.ts';

type Field = keyof PlanValues<'header'>;

const NS_PER_S = 1e9;
/** Told in other words, or of no interest to people. */
const UNTOLD: readonly Field[] = [
  ...(['magic', 'version', 'header_size', 'arch', 'page_size', 'file_size', 'crc32', 'sections', 'mem_size'] as const),
  ...(['auxv_blob', 'vdso_blob'] as const),
];
/** Of these 0 says something; otherwise it is "none". */
const ZERO_COUNTS: readonly Field[] = ['umask', 'monotonic_ns', 'boottime_ns'];

export function describeHeader(plan: RestorePlan): string[] {
  return LAYOUTS.header.flatMap(([field]) => {
    const value: PlanValue = plan.header[field];
    const isNone = (value === 0 || value === 0n) && !ZERO_COUNTS.includes(field);
    return isNone || UNTOLD.includes(field) ? [] : [`${nameOf(field)}: ${renderValue(field, value, plan)}`];
  });
}

function nameOf(field: Field): string {
  return field.replace(/_(blob|ns|bytes)$/, '').replaceAll('_', ' ');
}

function renderValue(field: Field, value: PlanValue, plan: RestorePlan): string {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (field === 'umask') return value.toString(8).padStart(4, '0');
  if (/_(size|bytes)$/.test(field)) return renderBytes(Number(value));
  if (typeof value === 'number') return textOfField('header', field, plan.header, plan) ?? `${value}`;
  if (field.endsWith('_ns')) return `${Number(signedIfTime(field, value)) / NS_PER_S} s`;
  return isAddress(field) ? hex(value) : `${signedIfTime(field, value)}`;
}
