import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findViolations, parseImports } from './import-rules.ts';

const src = join(import.meta.dirname, '../../../src');

const sources = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path: relative(src, path), text: readFileSync(path, 'utf8') }));

describe('imports', () => {
  test('go one way through src/', () => {
    expect(sources.length).toBeGreaterThan(5);
    expect(findViolations(sources)).toEqual([]);
  });

  test.each([
    ['an import upwards', 'tar/x.ts', "import { a } from '../oci/digest.ts';"],
    ['an import upwards over several lines', 'oci/x.ts', "import {\n  a,\n  b,\n} from '../stages/pack.ts';"],
    ['a re-export upwards', 'engine/x.ts', "export { a } from '../cli/main.ts';"],
    ['a dynamic import upwards', 'stages/x.ts', "const a = await import('../build.ts');"],
    ['a value of a contract file from below', 'stages/x.ts', "import { a } from '../plan/build-plan.ts';"],
    ['a type that is no contract, from below', 'stages/x.ts', "import type { A } from '../plan/plan-build.ts';"],
    ['an import from outside src/', 'cli/x.ts', "import { a } from '../../bench/main.ts';"],
    ['a folder without a layer', 'helpers/x.ts', 'export const a = 1;'],
    ['dockerode outside engine/docker*', 'stages/x.ts', "import Docker from 'dockerode';"],
    ['dockerode elsewhere in engine/', 'engine/oci-runtime.ts', "import Docker from 'dockerode';"],
    ['process outside cli/', 'oci/x.ts', 'const home = process.env.HOME;'],
    ['process inside a template', 'oci/x.ts', 'const home = `$'.concat('{process.env.HOME}/x`;')],
    ['process by computed name', 'oci/x.ts', "const exit = process['exit'];"],
    ['process imported whole', 'oci/x.ts', "import process from 'node:process';"],
    ['process imported outside cli/', 'oci/x.ts', "import { env } from 'node:process';"],
  ])('%s is caught', (_name, path, text) => {
    expect(findViolations([{ path, text }])).toHaveLength(1);
  });

  test('folders of one layer that import each other are caught', () => {
    const violations = findViolations([
      { path: 'engine/x.ts', text: "import { a } from '../oci/a.ts';" },
      { path: 'oci/a.ts', text: "import { b } from '../criu/b.ts';" },
      { path: 'criu/b.ts', text: "import { x } from '../engine/x.ts';" },
    ]);
    expect(violations).toHaveLength(3);
  });

  test.each([
    ['downwards', 'stages/x.ts', "import { a } from '../tar/write-tar.ts';\nimport { b } from 'node:fs';"],
    [
      'the type of a contract file from below',
      'stages/x.ts',
      "import type { BuildPlan } from '../plan/build-plan.ts';",
    ],
    ['dockerode in its place', 'engine/docker-exec.ts', "import Docker from 'dockerode';"],
    ['a fact about the process', 'oci/x.ts', "import { pid } from 'node:process';\nconst a = process.arch;"],
    ['process in cli/', 'cli/main.ts', 'process.exitCode = 1;'],
    ['the word as a text', 'oci/x.ts', "refuse('process', 'it is not alive');"],
    ['the word in a template', 'oci/x.ts', 'const text = `ended the process. $'.concat('{why}`;')],
    ['the word in a comment or a text', 'oci/x.ts', "// ends the process. Really\nthrow new Error('no process.');"],
  ])('%s is allowed', (_name, path, text) => {
    expect(findViolations([{ path, text }])).toEqual([]);
  });

  test('imports of every form are seen', () => {
    const code = `import a from 'a'; import 'b'; import type { C } from 'c'; export * from 'd'; await import('e');`;
    expect(parseImports(code).map((i) => i.specifier)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(parseImports(code).map((i) => i.typeOnly)).toEqual([false, false, true, false, false]);
  });
});
