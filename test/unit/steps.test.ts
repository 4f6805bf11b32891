import { readFileSync } from 'node:fs';
import { jvmStepsOf, STEP_NAMES, STEPS, withDependentSteps } from '../../src/steps.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the table in docs/memory.md is the list', () => {
  const [, rows] = /\n\| step \| \|\n\|---\|---\|\n(.*?)\n\n/s.exec(read('docs/memory.md')) ?? [];
  const listed = Object.entries(STEPS).map(([name, does]) => `| \`${name}\` | ${does} |`);
  expect((rows ?? '').split('\n')).toEqual(listed);
});

test('the agent knows the names of what happens in the JVM, and no others', () => {
  const [, names] = /SKIPPABLE = List\.of\(([^)]*)\)/.exec(read('native/agent/java/jdk/crac/impl/Steps.java')) ?? [];
  expect((names ?? '').split(/,\s*/)).toEqual(jvmStepsOf(STEP_NAMES).map((name) => `"${name}"`));
});

test('what needs a step that is left out is left out, in the order of the list', () => {
  expect(withDependentSteps(['zero-pages', 'collect'])).toEqual(['collect', 'histogram', 'free-heap', 'zero-pages']);
  expect(withDependentSteps(['free-heap'])).toEqual(['free-heap']);
  expect(withDependentSteps([])).toEqual([]);
});
