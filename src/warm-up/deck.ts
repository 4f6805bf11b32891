import { type Random, shuffle } from './random.ts';
import type { Scenario } from './scenario.ts';

/** Deals scenarios: each as often as its weight says, in an order of chance, then all of them again in another. */
export function openDeck(scenarios: readonly Scenario[], random: Random): () => Scenario {
  const cards = scenarios.flatMap((scenario) => Array<Scenario>(weigh(scenario)).fill(scenario));
  let left: Scenario[] = [];
  return () => {
    if (left.length === 0) left = shuffle(cards, random);
    const next = left.pop();
    if (next === undefined) throw new Error('a deck without scenarios');
    return next;
  };
}

function weigh({ load }: Scenario): number {
  return load.kind === 'mixed' ? load.weight : 1;
}
