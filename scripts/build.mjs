// Builds dist/crac-build.js and the native parts in dist/native.
import { execFileSync } from 'node:child_process';
import { build } from 'esbuild';

await build({
  entryPoints: { 'crac-build': 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  banner: { js: '#!/usr/bin/env node' },
});
execFileSync('make', ['-s', '-C', 'native', 'OUT=../dist/native'], { stdio: ['ignore', 'inherit', 'inherit'] });
