/** While the machine swaps the database must not add to it: readings wait in memory until it is over. */
import type { MemorySample } from "../types.ts";

export interface HeldSamples {
  save(sample: MemorySample, swapsNow: boolean, atMs: number): void;
  /** Gives everything that waits to the recorder. */
  release(): void;
}

/** Ten minutes at one a second; then they are written, whatever goes on. */
const LONGEST_MS = 600_000;
const MOST_SAMPLES = 2400;
/** Swapping pauses between bursts. */
const CALM_MS = 10_000;

/** `save`: the recorder's. Order is kept; nothing is dropped, unless the program ends by force. */
export function createHeldSamples(save: (sample: MemorySample) => void): HeldSamples {
  let held: MemorySample[] = [];
  let heldSinceMs = 0;
  let swappedAtMs = -Infinity;

  const release = (): void => {
    const samples = held;
    held = [];
    for (const sample of samples) save(sample);
  };

  return {
    save(sample, swapsNow, atMs) {
      if (swapsNow) swappedAtMs = atMs;
      if (atMs - swappedAtMs >= CALM_MS) {
        release();
        save(sample);
        return;
      }
      if (held.length === 0) heldSinceMs = atMs;
      held.push(sample);
      if (atMs - heldSinceMs >= LONGEST_MS || held.length >= MOST_SAMPLES) release();
    },
    release,
  };
}
