/** Numbers that look random and are the same on every run. */

/** How much one run of the same work differs from another. */
export const TIMING_NOISE = 0.03;

export type Random = () => number;

/** mulberry32: 32 bits of state are plenty for noise and small talk. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function wholeBetween(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** A factor around 1, at most `spread` away from it. */
export function jitter(random: Random, spread: number): number {
  return 1 + (random() * 2 - 1) * spread;
}
