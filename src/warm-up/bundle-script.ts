import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { BuildFailure, Message } from 'esbuild';
import { CracBuildError } from '../errors.ts';

/**
 * One module out of a script, all that it imports, and script-host.ts, with its source map, to be
 * written to `outfile`. CONFIG_INVALID with esbuild's
 * words where that cannot be done.
 */
export async function bundleScript(path: string, outfile = `${path}.mjs`): Promise<string> {
  /** Most builds have no script. */
  const { build } = await import('esbuild');
  const contents = `import * as script from ${JSON.stringify(path)};\nimport { serveScript } from ${JSON.stringify(locateHost())};\nserveScript(script);\n`;
  try {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: dirname(path), sourcefile: 'script-host.js' },
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      sourcemap: 'inline',
      sourcesContent: false,
      outfile,
      logLevel: 'silent',
      nodePaths: [ownPackages()],
      define: {
        'import.meta.dirname': JSON.stringify(dirname(path)),
        'import.meta.filename': JSON.stringify(path),
      },
      /** Packages in CommonJS ask for Node's own modules by `require`. */
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    throw new CracBuildError('CONFIG_INVALID', `the script ${path} cannot be used`, {
      hint: 'Correct what esbuild tells above; packages that a script imports are looked for beside it.',
      cause: error,
      details: errors.flatMap(renderMessage),
    });
  }
}

/** dist/script-host.js beside dist/crac-build.js, or its source. */
function locateHost(): string {
  const built = join(import.meta.dirname, 'script-host.js');
  return existsSync(built) ? built : join(import.meta.dirname, '../../src/warm-up/script-host.ts');
}

/** A script in a repo without node_modules has those of crac-build: undici, for a WebSocket. */
function ownPackages(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('undici/package.json')));
}

function renderMessage({ text, location }: Message): readonly string[] {
  if (location === null) return [text];
  return [`${location.file}:${location.line}:${location.column + 1}: ${text}`, `  ${location.lineText.trim()}`];
}
