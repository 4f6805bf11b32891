/** Instruction set extensions. Bits: Intel SDM vol. 2A and AMD APM vol. 3, CPUID. */
const EAX = 0;
const EBX = 1;
const ECX = 2;
const EDX = 3;
const EXTENDED = 0x80000001;
/** Not a leaf of cpuid: xgetbv(0), the state that the system saves for every thread. */
export const XCR0_LEAF = 0xffffff00;
export const AVX_STATE = 0b110;
export const AVX512_STATE = 0b11100110;
const APX_STATE = 1 << 19;

/** name, leaf, subleaf, register, bit, state that the system must save for it (XCR0). */
export type Feature = readonly [string, number, number, 0 | 1 | 2 | 3, number, number];
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
  ['avx512pf', 7, 0, EBX, 26, AVX512_STATE],
  ['avx512er', 7, 0, EBX, 27, AVX512_STATE],
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
  ['apx-f', 7, 1, EDX, 21, APX_STATE],
  ['xsavec', 0xd, 1, EAX, 1, 0],
  ['lahf', EXTENDED, 0, ECX, 0, 0],
  ['lzcnt', EXTENDED, 0, ECX, 5, 0],
  ['sse4a', EXTENDED, 0, ECX, 6, 0],
  ['3dnowprefetch', EXTENDED, 0, ECX, 8, 0],
  ['fma4', EXTENDED, 0, ECX, 16, AVX_STATE],
  ['rdtscp', EXTENDED, 0, EDX, 27, 0],
];

/** By which glibc chooses its functions (ifunc) and folders (glibc-hwcaps), and how it saves registers while it binds symbols. */
export const GLIBC_FEATURES: ReadonlySet<string> = new Set([
  ...['cx8', 'cmov', 'fxsr', 'sse', 'sse2', 'sse3', 'ssse3', 'sse4.1', 'sse4.2', 'popcnt', 'cmpxchg16b', 'lahf'],
  ...['avx', 'avx2', 'f16c', 'fma', 'fma4', 'bmi1', 'bmi2', 'lzcnt', 'movbe', 'rtm', 'osxsave', 'xsave', 'xsavec'],
  ...['avx512f', 'avx512dq', 'avx512cd', 'avx512bw', 'avx512vl'],
]);

/** HotSpot's names that differ from ours by more than their punctuation. */
const HOTSPOT_NAMES: Readonly<Record<string, string>> = {
  CLMUL: 'pclmulqdq',
  AVX512_VPCLMULQDQ: 'vpclmulqdq',
  AVX512_VAES: 'vaes',
  FLUSH: 'clflush',
  FLUSHOPT: 'clflushopt',
};

/**
 * What HotSpot knows of the CPU and needs no instruction for that others lack: speed of `rep movsb`, clocks, who is the host,
 * protection keys and control flow checks, which it does not use, and names for what other names say, too.
 */
const HOTSPOT_REMARKS: ReadonlySet<string> = new Set([
  ...['ERMS', 'FSRM', 'HT', 'MMX', 'TSC', 'TSCINV', 'TSCINV_BIT', 'HV', 'VZEROUPPER'],
  ...['PKU', 'OSPKE', 'CET_IBT', 'CET_SS', 'AVX10_1'],
]);

/** The name in the table, '' where nothing is needed, undefined where it is not known. */
export function parseHotspotName(name: string): string | undefined {
  if (HOTSPOT_REMARKS.has(name)) return '';
  const known = HOTSPOT_NAMES[name];
  if (known !== undefined) return known;
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  return CPU_FEATURES.find(([feature]) => plain(feature) === plain(name))?.[0];
}
