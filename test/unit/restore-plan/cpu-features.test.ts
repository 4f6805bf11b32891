import type { ChosenCpu, CpuidLeaf } from '../../../src/criu/checkpoint.ts';
import { CORE } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { Blob } from '../../../src/restore-plan/blob.ts';
import { decideRequiredCpu, planCpu } from '../../../src/restore-plan/cpu-features.ts';
import { componentsOfFrames } from '../../../src/restore-plan/sigframe.ts';
import { encodeMessage } from './criu-encoder.ts';

const AVX = 1 << 28;
const AVX512F = 1 << 16;
const [SSE2, SSE3, RDRAND, FSGSBASE, AVX2, ERMS] = [1 << 26, 1 << 0, 1 << 30, 1 << 0, 1 << 5, 1 << 9];

const cpu = (xcr0 = 0xe7): readonly CpuidLeaf[] => [
  { leaf: 1, subleaf: 0, registers: [0, 0, AVX | SSE3 | RDRAND, SSE2] },
  { leaf: 7, subleaf: 0, registers: [0, FSGSBASE | AVX2 | ERMS | AVX512F, 0, 0] },
  { leaf: 0xd, subleaf: 5, registers: [64, 1088, 0, 0] },
  { leaf: 0xffffff00, subleaf: 0, registers: [xcr0, 0, 0, 0] },
];
const LIBC: readonly CpuidLeaf[] = [{ leaf: 1, subleaf: 0, registers: [0, 0, SSE3 | RDRAND, SSE2] }];
const LIBRARIES = [
  '/opt/java/bin/java',
  '/opt/java/lib/server/libjvm.so',
  '/opt/java/lib/libnet.so',
  '/usr/lib64/ld-linux-x86-64.so.2',
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/lib/x86_64-linux-gnu/libz.so.1.2.13',
  '/lib/x86_64-linux-gnu/libstdc++.so.6.0.30',
  '/opt/crac/libcrac.so',
];
const choose = (jvm: ChosenCpu['jvm'], libc: ChosenCpu['libc'] = LIBC, more: readonly string[] = []) =>
  decideRequiredCpu(cpu(), { jvm, libc }, [...LIBRARIES, ...more]);

test('what the JVM uses, and what glibc may choose its functions by', () => {
  expect(choose(['SSE2', 'AVX', 'CLMUL', 'SSE4_1', 'AVX512_VBMI2'])).toEqual({
    features: ['sse3', 'pclmulqdq', 'sse4.1', 'avx', 'sse2', 'avx512vbmi2'], // not rdrand, fsgsbase, avx2
    because: 'the JVM and the C library chose by them',
  });
});

test('remarks of the JVM need nothing', () => {
  expect(choose(['HV', 'TSC', 'TSCINV_BIT', 'VZEROUPPER', 'ERMS', 'CET_SS'], []).features).toEqual([]);
});

test('a C library that does not tell may have chosen by all that it could', () => {
  expect(choose([], null).features).toEqual(['sse3', 'avx', 'sse2', 'avx2', 'avx512f']);
});

describe('all that the build CPU had', () => {
  const all = ['sse3', 'avx', 'rdrand', 'sse2', 'fsgsbase', 'avx2', 'erms', 'avx512f'];

  test.each([
    ['when the JVM does not tell', () => choose(null), /^the JVM does not tell/],
    ['when nobody has asked', () => decideRequiredCpu(cpu(), undefined, LIBRARIES), /^the JVM does not tell/],
    ['when the JVM uses what is not known', () => choose(['SSE2', 'NEW_ONE']), /^the JVM uses NEW_ONE/],
    ['with another native library', () => choose([], LIBC, ['/tmp/libnetty.so']), /^\/tmp\/libnetty\.so may choose/],
    ['with zlib-ng', () => choose([], LIBC, ['/lib/libz.so.1.3.1.zlib-ng']), /zlib-ng may choose/],
  ])('%s', (_, decide, because) => {
    expect(decide()).toEqual({ features: all, because: expect.stringMatching(because) });
  });

  test('but not what its system has switched off', () => {
    expect(decideRequiredCpu(cpu(7), undefined, []).features).toEqual(all.filter((name) => name !== 'avx512f'));
  });
});

test('each feature is one bit, and the system must save its state', () => {
  const blob = new Blob();
  const records = planCpu({ features: ['avx', 'avx512f'], because: '' }, cpu(), new Set(), blob);
  const text = blob.render(0);
  const nameAt = (at = 0) => text.toString('utf8', at, text.indexOf(0, at));
  expect(records.map(({ name_blob, ...record }) => [nameAt(name_blob as number), record])).toEqual([
    ['avx', { leaf: 1, subleaf: 0, reg: 2, mask: AVX, value: AVX }],
    ['avx512f', { leaf: 7, subleaf: 0, reg: 1, mask: AVX512F, value: AVX512F }],
    ['AVX state saved by the system', { leaf: 0xffffff00, subleaf: 0, reg: 0, mask: 6, value: 6 }],
    ['AVX-512 state saved by the system', { leaf: 0xffffff00, subleaf: 0, reg: 0, mask: 0xe6, value: 0xe6 }],
  ]);
});

describe('registers in frames', () => {
  const USER_CODE = 0xffffffffffffffffn;
  const threadWith = (xstateBv: number, { pkru = 0x55555554, call = USER_CODE } = {}) => ({
    tid: 1,
    core: decodeMessage(
      CORE,
      encodeMessage({
        1: 1,
        2: {
          2: { 1: 15, 16: call, 17: 0x1000, 18: 0x33, 20: 0x2000, 21: 0x2b },
          3: { 1: 0x37f, 7: 0x1f80, 13: { 1: xstateBv, 2: Array(64).fill(3), 5: Array(8).fill(7n), 8: [pkru, 0] } },
        },
      }),
    ),
  });

  test('lie where the build CPU has them', () => {
    const components = componentsOfFrames([threadWith(0b100111), threadWith(0b111)]);
    expect([...components]).toEqual([2, 5]);
    const records = planCpu({ features: [], because: '' }, cpu(), components, new Blob());
    expect(records).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ leaf: 0xffffff00, reg: 0, mask: 0b100000, value: 0b100000 }),
        expect.objectContaining({ leaf: 0xd, subleaf: 5, reg: 1, mask: 0xffffffff, value: 1088 }),
      ]),
    );
  });

  test('count only where they are kept: not over a system call', () => {
    expect([...componentsOfFrames([threadWith(0b100111, { call: 202n })])]).toEqual([]);
  });

  test('of protection keys only where they say something', () => {
    expect([...componentsOfFrames([threadWith(0b1000000011)])]).toEqual([]);
    expect([...componentsOfFrames([threadWith(0b1000000011, { pkru: 0 })])]).toEqual([]); // it was restored
    expect([...componentsOfFrames([threadWith(0b1000000011, { pkru: 0x55555550 })])]).toEqual([9]);
  });
});
