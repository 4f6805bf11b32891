import { parseDuration } from '../../../src/config/duration.ts';
import { renderBytes } from '../../../src/report/render-bytes.ts';
import { renderDuration } from '../../../src/report/render-duration.ts';

test.each([
  ['30s', 30_000],
  ['500ms', 500],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['30', undefined],
  ['s', undefined],
  ['1h', undefined],
  ['-1s', undefined],
])('parseDuration(%p)', (text, expected) => expect(parseDuration(text)).toBe(expected));

test.each([
  [0.85, '850 µs'],
  [9.61, '9.6 ms'],
  [99.96, '100 ms'],
  [212.4, '212 ms'],
  [999.6, '1.0 s'],
  [4300, '4.3 s'],
  [59_960, '1 m 00 s'],
  [125_000, '2 m 05 s'],
])('renderDuration(%p)', (durationMs, expected) => expect(renderDuration(durationMs)).toBe(expected));

test.each([
  [812, '812 B'],
  [19_400_000, '19.4 MB'],
  [999_960, '1.0 MB'],
])('renderBytes(%p)', (bytes, expected) => expect(renderBytes(bytes)).toBe(expected));
