/** x86-64 psABI, section 3.1.1: https://gitlab.com/x86-psABIs/x86-64-ABI. What has no name in our table is left out. */
const LEVELS: readonly (readonly string[])[] = [
  ['cmov', 'cx8', 'fxsr', 'sse', 'sse2'],
  ['cmpxchg16b', 'lahf', 'popcnt', 'sse3', 'sse4.1', 'sse4.2', 'ssse3'],
  ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'lzcnt', 'movbe', 'osxsave', 'xsave'],
  ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
];

/** "x86-64-v3", the highest level of which anything is needed, and what is needed beyond it. */
export function findCpuLevel(features: readonly string[]): { readonly name: string; readonly more: readonly string[] } {
  const level = LEVELS.findLastIndex((names) => names.some((name) => features.includes(name)));
  const ofLevels = new Set(LEVELS.slice(0, level + 1).flat());
  return {
    name: `x86-64${level > 0 ? `-v${level + 1}` : ''}`,
    more: features.filter((name) => !ofLevels.has(name)),
  };
}
