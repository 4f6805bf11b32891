// Builds dist/crac-build.js, what scripts of warm-ups need beside it, and the native parts in dist/native.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const options = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
};

await build({
  ...options,
  entryPoints: { 'crac-build': 'src/cli/main.ts' },
  define: { CRAC_BUILD_VERSION: JSON.stringify(version) },
  banner: { js: '#!/usr/bin/env node' },
});
await build({ ...options, entryPoints: { 'script-host': 'src/warm-up/script-host.ts' } });
copyFileSync('src/warm-up/script-api.ts', 'dist/warm-up.d.ts');
rmSync('dist/warmup-scripts', { recursive: true, force: true });
rmSync('dist/templates', { recursive: true, force: true });
cpSync('templates', 'dist/templates', { recursive: true });
cpSync('warmup-scripts', 'dist/warmup-scripts', { recursive: true });
execFileSync('make', ['-s', '-C', 'native', 'OUT=../dist/native'], { stdio: ['ignore', 'inherit', 'inherit'] });
