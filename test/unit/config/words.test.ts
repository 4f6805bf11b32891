import { parseBase, parseImage, renderImageWord } from '../../../src/config/words.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

test.each([
  ['jdk:/opt/jdk', { kind: 'jdk', path: '/opt/jdk' }],
  ['oci:/images/jre', { kind: 'oci', dir: '/images/jre' }],
  ['oci:/images/jre:17', { kind: 'oci', dir: '/images/jre', name: '17' }],
  ['oci:/images/a:b/jre', { kind: 'oci', dir: '/images/a:b/jre' }],
  ['docker-archive:jre.tar', { kind: 'docker-archive', file: 'jre.tar' }],
  ['docker:jre:17', { kind: 'docker', reference: 'jre:17' }],
  ['registry:jre', { kind: 'registry', reference: 'jre' }],
  ['reg.example/team/jre:17', { kind: 'registry', reference: 'reg.example/team/jre:17' }],
  ['localhost:5000/jre', { kind: 'registry', reference: 'localhost:5000/jre' }],
  ['localhost/jre', { kind: 'registry', reference: 'localhost/jre' }],
  [`build:5000/jre@${DIGEST}`, { kind: 'registry', reference: `build:5000/jre@${DIGEST}` }],
])('%s', (text, word) => {
  expect(parseBase(text)).toEqual(word);
});

test.each(['ubuntu', 'temurin:17', 'team/jre', '/opt/jdk', 'oci:', 'http://reg.example/jre', ''])(
  '%s is no base',
  (text) => {
    expect(parseBase(text)).toBeUndefined();
  },
);

test('an app is no JDK', () => {
  expect(parseImage('jdk:/opt/jdk')).toBeUndefined();
});

test.each(['oci:/images/jre:17', 'docker-archive:/x.tar', 'docker:jre', 'registry:r.example/jre'])(
  '%s is written as it was',
  (text) => {
    const word = parseImage(text);
    expect(word && renderImageWord(word)).toBe(text);
  },
);
