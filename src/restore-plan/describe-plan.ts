/** A plan in words, for people; planToJson has every record. */
import { renderBytes } from '../report/render-bytes.ts';
import { describeDescriptor } from './describe-descriptor.ts';
import { describeHeader } from './describe-header.ts';
import { MEM, SECTION_STRUCTS } from './format.ts';
import { hex, signedIfTime, textOfName } from './plan-to-json.ts';
import { type PlanValues, type RestorePlan, readText, type SectionStruct } from './plan-values.ts';

const THREAD_HELD = 1;
const DEFAULT = 0n;
const IGNORED = 1n;

export function describePlan(plan: RestorePlan): string {
  const { header } = plan;
  const lines = [
    `format ${header.version}, for ELF machine ${header.arch} and pages of ${header.page_size} bytes`,
    ...block('header', describeHeader(plan)),
    ...SECTION_STRUCTS.flatMap((struct) => describeSection(struct, plan)),
    ...block('checked before anything irreversible', describeChecks(plan)),
  ];
  return `${lines.join('\n')}\n`;
}

function block(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [title] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

function describeSection(struct: SectionStruct, plan: RestorePlan): string[] {
  const { header, sections } = plan;
  const count = sections[struct].length;
  switch (struct) {
    case 'mem':
      return block(
        `memory, ${count} records, ${renderBytes(Number(header.mem_size))} in mem.bin`,
        describeMemory(plan),
      );
    case 'file':
      return block(
        `files, ${count}`,
        sections.file.map((file) => describeFile(file, plan)),
      );
    case 'thread':
      return block(`threads, ${count}`, sections.thread.map(describeThread));
    case 'sigact':
      return block(`signal actions, ${count}`, describeActions(sections.sigact));
    case 'fd':
      return block(
        `descriptors, ${count}`,
        sections.fd.map((fd) => describeDescriptor(fd, plan)),
      );
    case 'epoll':
      return block(
        `epoll registrations, ${count}`,
        sections.epoll.map(({ epoll_fd, fd, events }) => `${epoll_fd} watches ${fd} for ${hex(events)}`),
      );
    case 'time':
      return [`deadlines that move with the clock, ${count}`];
    case 'tidfix':
      return [`places that hold a thread's id, ${count}`];
    case 'vdso_symbol':
      return block('functions of the vdso', namesOf(sections.vdso_symbol, plan));
    case 'cpu':
      return block('needed of the CPU', namesOf(sections.cpu, plan));
    case 'prefetch':
      return [`read ahead, ${count} parts, ${sumLengths(sections.prefetch)}`];
    case 'socket':
    case 'sockopt': // shown with the descriptors that refer to them
      return [];
    default: // new here
      return [`${struct}, ${count}`];
  }
}

function describeMemory(plan: RestorePlan): string[] {
  return Object.entries(MEM).flatMap(([name, kind]) => {
    const areas = plan.sections.mem.filter((area) => area.kind === kind);
    if (areas.length === 0) return [];
    const total = `${name}, ${records(areas.length)}, ${sumLengths(areas)}`;
    return block(total, kind === MEM.FILE ? describeMappedFiles(areas, plan) : []);
  });
}

function describeMappedFiles(areas: readonly PlanValues<'mem'>[], plan: RestorePlan): string[] {
  return plan.sections.file.flatMap((file, index) => {
    const own = areas.filter((area) => area.file === index);
    return own.length === 0 ? [] : [`${pathOf(file, plan)}, ${records(own.length)}, ${sumLengths(own)}`];
  });
}

function describeFile(file: PlanValues<'file'>, plan: RestorePlan): string {
  const time = new Date(Number(signedIfTime('mtime_s', file.mtime_s)) * 1000);
  const modified = Number.isNaN(time.getTime()) ? `${file.mtime_s} s` : time.toISOString().replace('.000', '');
  return `${pathOf(file, plan)}, ${file.size} bytes, of ${modified}`;
}

function describeThread(thread: PlanValues<'thread'>, index: number): string {
  const words = [
    `${thread.old_tid} ${textOfName(thread.name)}`,
    ...(index === 0 ? ['the main thread'] : []),
    ...(thread.flags & THREAD_HELD ? ['held until the runtime has taken over'] : []),
  ];
  return words.join(', ');
}

function describeActions(actions: readonly PlanValues<'sigact'>[]): string[] {
  const numbers = (title: string, isOne: (handler: bigint) => boolean): string[] => {
    const signals = actions.filter(({ handler }) => isOne(handler)).map(({ signal }) => signal);
    return signals.length === 0 ? [] : [`${title}: ${signals.join(' ')}`];
  };
  return [
    ...numbers('handled', (handler) => handler !== IGNORED && handler !== DEFAULT),
    ...numbers('ignored', (handler) => handler === IGNORED),
    ...numbers('default, with flags', (handler) => handler === DEFAULT),
  ];
}

function describeChecks({ header, sections }: RestorePlan): string[] {
  const { needed_bytes: needed, max_heap_bytes: heap } = header;
  return [
    'that plan.bin is whole and refers to nothing outside',
    `that mem.bin has ${header.mem_size} bytes`,
    ...(sections.cpu.length === 0 ? [] : ['that the CPU has what is needed']),
    ...(sections.file.length === 0 ? [] : [`that the files above are there, with their sizes and times`]),
    `that the memory limit is at least ${renderBytes(Number(needed))}`,
    ...(heap === 0n ? [] : [`that the memory limit is at least the largest heap, ${renderBytes(Number(heap))}`]),
    ...(header.mailbox === 0n ? [] : ['that arguments and environment fit into the mailbox']),
    `that ${header.scratch_fd} descriptors, and some more for the restorer, may be open`,
  ];
}

function pathOf({ path_blob: path }: PlanValues<'file'>, { blob }: RestorePlan): string {
  return readText(blob, path) ?? '';
}

function namesOf(records: readonly { readonly name_blob: number }[], { blob }: RestorePlan): string[] {
  const names = new Set(records.map(({ name_blob: name }) => readText(blob, name) ?? ''));
  return [[...names].join(', ') || 'nothing'];
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count} records`;
}

function sumLengths(parts: readonly { readonly length: bigint }[]): string {
  return renderBytes(parts.reduce((sum, { length }) => sum + Number(length), 0));
}
