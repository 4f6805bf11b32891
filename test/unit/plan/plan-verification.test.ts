import { planVerification } from '../../../src/plan/plan-verification.ts';
import type { VerifiedImage } from '../../../src/stages/read-verified-image.ts';
import { planProfile } from '../../../src/stages/verify.ts';

const IMAGE: VerifiedImage = {
  ...{ name: 'orders', user: { uid: 1000, gid: 1000 }, ports: [9000], isImageApp: false },
  answer: { kind: 'http', port: 9000, path: '/ready', status: 200 },
};

test('an image alone is asked what its build asked', () => {
  expect(planVerification(IMAGE, undefined)).toMatchObject({
    ...{ name: 'orders', app: { ports: [9000] }, network: 'isolated', services: [], warmUp: { scenarios: [] } },
    verify: { timeoutMs: 30_000, answer: IMAGE.answer },
  });
});

test('with the settings of its build, its services run and all requests of the warm-up are sent', () => {
  const verification = planVerification(IMAGE, {
    readiness: { port: 9000, path: '/up' },
    warmUp: {
      requests: [{ method: 'GET', path: '/orders', count: 500 }],
      services: [{ name: 'db', image: 'postgres:16', ports: [5432] }],
    } as never,
    verify: { timeout: 5000 },
  });
  expect(verification).toMatchObject({
    services: [{ name: 'db' }],
    verify: { timeoutMs: 5000, answer: { path: '/up', port: 9000 } },
    warmUp: { scenarios: [{ steps: [{ path: '/orders', port: 9000 }] }] },
  });
});

test('settings without ports ask on the port that the image tells', () => {
  expect(planVerification(IMAGE, { readiness: { path: '/up' } }).verify.answer).toMatchObject({
    path: '/up',
    port: 9000,
  });
  expect(planVerification(IMAGE, { app: { ports: [9001] } }).verify.answer).toMatchObject({ port: 9001 });
});

test('it is tried as a foreign user; only an app that was an image itself as its own', () => {
  const foreign = '65432:65432';
  expect(planProfile(planVerification(IMAGE, undefined)).user).toBe(foreign);
  const root = { ...IMAGE, user: { uid: 0, gid: 0 } };
  expect(planProfile(planVerification(root, undefined)).user).toBe(foreign);
  expect(planProfile(planVerification({ ...root, isImageApp: true }, undefined)).user).toBe('0:0');
});

test('an app that nobody asks anything is asked nothing', () => {
  const { answer: _, ...program } = IMAGE;
  expect(planVerification(program, undefined).verify).not.toHaveProperty('answer');
  expect(planVerification(program, { checkpoint: { trigger: 'app' } }).verify).not.toHaveProperty('answer');
});
