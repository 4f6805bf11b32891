import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Blob } from '../../../src/restore-plan/blob.ts';
import * as format from '../../../src/restore-plan/format.ts';

interface Golden {
  readonly constants: Readonly<Record<string, number | string>>;
  readonly structs: Readonly<Record<string, { size: number; fields: Record<string, [offset: number, bytes: number]> }>>;
}
const golden = JSON.parse(readFileSync(new URL('../../golden/plan-format.json', import.meta.url), 'utf8')) as Golden;
const BYTES: Readonly<Record<string, number>> = { u32: 4, u64: 8, bytes16: 16, bytes32: 32, sections: 224 };

test.each(Object.entries(format.LAYOUTS))('%s is laid out as the restorer reads it', (name, layout) => {
  const struct = golden.structs[`crac_${name}`];
  const fields: Record<string, [number, number]> = {};
  let offset = 0;
  for (const [field, type] of layout) {
    const bytes = BYTES[type] ?? 0;
    if (field !== 'reserved') fields[field] = [offset, bytes];
    offset += bytes;
  }
  expect({ size: offset, fields }).toEqual(struct);
});

test('the constants are those of plan.h', () => {
  const constant = (name: string) => BigInt(golden.constants[name] ?? -1);
  expect(format.PLAN_MAGIC).toBe(constant('CRAC_PLAN_MAGIC'));
  expect(BigInt(format.PLAN_VERSION)).toBe(constant('CRAC_PLAN_VERSION'));
  expect(BigInt(format.ARCH_X86_64)).toBe(constant('CRAC_ARCH_X86_64'));
  expect(BigInt(format.RESTORER_BASE)).toBe(constant('CRAC_RESTORER_BASE'));
  expect(BigInt(format.PLAN_BASE)).toBe(constant('CRAC_PLAN_BASE'));
  expect(BigInt(format.NONE)).toBe(constant('CRAC_NONE'));
  expect(format.ANY_SIZE).toBe(constant('CRAC_ANY_SIZE'));
  expect(BigInt(format.RESTORER_END)).toBe(constant('CRAC_RESTORER_END'));
  for (const [prefix, values] of [
    ['CRAC_MEM', format.MEM],
    ['CRAC_FD', format.FD],
  ] as const)
    for (const [name, value] of Object.entries(values)) expect(BigInt(value)).toBe(constant(`${prefix}_${name}`));
});

test('a plan has its sections at multiples of 64, frames as addresses and a checksum over all', () => {
  const blob = new Blob();
  const state = blob.add(Buffer.from('state'), 64);
  const frame = blob.add(Buffer.alloc(16), 16);
  blob.pointer(frame + 8, state);
  const name = blob.text('avx');
  const plan = format.renderPlan(
    { mem_size: 4096, monotonic_ns: -5n },
    {
      mem: [{ address: 0x1000, length: 0x1000, kind: format.MEM.ANON, prot: 3, flags: 0x22, file: format.NO_FILE }],
      file: [],
      thread: [{ frame, scratch: 64, old_tid: 7, name: Buffer.from('main') }],
      sigact: [],
      fd: [],
      epoll: [],
      time: [{ address: 0x2000 }],
      tidfix: [],
      vdso_symbol: [],
      cpu: [{ leaf: 1, subleaf: 0, reg: 2, mask: 1 << 28, value: 1 << 28, name_blob: name }],
      prefetch: [{ offset: 4096, length: 8192, file: format.NO_FILE }],
      socket: [],
      sockopt: [],
    },
    blob,
  );
  const at = (struct: string, field: string) => golden.structs[`crac_${struct}`]?.fields[field]?.[0] ?? -1;
  const section = (id: string) => {
    const entry = at('header', 'sections') + Number(golden.constants[`CRAC_${id}`]) * 16;
    return {
      offset: plan.readUInt32LE(entry),
      count: plan.readUInt32LE(entry + 4),
      bytes: plan.readUInt32LE(entry + 8),
    };
  };
  for (const id of [
    'MEM',
    'FILES',
    'THREADS',
    'SIGACT',
    'FDS',
    'EPOLL',
    'TIMES',
    'TIDFIX',
    'VDSO',
    'CPU',
    'PREFETCH',
    'SOCKETS',
    'SOCKOPTS',
    'BLOB',
  ])
    expect(section(id).offset % 64).toBe(0);
  expect(section('MEM')).toMatchObject({ count: 1, bytes: 40 });
  expect(plan.readBigUInt64LE(section('MEM').offset)).toBe(0x1000n);
  expect(plan.readBigInt64LE(at('header', 'monotonic_ns'))).toBe(-5n);
  expect(Number(plan.readBigUInt64LE(at('header', 'file_size')))).toBe(plan.length);
  const blobAddress = format.PLAN_BASE + section('BLOB').offset;
  expect(Number(plan.readBigUInt64LE(section('THREADS').offset + at('thread', 'frame')))).toBe(blobAddress + frame);
  expect(Number(plan.readBigUInt64LE(section('BLOB').offset + frame + 8))).toBe(blobAddress + state);
  expect(plan.toString('latin1', section('BLOB').offset + name, section('BLOB').offset + name + 4)).toBe('avx\0');
  const sum = plan.readUInt32LE(at('header', 'crc32'));
  plan.writeUInt32LE(0, at('header', 'crc32'));
  expect(crc32(plan)).toBe(sum);
});
