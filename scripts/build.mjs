// Builds dist/crac-build.js and the native parts in dist/native.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

await build({
  entryPoints: { 'crac-build': 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  define: { CRAC_BUILD_VERSION: JSON.stringify(version) },
  banner: { js: '#!/usr/bin/env node' },
});
execFileSync('make', ['-s', '-C', 'native', 'OUT=../dist/native'], { stdio: ['ignore', 'inherit', 'inherit'] });
