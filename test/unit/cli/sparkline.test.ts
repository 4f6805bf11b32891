import { renderSparkline } from '../../../src/cli/sparkline.ts';

test.each<[string, (number | null)[], 'linear' | 'logarithmic']>([
  ['▁▂▃▄▅▆▇█', [0, 1.1, 2.1, 3.1, 4.1, 5.1, 6.1, 8], 'linear'],
  ['█▇▅▂▁ ▁', [100, 33, 10, 3, 1, null, 1], 'logarithmic'],
  ['▁▁▁', [0, 0, 0], 'linear'],
  ['▁▁', [5, 5], 'logarithmic'],
  ['  ', [null, null], 'linear'],
  ['', [], 'linear'],
])('%s', (line, values, scale) => expect(renderSparkline(values, scale)).toBe(line));
