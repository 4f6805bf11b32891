/** A plan in words, for people; planToJson has every record. */
import { renderBytes } from '../report/render-bytes.ts';
import { describeDescriptor } from './describe-descriptor.ts';
import { LAYOUTS, MEM } from './format.ts';
import { hex, isAddress, type PlanValue, signedIfTime, textOfField, textOfName } from './plan-to-json.ts';
import { type PlanValues, type RestorePlan, readText } from './plan-values.ts';

const NS_PER_S = 1e9;
const THREAD_HELD = 1;
const IGNORED = 1n;
/** Told in other words, or of no interest to people. */
const UNTOLD: readonly string[] = ['magic', 'version', 'header_size', 'file_size', 'crc32', 'sections', 'mem_size'];

export function describePlan(plan: RestorePlan): string {
  const { header, sections } = plan;
  const lines = [
    `format: ${header.version}`,
    ...block(
      'header:',
      LAYOUTS.header
        .map(([field]) => field)
        .filter((field) => !UNTOLD.includes(field))
        .map((field) => describeField(field, plan)),
    ),
    ...block(
      `memory: ${sections.mem.length} records, mem.bin has ${renderBytes(Number(header.mem_size))}`,
      describeMemory(plan),
    ),
    ...block(
      `files: ${sections.file.length}`,
      sections.file.map((file) => describeFile(file, plan)),
    ),
    ...block(`threads: ${sections.thread.length}`, sections.thread.map(describeThread)),
    ...block(`signal actions: ${sections.sigact.length}`, sections.sigact.map(describeAction)),
    ...block(
      `descriptors: ${sections.fd.length}`,
      sections.fd.map((fd) => describeDescriptor(fd, plan)),
    ),
    ...block(
      `epoll registrations: ${sections.epoll.length}`,
      sections.epoll.map(({ epoll_fd, fd, events }) => `${epoll_fd} watches ${fd} for ${hex(events)}`),
    ),
    ...block(`deadlines that move with the clock: ${sections.time.length}`),
    ...block(`places that hold a thread's id: ${sections.tidfix.length}`),
    ...block('vdso functions:', [namesOf(sections.vdso_symbol, plan)]),
    ...block('cpu features:', [namesOf(sections.cpu, plan)]),
    ...block(`read ahead: ${sections.prefetch.length} parts, ${sumLengths(sections.prefetch)}`),
    ...block('checked before anything irreversible:', describeChecks(plan)),
  ];
  return `${lines.join('\n')}\n`;
}

function block(title: string, lines: readonly string[] = []): string[] {
  return [title, ...lines.map((line) => `  ${line}`)];
}

function describeField(field: keyof PlanValues<'header'>, plan: RestorePlan): string {
  return `${field.replace(/_blob$/, '')}: ${renderValue(field, plan.header[field], plan)}`;
}

function renderValue(field: string, value: PlanValue, plan: RestorePlan): string {
  const found = textOfField('header', field, plan.header, plan);
  if (found !== undefined) return found;
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (field === 'umask') return value.toString(8).padStart(4, '0');
  if (/(_size|_bytes)$/.test(field)) return renderBytes(Number(value));
  if (typeof value === 'number') return field.endsWith('_blob') ? `at ${value}` : `${value}`;
  if (field.endsWith('_ns')) return `${Number(signedIfTime(field, value)) / NS_PER_S} s`;
  return isAddress(field) ? hex(value) : `${signedIfTime(field, value)}`;
}

function describeMemory(plan: RestorePlan): string[] {
  return Object.entries(MEM).flatMap(([name, kind]) => {
    const areas = plan.sections.mem.filter((area) => area.kind === kind);
    if (areas.length === 0) return [];
    const total = `${name}: ${areas.length}, ${sumLengths(areas)}`;
    return kind === MEM.FILE ? [total, ...describeMappedFiles(areas, plan).map((line) => `  ${line}`)] : [total];
  });
}

function describeMappedFiles(areas: readonly PlanValues<'mem'>[], plan: RestorePlan): string[] {
  return plan.sections.file.flatMap((file, index) => {
    const own = areas.filter((area) => area.file === index);
    return own.length === 0 ? [] : [`${pathOf(file, plan)}: ${own.length}, ${sumLengths(own)}`];
  });
}

function describeFile(file: PlanValues<'file'>, plan: RestorePlan): string {
  const time = new Date(Number(signedIfTime('mtime_s', file.mtime_s)) * 1000);
  const modified = Number.isNaN(time.getTime()) ? `${file.mtime_s} s` : time.toISOString().replace('.000', '');
  return `${pathOf(file, plan)}: ${file.size} bytes, of ${modified}`;
}

function describeThread(thread: PlanValues<'thread'>, index: number): string {
  const words = [
    `${thread.old_tid} ${textOfName(thread.name)}`,
    ...(index === 0 ? ['the main thread'] : []),
    ...(thread.flags & THREAD_HELD ? ['held until the runtime has taken over'] : []),
  ];
  return words.join(', ');
}

function describeAction({ signal, handler }: PlanValues<'sigact'>): string {
  return `${signal}: ${handler === IGNORED ? 'ignored' : handler === 0n ? 'default' : `handler at ${hex(handler)}`}`;
}

function describeChecks(plan: RestorePlan): string[] {
  const { header, sections } = plan;
  return [
    `mem.bin has ${header.mem_size} bytes`,
    `${sections.file.length} files are there, with their sizes and times`,
    `the processor has ${sections.cpu.length === 0 ? 'no special features' : 'the features above'}`,
    `the memory limit is at least ${renderBytes(Number(header.needed_bytes))}`,
    ...(header.max_heap_bytes === 0n
      ? []
      : [`… and at least the heap's maximum, ${renderBytes(Number(header.max_heap_bytes))}`]),
    `${header.scratch_fd} descriptors may be open`,
  ];
}

function pathOf({ path_blob: path }: PlanValues<'file'>, { blob }: RestorePlan): string {
  return readText(blob, path) ?? '';
}

function namesOf(records: readonly { readonly name_blob: number }[], { blob }: RestorePlan): string {
  return [...new Set(records.map(({ name_blob: name }) => readText(blob, name) ?? ''))].join(', ') || 'none';
}

function sumLengths(parts: readonly { readonly length: bigint }[]): string {
  return renderBytes(parts.reduce((sum, { length }) => sum + Number(length), 0));
}
