import { planBuild } from '../../../src/plan/plan-build.ts';
import { verifyProgram } from '../../../src/stages/verify-program.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { SAMPLE_FACTS } from '../../support/sample-plan.ts';

const plan = planBuild({ checkpoint: { trigger: 'app' }, verify: { timeout: 200 } }, SAMPLE_FACTS);
/** A program that ends with `codes`, one start after the other. */
const programs = (...codes: readonly number[]) => {
  let starts = 0;
  return openFakeEngine((): FakeApp => {
    const code = codes[starts++];
    return { lines: [`start ${starts}`], ...(code === undefined ? {} : { exits: { code, afterMs: 5 } }) };
  });
};

test('restores twice, then starts cold, under the restrictions of production', async () => {
  const engine = programs(3, 3, 3);
  const report = await verifyProgram(plan, NO_IMAGE, fakeWorld(engine));
  expect(report).toMatchObject({ exitCode: 3, restoredMs: [expect.any(Number), expect.any(Number)] });
  expect(engine.specs.map(({ environment }) => environment['CRAC_RESTORE'])).toEqual(['require', 'require', 'off']);
  for (const spec of engine.specs) expect(spec).toMatchObject({ capabilities: [], readOnlyRoot: true, ports: [] });
  expect(engine.requests).toEqual([]);
  expect(engine.left()).toEqual([]);
});

test('a program that runs on is watched for as long as the time limit says', async () => {
  expect(await verifyProgram(plan, NO_IMAGE, fakeWorld(programs()))).toMatchObject({ exitCode: null });
});

test.each([
  ['is not restored', [125], 'the image was to be restored, but its process exited with code 125', 'start 1'],
  [
    'ends otherwise the second time',
    [0, 1],
    'restored, the app exited with code 1, but restored first it exited with code 0',
    'start 2',
  ],
  [
    'cannot start cold',
    [0, 0, 1],
    'started cold, the app exited with code 1, but restored first it exited with code 0',
    'start 3',
  ],
  [
    'runs on when it starts cold',
    [0, 0],
    'started cold, the app runs, but restored first it exited with code 0',
    'start 3',
  ],
])('an image that %s fails, with its last lines', async (_, codes, message, line) => {
  const engine = programs(...codes);
  await expect(verifyProgram(plan, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
    message: `verify: ${message}`,
    details: [line],
  });
  expect(engine.left()).toEqual([]);
});
