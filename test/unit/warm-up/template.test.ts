import { fillJson, fillText, findNames } from '../../../src/warm-up/template.ts';

const values = { id: 17, name: 'Ada "L"', tags: ['a'], __proto: 1 };

test('a name in two braces becomes its value, and nothing else is changed', () => {
  expect(fillText('/orders/{{id}}?x={{ name }}', values)).toBe('/orders/17?x=Ada "L"');
  expect(fillText('{"item": {{id}}}', values)).toBe('{"item": 17}');
  expect(fillText('{{"a":1}} {{}} {id} {{1}}', values)).toBe('{{"a":1}} {{}} {id} {{1}}');
  expect(fillText('{{tags}}', values)).toBe('["a"]');
});

test('what was filled in is not filled again', () => {
  expect(fillText('{{a}}', { a: '{{b}}', b: 1 })).toBe('{{b}}');
});

test('in JSON a text that is only a name becomes the value with its type, and quotes are safe', () => {
  expect(fillJson({ id: '{{id}}', all: ['{{ tags }}', 'x{{id}}', '{{name}}'], n: 1, no: null }, values)).toEqual({
    id: 17,
    all: [['a'], 'x17', 'Ada "L"'],
    n: 1,
    no: null,
  });
});

test('a name without value is an error, also where every object has such a member', () => {
  expect(() => fillText('{{gone}}', values)).toThrow('{{gone}} has no value');
  expect(() => fillText('{{toString}}', values)).toThrow('{{toString}} has no value');
});

test('names are found however deep', () => {
  expect(findNames({ a: ['{{x}}', { b: '{{y}}{{z}}' }], c: 3, d: null })).toEqual(['x', 'y', 'z']);
});
