import type { Settings } from '../../../src/config/settings.ts';
import type { ContainerSpec } from '../../../src/engine/engine.ts';
import { launchApp } from '../../../src/stages/launch.ts';
import { recordTouches } from '../../../src/stages/record.ts';
import { launchServices } from '../../../src/stages/services.ts';
import { verifyImage } from '../../../src/stages/verify.ts';
import { warmUpApp } from '../../../src/stages/warm-up.ts';
import { type Answer, type FakeApp, openFakeEngine } from '../../support/fake-engine.ts';
import { fakeWorld, NO_IMAGE } from '../../support/fake-world.ts';
import { samplePlan } from '../../support/sample-plan.ts';

type Service = NonNullable<NonNullable<Settings['warmUp']>['services']>[number];

const db: Service = { name: 'db', image: 'postgres:16', environment: { POSTGRES_PASSWORD: 'warm' }, ports: [5432] };
const cache: Service = { name: 'cache', process: ['redis-server'], health: { log: 'Ready', timeout: 5000 } };
const planWith = (services: readonly Service[], settings: Settings = {}) =>
  samplePlan({
    readiness: { timeout: 5000 },
    verify: { timeout: 5000 },
    ...settings,
    warmUp: { requests: [{ path: '/a', count: 3 }], timeout: 10_000, services: [...services] },
  });

/** What a container of the fake is: services are named in their containers' names, processes by their own. */
const by =
  (apps: Readonly<Record<string, FakeApp>>) =>
  ({ name }: ContainerSpec): FakeApp =>
    Object.entries(apps).find(([key]) => name === key || name.endsWith(`-${key}`))?.[1] ?? {};

test('services are healthy before the app starts, in their order, in one network with it', async () => {
  const engine = openFakeEngine(by({ cache: { lines: ['Ready'] } }));
  await using app = await launchApp(planWith([db, cache]), NO_IMAGE, fakeWorld(engine));
  expect(engine.specs.map(({ name }) => name.replace(/^crac-build-orders-|[0-9a-f]{8}-?/g, ''))).toEqual([
    'services-db',
    'cache',
    '',
  ]);
  const [first, , last] = engine.specs;
  expect(first).toMatchObject({
    image: 'postgres:16',
    alias: 'db',
    environment: { POSTGRES_PASSWORD: 'warm' },
    ports: [5432],
    capabilities: expect.arrayContaining(['CHOWN', 'SETUID', 'SETGID']),
  });
  expect(last).toMatchObject({ network: first?.network, localNames: ['db', 'cache'] });
  expect(typeof first?.network).toBe('object');
  await app.services.end();
  expect(engine.left().filter((name) => /(^|-)(db|cache)$/.test(name))).toEqual([]);
  expect(engine.left()).toHaveLength(3); // image, app and network
  await app[Symbol.asyncDispose]();
  expect(engine.left()).toEqual([]);
});

test('a plan without services opens no network', async () => {
  const engine = openFakeEngine();
  await using app = await launchApp(planWith([]), NO_IMAGE, fakeWorld(engine));
  expect(engine.left()).toHaveLength(2);
  expect(engine.specs[0]).toMatchObject({ network: 'isolated' });
  expect(app.services.neighbourhood).toEqual({ network: 'isolated' });
});

test('in the network of the host, names stand for 127.0.0.1', async () => {
  const engine = openFakeEngine();
  await using _app = await launchApp(planWith([db], { network: 'host' }), NO_IMAGE, fakeWorld(engine));
  expect(engine.specs).toMatchObject([
    { network: 'host', localNames: ['db'] },
    { network: 'host', localNames: ['db'] },
  ]);
});

test('names are the engine’s where containers have addresses of their own', async () => {
  const engine = openFakeEngine();
  const openNetwork: typeof engine.openNetwork = async (name, signal) => ({
    ...(await engine.openNetwork(name, signal)),
    isOneLoopback: false,
  });
  await using _app = await launchApp(planWith([db]), NO_IMAGE, fakeWorld({ ...engine, openNetwork }));
  expect(engine.specs[1]).not.toHaveProperty('localNames');
});

test.each<[string, FakeApp, string]>([
  ['never listens', { listensAfterMs: 60_000, lines: ['recovering'] }, 'was not healthy after 300 ms'],
  [
    'ends',
    { listensAfterMs: 60_000, exits: { code: 2, afterMs: 50 }, lines: ['recovering'] },
    'exited with code 2 before',
  ],
])('a service that %s fails the build, with its last lines, and leaves nothing', async (_, app, words) => {
  const plan = planWith([cache, { ...db, health: { tcp: 5432, timeout: 300 } }]);
  const engine = openFakeEngine(by({ cache: { lines: ['Ready'] }, db: app }));
  await expect(launchApp(plan, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'SERVICE_FAILED',
    message: expect.stringContaining(`the backing service db ${words}`),
    details: ['recovering'],
  });
  expect(engine.left()).toEqual([]);
  expect(engine.specs).toHaveLength(2); // the app was not begun
});

test('a service that ends while the next one starts is told', async () => {
  const engine = openFakeEngine(by({ db: { exits: { code: 9, afterMs: 1500 } }, cache: {} }));
  const patient = { ...cache, health: { log: 'Ready', timeout: 20_000 } };
  await expect(launchApp(planWith([db, patient]), NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'SERVICE_FAILED',
    message: 'the backing service db exited with code 9 while the app needed it',
  });
  expect(engine.left()).toEqual([]);
});

test('a service that ends while the app starts is told, not the app that cannot do without', async () => {
  const engine = openFakeEngine(({ name }) =>
    name.endsWith('-db')
      ? { exits: { code: 1, afterMs: 1500 } }
      : { listensAfterMs: 60_000, exits: { code: 3, afterMs: 1200 } },
  );
  await expect(launchApp(planWith([db]), NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'SERVICE_FAILED',
    message: 'the backing service db exited with code 1 while the app needed it',
  });
  expect(engine.left()).toEqual([]);
});

test.each<[string, Answer]>([
  ['hangs', 'hang'],
  ['answers with an error', { status: 500 }],
])('a service that ends in the warm-up, whereupon the app %s, is told at once', async (_, answer) => {
  let killDb: () => void = () => {};
  const engine = openFakeEngine(({ alias }) => {
    if (alias === 'db') return { lines: ['out of memory'] };
    return {
      answer: ({ url }) => {
        if (url !== '/a') return { status: 200 };
        setTimeout(killDb, 50);
        return answer;
      },
    };
  });
  const launchContainer: typeof engine.launchContainer = async (spec, signal) => {
    const container = await engine.launchContainer(spec, signal);
    if (spec.alias === 'db') killDb = () => container.kill('SIGKILL');
    return container;
  };
  const world = fakeWorld({ ...engine, launchContainer });
  const plan = planWith([db]);
  await using app = await launchApp(plan, NO_IMAGE, world);
  await expect(warmUpApp(plan, app, world)).rejects.toMatchObject({
    code: 'SERVICE_FAILED',
    message: 'the backing service db exited with code 137 while the app needed it',
    details: ['out of memory'],
  });
});

test('what the app does wrong by itself is told as that', async () => {
  const engine = openFakeEngine({ answer: ({ url }) => ({ status: url === '/a' ? 500 : 200 }) });
  const world = fakeWorld(engine);
  const plan = planWith([db]);
  await using app = await launchApp(plan, NO_IMAGE, world);
  await expect(warmUpApp(plan, app, world)).rejects.toMatchObject({ code: 'WARM_UP_FAILED' });
});

test('an image that is missing is told with the engine’s words', async () => {
  const engine = openFakeEngine();
  const plan = planWith([{ ...db, image: 'postgres:missing' }]);
  await expect(launchApp(plan, NO_IMAGE, fakeWorld(engine))).rejects.toMatchObject({
    code: 'SERVICE_FAILED',
    message: 'the backing service db cannot be started: no postgres:missing',
  });
  expect(engine.left()).toEqual([]);
});

test('an abort while a service starts, or the app, leaves nothing and is none of the service’s failures', async () => {
  for (const apps of [{ db: { listensAfterMs: 60_000 } }, { db: {}, app: {} }]) {
    const controller = new AbortController();
    const engine = openFakeEngine((spec) =>
      spec.alias === undefined ? { answer: () => 'hang' } : (by(apps)(spec) as FakeApp),
    );
    const launching = launchApp(planWith([db]), NO_IMAGE, fakeWorld(engine, controller.signal));
    setTimeout(() => controller.abort(), 400);
    await expect(launching).rejects.not.toMatchObject({ code: 'SERVICE_FAILED' });
    expect(engine.left()).toEqual([]);
  }
});

test('a service that does not end well does not keep the others, or the network', async () => {
  const engine = openFakeEngine(by({ cache: { lines: ['Ready'] } }));
  const launchContainer: typeof engine.launchContainer = async (spec, signal) => {
    const container = await engine.launchContainer(spec, signal);
    const broken = {
      [Symbol.asyncDispose]: () => container[Symbol.asyncDispose]().then(() => Promise.reject(new Error('busy'))),
    };
    return { ...container, ...broken } as typeof container;
  };
  const services = await launchServices(planWith([cache, db]), 'launch', fakeWorld({ ...engine, launchContainer }));
  await expect(services[Symbol.asyncDispose]()).rejects.toThrow('busy');
  expect(engine.left()).toEqual([]);
});

test('when the image is verified and arranged, services run beside it anew', async () => {
  const engine = openFakeEngine();
  const plan = planWith([db]);
  await verifyImage(plan, NO_IMAGE, fakeWorld(engine));
  await recordTouches(plan, NO_IMAGE, fakeWorld(engine)).catch(() => undefined); // a fake has no touches
  expect(engine.specs.map(({ alias }) => alias ?? 'app')).toEqual(['db', 'app', 'app', 'app', 'db', 'app']);
  expect(new Set(engine.specs.slice(0, 4).map(({ network }) => network)).size).toBe(1);
  expect(engine.left()).toEqual([]);
});
