import { listIn, resolveIn, stackLayer } from '../../../src/base/root-index.ts';
import { makeEntry, makeRoot } from './made-up-root.ts';

const lower = makeRoot({ a: null, 'a/one': '1', 'a/two': '2', b: null, 'b/deep': null, 'b/deep/x': 'x', c: 'file' });

test('whiteouts remove what lies below, and not what comes with them', () => {
  const root = stackLayer(lower, makeRoot({ 'a/.wh.one': '', 'a/three': '3', '.wh.b': '', 'b/new': 'n' }));
  expect([...root.keys()].sort()).toEqual(['a', 'a/three', 'a/two', 'b/new', 'c']);
});

test('an opaque folder has only what its own layer has, wherever the mark stands', () => {
  const root = stackLayer(lower, makeRoot({ 'a/three': '3', 'a/.wh..wh..opq': '', b: null }));
  expect([...root.keys()].sort()).toEqual(['a', 'a/three', 'b', 'b/deep', 'b/deep/x', 'c']);
});

test('a file or a link in place of a folder hides it', () => {
  const root = stackLayer(lower, makeRoot({ b: '-> a' }));
  expect(resolveIn(root, '/b/two')?.path).toBe('/a/two');
  expect(resolveIn(root, '/b/deep/x')).toBeUndefined();
});

test('hard links are the file that they name, of this layer or of a lower one', () => {
  const link = { ...makeEntry(''), type: 'link' as const, target: './a/one' };
  expect(
    stackLayer(lower, new Map([['d', link]]))
      .get('d')
      ?.content?.toString(),
  ).toBe('1');
});

test('links that lead around, or out of the root', () => {
  const root = makeRoot({ loop: '-> loop', out: '-> ../../a', a: null, 'a/f': 'f' });
  expect(resolveIn(root, '/loop/x')).toBeUndefined();
  expect(resolveIn(root, '/out/f')?.path).toBe('/a/f');
  expect(listIn(root, '/out')).toEqual(['f']);
});
