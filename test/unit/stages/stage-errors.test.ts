import type { Settings } from '../../../src/config/settings.ts';
import { renderError } from '../../../src/report/render-error.ts';
import { launchApp } from '../../../src/stages/launch.ts';
import { verifyImage } from '../../../src/stages/verify.ts';
import { warmUpApp } from '../../../src/stages/warm-up.ts';
import { type Answer, type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { expectGolden } from '../../support/golden.ts';
import { samplePlan } from '../../support/sample-plan.ts';
import { serve } from '../warm-up/serve.ts';

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

/** Orders that are made, and are asked for with what is said to be their number. */
const shop = (settings: NonNullable<Settings['warmUp']> = {}) =>
  samplePlan({
    readiness: { path: '/ready', timeout: 10_000 },
    warmUp: {
      scenarios: [
        {
          name: 'order',
          steps: [
            {
              method: 'POST',
              path: '/orders',
              expect: { status: 201, json: { type: 'object', required: ['id'] } },
              capture: { id: { json: '$.id' } },
            },
            {
              path: '/orders/{{id}}',
              expect: { headers: { etag: '"{{id}}"' } },
              capture: { next: { header: 'link' } },
            },
          ],
        },
      ],
      until: { requests: 10 },
      timeout: 1000,
      ...settings,
    },
    verify: { timeout: 1000 },
  });
const orders =
  (made: Answer, order: Answer): NonNullable<FakeApp['answer']> =>
  ({ url, method }) =>
    url === '/ready' ? { status: 200 } : method === 'POST' ? made : order;
const json = { 'content-type': 'application/json' };
const made: Answer = { status: 201, headers: json, body: '{"id":17}' };

const failures: Readonly<Record<string, () => Promise<unknown>>> = {
  'launch: exits': () => launch(dead),
  'launch: exits in silence': () => launch({ ...dead, lines: [] }),
  'launch: refuses connections': () => launch({ listensAfterMs: 60_000, lines: ['waiting for the database'] }),
  'launch: answers otherwise': () => launch({ answer: () => ({ status: 503 }) }),
  'launch: no connection to a port': () => launch({ listensAfterMs: 60_000 }, { tcp: 9000 }),
  'launch: no line of the log': () => launch({ lines: ['Starting'] }, { log: 'Started .* in' }),
  'launch: command fails': () =>
    launch(
      { ctl: () => ({ exitCode: 7, stdout: '', stderr: 'curl: (7) refused\n' }) },
      { command: ['curl', '-f', ':1'] },
    ),
  'launch: no TLS': () => launch({}, { tls: true, timeout: 1000 }),
  'services: image is missing': () => launchBeside({ image: 'postgres:missing', ports: [5432] }),
  'services: never healthy': () =>
    launchBeside({ image: 'postgres:16', health: { tcp: 5432, timeout: 200 } }, { listensAfterMs: 60_000 }),
  'services: command never succeeds': () =>
    launchBeside(
      { process: ['postgres', '-D', 'data'], health: { command: ['pg_isready'], timeout: 200 } },
      { ctl: () => ({ exitCode: 2, stdout: '/run/postgresql:5432 - no response\n', stderr: '' }) },
    ),
  'services: exits in silence': () =>
    launchBeside(
      { image: 'postgres:16', ports: [5432] },
      { listensAfterMs: 60_000, exits: { code: 1, afterMs: 20 }, lines: [] },
    ),
  'services: exits while the app starts': () =>
    launchBeside({ image: 'postgres:16', ports: [5432] }, { exits: { code: 137, afterMs: 1500 } }),
  'warm-up: wrong status': () => warmUp(readyThen({ status: 500, body: '{"error":"boom"}\n' })),
  'warm-up: too slow': () => warmUp(readyThen('hang')),
  'warm-up: exits': () => warmUp(readyThen('hang'), 3),
  'warm-up: JSON that does not fit': () =>
    warmUp({ answer: orders({ ...made, body: '{"order":17}' }, 'hang') }, undefined, shop()),
  'warm-up: nothing to capture': () =>
    warmUp({ answer: orders(made, { status: 200, headers: { etag: '"17"' }, body: '<tea>' }) }, undefined, shop()),
  'warm-up: wrong header': () =>
    warmUp({ answer: orders(made, { status: 200, headers: { etag: '"16"' } }) }, undefined, shop()),
  'warm-up: an endpoint hangs': () =>
    warmUp({ answer: orders(made, 'hang'), lines: ['waiting for a lock'] }, undefined, shop({ timeout: 800 })),
  'warm-up: no connection': () => warmUp({ answer: orders('destroy', 'hang') }, undefined, shop()),
  'warm-up: unknown certificate': warmUpOverTls,
  'warm-up: does not keep up': () =>
    warmUp({ answer: orders('hang', 'hang') }, undefined, shop({ rate: 10_000, timeout: 20_000 })),
  'warm-up: exits in a scenario': () => warmUp({ answer: orders(made, 'hang') }, 137, shop(), 500),
  'verify: does not restore': () => verify({ ...dead, lines: ['crac: cannot restore: plan.bin is cut off'] }),
  'verify: never answers': () => verify({ listensAfterMs: 60_000 }),
  'verify: wrong answer': () => verify(readyThen({ status: 404 })),
  'verify: nothing to capture': () =>
    verify({ answer: orders(made, { status: 200, headers: { etag: '"17"' }, body: '<tea>' }) }, shop()),
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
}, 30_000);

async function launch(app: FakeApp, readiness?: Settings['readiness']): Promise<void> {
  const other = readiness && samplePlan({ readiness: { timeout: 200, ...readiness } });
  await using _app = await launchApp(other ?? plan, NO_IMAGE, fakeWorld(openFakeEngine(app)));
}

/** `db` is the fake's container of that name; the app never listens. */
async function launchBeside(
  service: Omit<NonNullable<NonNullable<Settings['warmUp']>['services']>[number], 'name'>,
  db: FakeApp = {},
): Promise<void> {
  const lines = ['FATAL: data directory is not empty', 'database system is shut down'];
  const engine = openFakeEngine(({ name }) => (/(^|-)db$/.test(name) ? { lines, ...db } : { listensAfterMs: 60_000 }));
  const beside = samplePlan({ readiness: { timeout: 20_000 }, warmUp: { services: [{ name: 'db', ...service }] } });
  await using _app = await launchApp(beside, NO_IMAGE, fakeWorld(engine));
}

async function warmUp(app: FakeApp, exitCode?: number, warmUpPlan = plan, exitAfterMs = 20): Promise<void> {
  const engine = openFakeEngine(app);
  const world = fakeWorld(engine);
  await using running = await launchApp(warmUpPlan, NO_IMAGE, world);
  if (exitCode !== undefined) setTimeout(() => engine.exitAll(exitCode), exitAfterMs);
  await warmUpApp(warmUpPlan, running, world);
}

async function verify(app: FakeApp, verifyPlan = plan): Promise<void> {
  await verifyImage(verifyPlan, NO_IMAGE, fakeWorld(openFakeEngine(app)));
}

/** The fake's apps have no TLS: this one is another. */
async function warmUpOverTls(): Promise<void> {
  await using served = await serve((_, response) => response.end(), 'https');
  const engine = openFakeEngine();
  await using app = await launchApp(plan, NO_IMAGE, fakeWorld(engine));
  const overTls = samplePlan({ warmUp: { requests: [{ path: '/a' }], tls: true } });
  await warmUpApp(overTls, { ...app, container: { ...app.container, endpoint: served.endpoint } }, fakeWorld(engine));
}
