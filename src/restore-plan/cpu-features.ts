/**
 * Instruction set extensions that HotSpot's JIT and glibc choose by. Every one that the build CPU had, and the operating
 * system enabled, may have been compiled in: the restoring CPU must have it. Bits: Intel SDM vol. 2A and AMD APM vol. 3, CPUID.
 */
import type { CpuidLeaf } from '../criu/checkpoint.ts';
import type { Blob } from './blob.ts';
import type { PlanRecord } from './format.ts';

const EAX = 0;
const EBX = 1;
const ECX = 2;
const EDX = 3;
const XGETBV = 0xffffff00;
const AVX_STATE = 0b110;
const AVX512_STATE = 0b11100110;
const EXTENDED = 0x80000001;

/** name, leaf, subleaf, register, bit, state that the system must save for it (XCR0). */
type Feature = readonly [string, number, number, 0 | 1 | 2 | 3, number, number];
export const CPU_FEATURES: readonly Feature[] = [
  ['sse3', 1, 0, ECX, 0, 0],
  ['pclmulqdq', 1, 0, ECX, 1, 0],
  ['ssse3', 1, 0, ECX, 9, 0],
  ['fma', 1, 0, ECX, 12, AVX_STATE],
  ['cmpxchg16b', 1, 0, ECX, 13, 0],
  ['sse4.1', 1, 0, ECX, 19, 0],
  ['sse4.2', 1, 0, ECX, 20, 0],
  ['movbe', 1, 0, ECX, 22, 0],
  ['popcnt', 1, 0, ECX, 23, 0],
  ['aes', 1, 0, ECX, 25, 0],
  ['xsave', 1, 0, ECX, 26, 0],
  ['osxsave', 1, 0, ECX, 27, 0],
  ['avx', 1, 0, ECX, 28, AVX_STATE],
  ['f16c', 1, 0, ECX, 29, AVX_STATE],
  ['rdrand', 1, 0, ECX, 30, 0],
  ['cx8', 1, 0, EDX, 8, 0],
  ['cmov', 1, 0, EDX, 15, 0],
  ['clflush', 1, 0, EDX, 19, 0],
  ['fxsr', 1, 0, EDX, 24, 0],
  ['sse', 1, 0, EDX, 25, 0],
  ['sse2', 1, 0, EDX, 26, 0],
  ['fsgsbase', 7, 0, EBX, 0, 0],
  ['bmi1', 7, 0, EBX, 3, 0],
  ['avx2', 7, 0, EBX, 5, AVX_STATE],
  ['bmi2', 7, 0, EBX, 8, 0],
  ['erms', 7, 0, EBX, 9, 0],
  ['rtm', 7, 0, EBX, 11, 0],
  ['avx512f', 7, 0, EBX, 16, AVX512_STATE],
  ['avx512dq', 7, 0, EBX, 17, AVX512_STATE],
  ['rdseed', 7, 0, EBX, 18, 0],
  ['adx', 7, 0, EBX, 19, 0],
  ['avx512ifma', 7, 0, EBX, 21, AVX512_STATE],
  ['clflushopt', 7, 0, EBX, 23, 0],
  ['clwb', 7, 0, EBX, 24, 0],
  ['avx512cd', 7, 0, EBX, 28, AVX512_STATE],
  ['sha', 7, 0, EBX, 29, 0],
  ['avx512bw', 7, 0, EBX, 30, AVX512_STATE],
  ['avx512vl', 7, 0, EBX, 31, AVX512_STATE],
  ['avx512vbmi', 7, 0, ECX, 1, AVX512_STATE],
  ['avx512vbmi2', 7, 0, ECX, 6, AVX512_STATE],
  ['gfni', 7, 0, ECX, 8, 0],
  ['vaes', 7, 0, ECX, 9, AVX_STATE],
  ['vpclmulqdq', 7, 0, ECX, 10, AVX_STATE],
  ['avx512vnni', 7, 0, ECX, 11, AVX512_STATE],
  ['avx512bitalg', 7, 0, ECX, 12, AVX512_STATE],
  ['avx512vpopcntdq', 7, 0, ECX, 14, AVX512_STATE],
  ['rdpid', 7, 0, ECX, 22, 0],
  ['fsrm', 7, 0, EDX, 4, 0],
  ['serialize', 7, 0, EDX, 14, 0],
  ['avx512fp16', 7, 0, EDX, 23, AVX512_STATE],
  ['avx-ifma', 7, 1, EAX, 23, AVX_STATE],
  ['sha512', 7, 1, EAX, 0, AVX_STATE],
  ['xsavec', 0xd, 1, EAX, 1, 0],
  ['lahf', EXTENDED, 0, ECX, 0, 0],
  ['lzcnt', EXTENDED, 0, ECX, 5, 0],
  ['sse4a', EXTENDED, 0, ECX, 6, 0],
  ['3dnowprefetch', EXTENDED, 0, ECX, 8, 0],
  ['rdtscp', EXTENDED, 0, EDX, 27, 0],
];

export function planCpuFeatures(cpu: readonly CpuidLeaf[], blob: Blob): PlanRecord<'cpu'>[] {
  const registersOf = (leaf: number, subleaf: number) =>
    cpu.find((line) => line.leaf === leaf && line.subleaf === subleaf)?.registers ?? [0, 0, 0, 0];
  const enabledState = registersOf(XGETBV, 0)[0];
  return CPU_FEATURES.filter(
    ([, leaf, subleaf, register, bit, state]) =>
      ((registersOf(leaf, subleaf)[register] >>> bit) & 1) === 1 && (enabledState & state) === state,
  ).map(([name, leaf, subleaf, reg, bit]) => ({ leaf, subleaf, reg, bit, name_blob: blob.text(name) }));
}
