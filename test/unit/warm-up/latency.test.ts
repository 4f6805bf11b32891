import { compareEnds } from '../../../src/warm-up/latency.ts';

test('the first and the last tenth, by nearest rank', () => {
  const falling = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(compareEnds(falling)).toEqual({
    first: { p50Ms: 190, p99Ms: 200 },
    last: { p50Ms: 10, p99Ms: 20 },
  });
});

test('at least ten, and all where there are fewer', () => {
  expect(compareEnds(Array.from({ length: 20 }, (_, index) => index)).first).toEqual({ p50Ms: 4, p99Ms: 9 });
  expect(compareEnds([3])).toEqual({ first: { p50Ms: 3, p99Ms: 3 }, last: { p50Ms: 3, p99Ms: 3 } });
});
