import { parsePlace, renderPlace } from '../../../src/oci/place.ts';

test.each([
  ['oci:out', { kind: 'oci', dir: 'out' }],
  ['oci:/tmp/out:1.0', { kind: 'oci', dir: '/tmp/out', tag: '1.0' }],
  ['oci:out:team/orders:1.0', { kind: 'oci', dir: 'out', tag: 'team/orders:1.0' }],
  ['docker:orders', { kind: 'docker', reference: 'orders' }],
  ['docker:localhost:5000/orders:1', { kind: 'docker', reference: 'localhost:5000/orders:1' }],
  ['docker-archive:a.tar', { kind: 'docker-archive', file: 'a.tar' }],
  ['docker-archive:a.tar:orders:1', { kind: 'docker-archive', file: 'a.tar', reference: 'orders:1' }],
])('%s', (text, place) => {
  expect(parsePlace(text)).toEqual(place);
  expect(renderPlace(parsePlace(text) ?? { kind: 'oci', dir: 'none' })).toBe(text);
});

test.each([
  '',
  'oci',
  'oci:',
  'docker:',
  'docker-archive:',
  'oci:dir:',
  'oci:dir:a b',
  'oci::1',
  'dir:x',
  'registry/x',
])('no place: %p', (text) => expect(parsePlace(text)).toBeUndefined());
