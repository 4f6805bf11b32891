import { compareEnds } from '../../../src/warm-up/latency.ts';

test('the first and the last tenth, by nearest rank', () => {
  const falling = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(compareEnds(falling)).toEqual({
    first: { count: 20, p50Ms: 190, p90Ms: 198, p99Ms: 200, maxMs: 200 },
    last: { count: 20, p50Ms: 10, p90Ms: 18, p99Ms: 20, maxMs: 20 },
  });
});

test('at least ten, and all where there are fewer', () => {
  expect(compareEnds(Array.from({ length: 20 }, (_, index) => index)).first).toMatchObject({ p50Ms: 4, p99Ms: 9 });
  const three = { count: 1, p50Ms: 3, p90Ms: 3, p99Ms: 3, maxMs: 3 };
  expect(compareEnds([3])).toEqual({ first: three, last: three });
});
