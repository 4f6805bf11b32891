import { CracBuildError } from '../../../../src/errors.ts';
import {
  isTransientStatus,
  parseRetryAfter,
  planDelay,
  TransientFailure,
  withRetries,
} from '../../../../src/oci/registry/retry.ts';

const PATIENCE = { attempts: 4, firstDelayMs: 100 };

test('delays double, come apart, and end', () => {
  expect([1, 2, 3, 4].map((failures) => planDelay(failures, undefined, PATIENCE, 1))).toEqual([
    100,
    200,
    400,
    undefined,
  ]);
  expect(planDelay(1, undefined, PATIENCE, 0)).toBe(50);
  expect(planDelay(30, undefined, { attempts: 99, firstDelayMs: 100 }, 1)).toBe(10_000);
});

test('the registry may ask for a time, but not for any', () => {
  expect(planDelay(1, 7000, PATIENCE, 0)).toBe(7000);
  expect(planDelay(1, 3_600_000, PATIENCE, 0)).toBeUndefined();
  expect(planDelay(4, 1, PATIENCE, 0)).toBeUndefined();
});

test('Retry-After is a number of seconds or a date', () => {
  const nowMs = Date.parse('Fri, 27 Nov 2026 12:00:00 GMT');
  expect(parseRetryAfter(undefined, nowMs)).toBeUndefined();
  expect(parseRetryAfter('12', nowMs)).toBe(12_000);
  expect(parseRetryAfter('Fri, 27 Nov 2026 12:00:30 GMT', nowMs)).toBe(30_000);
  expect(parseRetryAfter('Fri, 27 Nov 2026 11:00:00 GMT', nowMs)).toBe(0);
  expect(parseRetryAfter('soon', nowMs)).toBeUndefined();
});

test('what may pass', () => {
  expect([408, 429, 500, 502, 503, 504].every(isTransientStatus)).toBe(true);
  expect([200, 400, 401, 403, 404, 409, 416, 501].some(isTransientStatus)).toBe(false);
});

test('only what may pass is tried again, and in the end it is told', async () => {
  const signal = new AbortController().signal;
  const failure = new CracBuildError('REGISTRY_FAILED', 'not now');
  let count = 0;
  const patience = { attempts: 3, firstDelayMs: 1 };
  const attempt = async () => {
    count++;
    throw new TransientFailure(failure);
  };
  await expect(withRetries({ patience, signal }, attempt)).rejects.toBe(failure);
  expect(count).toBe(3);
  const bug = new TypeError('x');
  await expect(withRetries({ patience, signal }, () => Promise.reject(bug))).rejects.toBe(bug);
});

test('an abort ends the waiting', async () => {
  const controller = new AbortController();
  const failure = new TransientFailure(new CracBuildError('REGISTRY_FAILED', 'not now'), 50_000);
  const waiting = withRetries({ patience: PATIENCE, signal: controller.signal }, () => Promise.reject(failure));
  setTimeout(() => controller.abort(), 10);
  await expect(waiting).rejects.toThrow(/abort/);
});
