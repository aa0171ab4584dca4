/** A small seeded generator (mulberry32), so that a run can be repeated with the same order of targets. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A new array in random order (Fisher and Yates). */
  shuffle<Item>(items: readonly Item[]): Item[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    shuffle(items) {
      const remaining = [...items];
      const shuffled: typeof remaining = [];
      while (remaining.length > 0) {
        shuffled.push(...remaining.splice(Math.floor(next() * remaining.length), 1));
      }
      return shuffled;
    },
  };
}
