import { openDeck } from '../../../src/warm-up/deck.ts';
import { openRandom } from '../../../src/warm-up/random.ts';
import type { Scenario } from '../../../src/warm-up/scenario.ts';

const scenario = (name: string, weight: number): Scenario => ({
  kind: 'http',
  name,
  load: { kind: 'mixed', weight },
  steps: [],
});
const SCENARIOS = [scenario('a', 5), scenario('b', 3), scenario('c', 1)];

function deal(count: number, ...seeds: readonly number[]): string {
  const next = openDeck(SCENARIOS, openRandom(...seeds));
  return Array.from({ length: count }, () => next().name).join('');
}

test('each round has every scenario as often as its weight says', () => {
  const dealt = deal(90, 1);
  for (let round = 0; round < 10; round++)
    expect([...dealt.slice(round * 9, round * 9 + 9)].sort().join('')).toBe('aaaaabbbc');
});

test('the same seed gives the same order, another another', () => {
  expect(deal(90, 7)).toBe(deal(90, 7));
  expect(deal(90, 7)).not.toBe(deal(90, 8));
  expect(deal(90, 7, 1)).not.toBe(deal(90, 7, 2));
  const rounds = Array.from({ length: 10 }, (_, round) => deal(90, 7).slice(round * 9, round * 9 + 9));
  expect(new Set(rounds).size).toBeGreaterThan(5);
});

test('random numbers are spread evenly, whatever the seeds', () => {
  for (const seeds of [[0], [1], [1, 1], [1, 2], [-5], [2 ** 31]]) {
    const random = openRandom(...seeds);
    const counts = Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const drawn = random();
      expect(drawn >= 0 && drawn < 1).toBe(true);
      const bucket = Math.floor(drawn * 10);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  }
});

test('neighbouring seeds begin differently', () => {
  const first = new Set(Array.from({ length: 1000 }, (_, seed) => openRandom(1, seed)()));
  expect(first.size).toBe(1000);
  const [low, high] = [Math.min(...first), Math.max(...first)];
  expect(low).toBeLessThan(0.01);
  expect(high).toBeGreaterThan(0.99);
});
