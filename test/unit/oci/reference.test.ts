import { parseReference, renderReference } from '../../../src/oci/reference.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

test.each([
  ['app', { repository: 'app', tag: 'latest' }],
  ['team/app:1.2', { repository: 'team/app', tag: '1.2' }],
  ['localhost:5000/app', { registry: 'localhost:5000', repository: 'app', tag: 'latest' }],
  ['localhost/app:x', { registry: 'localhost', repository: 'app', tag: 'x' }],
  ['registry.example/a/b-c__d:V_1', { registry: 'registry.example', repository: 'a/b-c__d', tag: 'V_1' }],
  [`registry.example:443/a@${DIGEST}`, { registry: 'registry.example:443', repository: 'a', digest: DIGEST }],
  [`a:1@${DIGEST}`, { repository: 'a', tag: '1', digest: DIGEST }],
])('%s', (text, expected) => {
  const reference = parseReference(text);
  expect(reference).toEqual(expected);
  expect(parseReference(renderReference(reference))).toEqual(expected);
});

test.each([
  '',
  'App',
  'a b',
  'a:',
  ':x',
  '/a',
  'a/',
  'a//b',
  'reg.example/',
  `a@sha256:abc`,
  'a..b',
  `a:${'x'.repeat(129)}`,
])('not a reference: %p', (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
