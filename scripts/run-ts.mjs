// node scripts/run-ts.mjs FILE.ts [ARGS]: bundles a TypeScript program and runs it in this process.
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const [file, ...args] = process.argv.slice(2);
const dir = mkdtempSync(join(import.meta.dirname, '../node_modules/.run-ts-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const outfile = join(dir, 'program.mjs');
await build({
  entryPoints: [file],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
});
process.argv = [process.argv[0], resolve(file), ...args];
await import(pathToFileURL(outfile).href);
