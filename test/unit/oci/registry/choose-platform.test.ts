import { choosePlatform } from '../../../../src/oci/registry/choose-platform.ts';

const entry = (digest: string, architecture: string, variant?: string, os = 'linux') => ({
  digest,
  platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
});
const AMD64 = { os: 'linux', architecture: 'amd64' };

test.each([
  ['the one', [entry('a', 'arm64', 'v8'), entry('b', 'amd64')], 'b'],
  ['the first of two', [entry('a', 'amd64'), entry('b', 'amd64')], 'a'],
  ['the plain one before a variant', [entry('a', 'amd64', 'v3'), entry('b', 'amd64')], 'b'],
  ['a variant, where there is nothing else', [entry('a', 'amd64', 'v2')], 'a'],
  ['not that of another system', [entry('a', 'amd64', undefined, 'windows'), entry('b', 'amd64')], 'b'],
  ['not an attestation', [entry('a', 'unknown', undefined, 'unknown'), entry('b', 'amd64')], 'b'],
  ['the only one, which says nothing of a platform', [{ digest: 'a' }], 'a'],
])('%s', (_name, entries, expected) => {
  expect(choosePlatform(entries, AMD64, 'x').digest).toBe(expected);
});

test('a variant that is asked for', () => {
  const entries = [entry('a', 'amd64'), entry('b', 'amd64', 'v3')];
  expect(choosePlatform(entries, { ...AMD64, variant: 'v3' }, 'x').digest).toBe('b');
});

test.each([
  [[entry('a', 'arm64', 'v8'), entry('b', 's390x')], 'It has: linux/arm64/v8, linux/s390x.'],
  [[{ digest: 'a' }, { digest: 'b' }], 'It is empty.'],
  [[], 'It is empty.'],
])('none', (entries, hint) => {
  expect(() => choosePlatform(entries, AMD64, 'app:1')).toThrow(
    expect.objectContaining({ code: 'IMAGE_INVALID', message: 'app:1 has no image for linux/amd64', hint }),
  );
});
