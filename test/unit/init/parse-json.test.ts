import { parseJson } from '../../../src/init/parse-json.ts';

const SAMPLE = JSON.stringify({ a: [1, -2.5e3, true, false, null, 'é\n"\\'], b: { c: {}, d: [] }, '': 'x' }, null, 1);

test('what JSON.parse takes is taken', () => {
  for (const text of [SAMPLE, ' 1 ', '"a"', 'null']) expect(parseJson(text)).toEqual({ value: JSON.parse(text) });
});

test.each([
  ['', 1, 1, 'a value, found the end of the file'],
  ['{"a": 1', 1, 8, '"," or "}", found the end of the file'],
  ['{"a": 1,\n}', 2, 1, 'a key in double quotes'],
  ['{"a" 1}', 1, 6, '":"'],
  ["{'a': 1}", 1, 2, 'a key in double quotes or "}"'],
  ['[1 2]', 1, 4, '"," or "]"'],
  ['[1, ]', 1, 5, 'a value'],
  ['[,]', 1, 2, 'a value or "]"'],
  ['[01]', 1, 2, 'a value or "]"'],
  ['["a\nb"]', 1, 2, 'a whole text in double quotes'],
  ['["\\x"]', 1, 2, 'a whole text in double quotes'],
  ['[1]]', 1, 4, 'nothing more'],
  ['{]', 1, 2, 'a key in double quotes or "}"'],
])('%p: line %d, column %d, expected %s', (text, line, column, expected) => {
  expect(parseJson(text)).toEqual({ error: { line, column, expected } });
});

test('whatever is changed: an error has a place in the text, and what stands before it could go on', () => {
  for (let offset = 0; offset < SAMPLE.length; offset++) {
    for (const changed of [SAMPLE.slice(0, offset), `${SAMPLE.slice(0, offset)}~${SAMPLE.slice(offset)}`]) {
      const parsed = parseJson(changed);
      if (!('error' in parsed)) continue;
      const lines = changed.split('\n');
      const { line, column } = parsed.error;
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1);
      const at = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0) + column - 1;
      expect(at).toBeLessThanOrEqual(offset);
    }
  }
});
