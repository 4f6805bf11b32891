import { CracBuildError, findFirstError } from '../../../src/errors.ts';

test('an error is not hidden by the disposals that fail after it', async () => {
  const first = new CracBuildError('ENGINE_UNAVAILABLE', 'the daemon has gone');
  const fail = async () => {
    const failing = () => ({
      [Symbol.asyncDispose]: () => Promise.reject(new Error('cannot be removed')),
    });
    await using _outer = failing();
    await using _inner = failing();
    throw first;
  };
  const thrown = await fail().catch((error: unknown) => error);
  expect(thrown).not.toBe(first);
  expect(findFirstError(thrown)).toBe(first);
  expect(findFirstError(first)).toBe(first);
  expect(findFirstError('text')).toBe('text');
});
