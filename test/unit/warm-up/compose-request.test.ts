import { FormData } from 'undici';
import { composeRequest, listFiles } from '../../../src/warm-up/compose-request.ts';
import type { Body, Step } from '../../../src/warm-up/scenario.ts';

const files = new Map([['/data/photo.png', new Uint8Array([1, 2, 3])]]);

function compose(parts: Partial<Step>, values: Record<string, unknown> = {}) {
  const step = { port: 1, path: '/', method: 'POST', headers: {}, capture: {}, thinkMs: 0, ...parts };
  return composeRequest({ expect: { status: 200, headers: {} }, ...step }, values, files);
}

test('values go into path, headers and body', () => {
  const body: Body = { kind: 'text', text: '<id>{{id}}</id>' };
  expect(compose({ path: '/o/{{id}}', headers: { 'X-Id': '{{id}}' }, body }, { id: 7 })).toEqual({
    method: 'POST',
    path: '/o/7',
    headers: { 'x-id': '7' },
    body: '<id>7</id>',
  });
});

test.each([
  ['/o/{{v}}', 'a b', '/o/a%20b'],
  ['/o/{{v}}', 'a/b?c=d&e', '/o/a/b?c=d&e'],
  ['/o/{{v}}', '%20é€😀', '/o/%20%C3%A9%E2%82%AC%F0%9F%98%80'],
  ['{{v}}', 'http://shop.example:8080/orders/17?x=1#top', '/orders/17?x=1'],
  ['{{v}}', 'https://shop.example', '/'],
  ['{{v}}', 'orders/17', '/orders/17'],
  ['{{v}}', '/a\r\nHost: b', '/a%0D%0AHost:%20b'],
])('the path %s with %s is %s', (path, v, expected) => {
  expect(compose({ path }, { v }).path).toBe(expected);
});

test('JSON and forms have their content type, unless the step has its own', () => {
  const json: Body = { kind: 'json', value: { id: '{{id}}', note: 'it is {{id}}' } };
  expect(compose({ body: json }, { id: 7 })).toMatchObject({
    headers: { 'content-type': 'application/json' },
    body: '{"id":7,"note":"it is 7"}',
  });
  expect(compose({ body: json, headers: { 'Content-Type': 'application/hal+json' } }, { id: 7 }).headers).toEqual({
    'content-type': 'application/hal+json',
  });
  const form: Body = { kind: 'form', fields: { name: '{{name}}', n: '1' } };
  expect(compose({ body: form }, { name: 'a&b c' })).toMatchObject({
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'name=a%26b+c&n=1',
  });
});

test('a file is sent as it is; in a form it has its name and type', async () => {
  const body: Body = { kind: 'file', path: '/data/photo.png' };
  expect(listFiles(body)).toEqual(['/data/photo.png']);
  expect(compose({ body }).body).toEqual(new Uint8Array([1, 2, 3]));
  const photo = { file: '/data/photo.png', type: 'image/png' };
  const multipart: Body = { kind: 'multipart', fields: { title: 'n{{n}}', photo } };
  expect(listFiles(multipart)).toEqual(['/data/photo.png']);
  const { body: form, headers } = compose({ body: multipart }, { n: 3 });
  expect(headers).toEqual({});
  expect(form).toBeInstanceOf(FormData);
  const [title, sent] = [...(form as FormData).values()] as [string, File];
  expect(title).toBe('n3');
  expect(sent).toMatchObject({ name: 'photo.png', type: 'image/png', size: 3 });
});
