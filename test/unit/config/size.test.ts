import { parseSize } from '../../../src/config/size.ts';

test.each([
  ['100MB', 100e6],
  ['1.5 GB', 1.5e9],
  ['20kb', 20_000],
  ['0MB', 0],
  ['100', undefined],
  ['100MiB', undefined],
  ['-1MB', undefined],
  ['MB', undefined],
])('parseSize(%p)', (text, expected) => expect(parseSize(text)).toBe(expected));
