import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Answer } from '../../../src/warm-up/answer.ts';
import { captureValues } from '../../../src/warm-up/capture-values.ts';
import { checkAnswer } from '../../../src/warm-up/check-answer.ts';
import type { Capture, Expectation, Step } from '../../../src/warm-up/scenario.ts';
import { UnexpectedAnswer } from '../../../src/warm-up/unexpected-answer.ts';

const stepOf = (expect: Partial<Expectation>, capture: Record<string, Capture> = {}): Step => ({
  method: 'GET',
  port: 1,
  path: '/orders',
  headers: {},
  expect: { status: 200, headers: {}, ...expect },
  capture,
  thinkMs: 0,
});
const answerOf = (body: string | Uint8Array, headers: Answer['headers'] = {}, status = 200): Answer => ({
  path: '/orders',
  status,
  headers,
  body: Buffer.from(body),
});
const ORDERS = '{"items":[{"id":17,"name":"tea"},{"id":18}],"next":null}';

function errorOf(run: () => unknown): UnexpectedAnswer {
  try {
    run();
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return error;
    throw error;
  }
  throw new Error('it was as expected');
}
const check = (expected: Partial<Expectation>, answer: Answer, values = {}) =>
  errorOf(() => checkAnswer(stepOf(expected), answer, values)).message;

test('what is as expected passes', () => {
  const json = { type: 'object', required: ['items'], properties: { items: { type: 'array', minItems: 2 } } };
  const expected = { status: 201, contains: '"id":{{id}}', headers: { 'Content-Type': 'application/json' }, json };
  checkAnswer(stepOf(expected), answerOf(ORDERS, { 'content-type': 'application/json' }, 201), { id: 18 });
});

test.each<[string, Partial<Expectation>, Answer, string]>([
  ['another status', {}, answerOf('', {}, 503), '503 instead of 200'],
  ['no such text', { contains: 'x{{id}}' }, answerOf('x1'), 'without "x7"'],
  ['no such header', { headers: { ETag: '1' } }, answerOf(''), 'without the header ETag'],
  ['another header', { headers: { ETag: '{{id}}' } }, answerOf('', { etag: '8' }), 'with ETag: 8 instead of 7'],
  [
    'no JSON',
    { json: {} },
    answerOf('<html>'),
    'something else than JSON: Unexpected token \'<\', "<html>" is not valid JSON',
  ],
  [
    'JSON without a property',
    { json: { properties: { items: { items: { required: ['name'] } } } } },
    answerOf(ORDERS),
    'JSON that does not fit its schema: at /items/1: Instance does not have required property "name".',
  ],
  [
    'JSON of another type',
    { json: { type: 'array' } },
    answerOf('{}'),
    'JSON that does not fit its schema: at /: Instance type "object" is invalid. Expected "array".',
  ],
])('an answer with %s is told', (_, expected, answer, difference) => {
  expect(check(expected, answer, { id: 7 })).toBe(`GET /orders answered ${difference}`);
});

test('the draft of a schema counts: in draft 4 exclusiveMinimum is a flag', () => {
  const schema = { minimum: 1, exclusiveMinimum: true };
  const draft4 = { ...schema, $schema: 'http://json-schema.org/draft-04/schema#' };
  expect(check({ json: draft4 }, answerOf('1'))).toContain('does not fit');
  expect(() => checkAnswer(stepOf({ json: draft4 }), answerOf('2'), {})).not.toThrow();
});

test.each([{ $ref: '#/$defs/none' }, { pattern: '(' }])('a schema that is broken, as %j, is told', (json) => {
  expect(check({ json }, answerOf('"x"'))).toContain('answered JSON to which its schema cannot be applied: ');
});

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
])('a body in %s is read', (encoding, compress) => {
  checkAnswer(stepOf({ contains: 'tea' }), answerOf(compress(ORDERS), { 'content-encoding': encoding }), {});
});

test.each<[Capture, unknown]>([
  [{ kind: 'json', path: '$.items[0].id' }, 17],
  [
    { kind: 'json', path: "$.items[?@.name=='tea']" },
    { id: 17, name: 'tea' },
  ],
  [{ kind: 'json', path: '$.next' }, null],
  [{ kind: 'header', name: 'Location' }, '/orders/1'],
  [{ kind: 'regex', pattern: '"id":(\\d+)' }, '17'],
  [{ kind: 'regex', pattern: 'te[a-b]' }, 'tea'],
])('captures %j', (capture, value) => {
  expect(captureValues(stepOf({}, { it: capture }), answerOf(ORDERS, { location: '/orders/1' }))).toEqual({
    it: value,
  });
});

test.each<[Capture, string]>([
  [{ kind: 'json', path: '$.items[5]' }, 'JSON path $.items[5]'],
  [{ kind: 'header', name: 'Location' }, 'header Location'],
  [{ kind: 'regex', pattern: 'xy' }, 'regular expression /xy/'],
])('%j that is not there is told', (capture, described) => {
  const { message } = errorOf(() => captureValues(stepOf({}, { it: capture }), answerOf(ORDERS)));
  expect(message).toBe(`GET /orders answered without what {{it}} is captured from: ${described}`);
});

test('a JSON path in what is no JSON is told', () => {
  const step = stepOf({}, { it: { kind: 'json', path: '$' } });
  expect(errorOf(() => captureValues(step, answerOf('<html>'))).message).toContain('JSON path $');
});

test('what was asked is shown where it was filled in', () => {
  const answer = { ...answerOf('', {}, 404), path: '/orders?id=17' };
  expect(errorOf(() => checkAnswer(stepOf({}), answer, {})).lines[0]).toBe('asked: GET /orders?id=17');
});

test('the answer is shown: status, headers that tell something, 500 characters', () => {
  const headers = { 'content-type': 'text/html', 'x-noise': 'n', etag: '8', 'set-cookie': ['secret=1'] };
  const answer = answerOf(`<h1>Down</h1>\n\n  <p>${'x'.repeat(600)}`, headers, 503);
  const { lines } = errorOf(() => checkAnswer(stepOf({ headers: { ETag: '7' } }), answer, {}));
  expect(lines).toEqual([
    'answer: 503',
    '  content-type: text/html',
    '  etag: 8',
    '  <h1>Down</h1>',
    `    <p>${'x'.repeat(480)}`,
    '  … 120 more characters',
  ]);
});
