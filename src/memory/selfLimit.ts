/** Watches what sampling itself costs. */
export interface SelfLimit {
  /** Adds the processor time of one reading that ended at `atMs`. */
  add(spentMs: number, atMs: number): void;
  /** True while readings should come at half their pace. */
  slowed(): boolean;
}

const WINDOW_MS = 60_000;
const TOO_MUCH_RATIO = 0.01;
/** At half pace the cost halves: going back needs well under half of the limit, or it would swing to and fro. */
const CHEAP_AGAIN_RATIO = 0.004;

/** Half pace once readings took over 1 % of a core in a minute, full pace again after a minute under 0.4 %. */
export function createSelfLimit(): SelfLimit {
  let windowStartMs: number | undefined;
  let spentInWindowMs = 0;
  let slow = false;
  return {
    add: (spentMs, atMs) => {
      windowStartMs ??= atMs;
      spentInWindowMs += spentMs;
      const elapsedMs = atMs - windowStartMs;
      if (elapsedMs < WINDOW_MS) return;
      const ratio = spentInWindowMs / elapsedMs;
      slow = ratio > (slow ? CHEAP_AGAIN_RATIO : TOO_MUCH_RATIO);
      windowStartMs = atMs;
      spentInWindowMs = 0;
    },
    slowed: () => slow,
  };
}
