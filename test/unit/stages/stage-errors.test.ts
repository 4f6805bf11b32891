import { renderError } from '../../../src/report/render-error.ts';
import { launchApp } from '../../../src/stages/launch.ts';
import { verifyImage } from '../../../src/stages/verify.ts';
import { warmUpApp } from '../../../src/stages/warm-up.ts';
import { type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { expectGolden } from '../../support/golden.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const plan = samplePlan({
  readiness: { path: '/ready', timeout: 200 },
  warmUp: { requests: [{ path: '/a', count: 3 }], timeout: 200 },
  verify: { timeout: 200 },
});
const readyThen = (answer: { status: number; body?: string } | 'hang'): FakeApp => ({
  answer: (request) => (request.url === '/ready' ? { status: 200 } : answer),
  lines: ['last but one line', 'last line'],
});
const dead: FakeApp = { listensAfterMs: 60_000, exits: { code: 1, afterMs: 20 }, lines: ['Error: no main class'] };

const failures: Readonly<Record<string, () => Promise<unknown>>> = {
  'launch: exits': () => launch(dead),
  'launch: exits in silence': () => launch({ ...dead, lines: [] }),
  'launch: refuses connections': () => launch({ listensAfterMs: 60_000, lines: ['waiting for the database'] }),
  'launch: answers otherwise': () => launch({ answer: () => ({ status: 503 }) }),
  'warm-up: wrong status': () => warmUp(readyThen({ status: 500, body: '{"error":"boom"}\n' })),
  'warm-up: too slow': () => warmUp(readyThen('hang')),
  'warm-up: exits': () => warmUp(readyThen('hang'), 3),
  'verify: does not restore': () => verify({ ...dead, lines: ['crac: cannot restore: plan.bin is cut off'] }),
  'verify: never answers': () => verify({ listensAfterMs: 60_000 }),
  'verify: wrong answer': () => verify(readyThen({ status: 404 })),
  'verify: no answer': () => verify(readyThen('hang')),
};

test('every text', async () => {
  const texts: string[] = [];
  for (const [title, fail] of Object.entries(failures)) {
    const error = await fail().then(
      () => new Error('it worked'),
      (error: unknown) => error,
    );
    texts.push(`── ${title}\n${renderError(error).replace(/(waiting for an answer for) \d+ ms/, '$1 … ms')}`);
  }
  expectGolden('stage-errors.txt', texts.join('\n'));
});

async function launch(app: FakeApp): Promise<void> {
  await using _app = await launchApp(plan, NO_IMAGE, fakeWorld(openFakeEngine(app)));
}

async function warmUp(app: FakeApp, exitCode?: number): Promise<void> {
  const engine = openFakeEngine(app);
  const world = fakeWorld(engine);
  await using running = await launchApp(plan, NO_IMAGE, world);
  if (exitCode !== undefined) setTimeout(() => engine.exitAll(exitCode), 20);
  await warmUpApp(plan, running, world);
}

async function verify(app: FakeApp): Promise<void> {
  await verifyImage(plan, NO_IMAGE, fakeWorld(openFakeEngine(app)));
}
