import { renderCpu } from '../../../src/cli/render-cpu.ts';

test.each([
  [['sse2', 'cx8'], 'cpu: x86-64; others start cold (why)'],
  [['sse2', 'sse4.2', 'aes'], 'cpu: x86-64-v2 with aes; others start cold (why)'],
  [['sse2', 'popcnt', 'avx2', 'aes', 'sha'], 'cpu: x86-64-v3 with aes, sha; others start cold (why)'],
  [['avx512vl', 'gfni'], 'cpu: x86-64-v4 with gfni; others start cold (why)'],
])('%j', (features, expected) => {
  expect(renderCpu({ features, because: 'why' })).toBe(expected);
});
