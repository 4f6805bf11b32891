import { transformSync } from 'esbuild';

/** jest transform: types away, `await using` lowered, nothing else. */
export default {
  process(source, path) {
    const { code } = transformSync(source, {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
      sourcemap: 'inline',
      sourcefile: path,
    });
    return { code };
  },
};
