import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NOTHING = {
  numPassedTests: 0,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 0,
  numPendingTests: 0,
  numTodoTests: 0,
};
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'count-tests-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** "PASSED FAILED SKIPPED" for what jest wrote, or for no file at all. */
function count(results: object | string | undefined, exitCode: number): string {
  const file = join(dir, 'results.json');
  rmSync(file, { force: true });
  if (results !== undefined) writeFileSync(file, typeof results === 'string' ? results : JSON.stringify(results));
  const script = join(import.meta.dirname, '../../../scripts/count-tests.mjs');
  return execFileSync(process.execPath, [script, file, String(exitCode)], { stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim();
}

test.each([
  ['all passed', { ...NOTHING, numPassedTests: 3 }, 0, '3 0 0'],
  [
    'skips and todos are told apart from passes',
    { ...NOTHING, numPassedTests: 3, numPendingTests: 2, numTodoTests: 1 },
    0,
    '3 0 3',
  ],
  ['a failed test', { ...NOTHING, numPassedTests: 1, numFailedTests: 2 }, 1, '1 2 0'],
  ['a file that did not load', { ...NOTHING, numPassedTests: 1, numRuntimeErrorTestSuites: 1 }, 1, '1 1 0'],
  ['a bad end although all passed', { ...NOTHING, numPassedTests: 4 }, 1, '4 1 0'],
  ['nothing ran', NOTHING, 0, '0 1 0'],
  ['jest died before it wrote', undefined, 134, '0 1 0'],
  ['jest died while it wrote', '{"numPassed', 137, '0 1 0'],
])('%s', (_name, results, exitCode, expected) => {
  expect(count(results, exitCode)).toBe(expected);
});
