// node scripts/count-tests.mjs RESULTS.json JEST_EXIT_CODE: prints "PASSED FAILED SKIPPED" for what jest wrote, with at
// least one failure when jest ended badly or ran nothing.
import { readFileSync } from 'node:fs';

const [file, exitCode] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const results = JSON.parse(readFileSync(file, 'utf8'));
  passed = results.numPassedTests;
  failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  skipped = results.numPendingTests + results.numTodoTests;
} catch (error) {
  console.error(`jest left no result: ${error.message}`);
}
const ranNothing = passed + failed + skipped === 0;
if (failed === 0 && (exitCode !== '0' || ranNothing)) {
  console.error(ranNothing ? 'jest ran no test' : `jest ended with exit code ${exitCode}`);
  failed = 1;
}
console.log(passed, failed, skipped);
