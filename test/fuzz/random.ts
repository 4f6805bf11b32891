/** Numbers that look random and are the same for the same seed (mulberry32). */
export interface Random {
  /** 0 … limit − 1; 0 where limit is 0. */
  below(limit: number): number;
  pick<T>(values: readonly [T, ...T[]]): T;
  pick<T>(values: readonly T[]): T | undefined;
  bytes(count: number): Buffer;
}

export function openRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => (limit <= 0 ? 0 : Math.floor((next() / 2 ** 32) * limit));
  return {
    below,
    pick: <T>(values: readonly T[]): T => values[below(values.length)] as T,
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}
