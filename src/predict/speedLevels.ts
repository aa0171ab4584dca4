/**
 * Follows what a fitted curve does not know (heat, other programs). Three ways: not at all, the smoothed residual of
 * recent observations, most of the last one's. Which is best differs from machine to machine, so each is scored as
 * observations arrive. Residuals are logarithms of measured ÷ expected.
 */
import { savedNumbers } from "./guessSaved.ts";

export interface SpeedLevels {
  /** What to add to the logarithm of the next expectation. */
  best(): number;
  /** Scores each way by what came: `off` is the residual against the curve alone. */
  judge(off: number): void;
  /** Residuals of what is remembered against the curve as it is now, oldest first. */
  update(residuals: readonly number[]): void;
  save(): number[];
}

/** Weight of the newest residual in the smoothed one. */
const SMOOTHING = 0.3;
const LAST_SHARE = 0.8;
/** Weight of the newest observation in judging. */
const JUDGING = 0.15;
/** Misses before any are known: between equals the smoothed one is taken. */
const FIRST_MISSES = [0.082, 0.08, 0.084];
const LARGEST_MISS = 0.3;
/** Beyond this many median residuals a residual is an accident. */
const ACCIDENT = 3;
const SMALLEST_RESIDUAL = 0.02;
const LARGEST_LAST = 0.5;

/**
 * `saved`: what `save()` gave, parsed; damaged or foreign JSON is a fresh start. Levels are not: they follow from the
 * observations that are remembered, see `update`.
 */
export function createSpeedLevels(saved?: unknown): SpeedLevels {
  const misses = restoreMisses(saved);
  let levels = levelsOf([]);
  return {
    best: () => levels[misses.indexOf(Math.min(...misses))] ?? 0,
    judge(off) {
      levels.forEach((level, index) => {
        const miss = Math.min(LARGEST_MISS, Math.abs(off - level));
        misses[index] = (1 - JUDGING) * (misses[index] ?? 0) + JUDGING * miss;
      });
    },
    update(residuals) {
      levels = levelsOf(residuals);
    },
    save: () => [...misses],
  };
}

function levelsOf(residuals: readonly number[]): number[] {
  const sizes = residuals.map(Math.abs).toSorted((left, right) => left - right);
  const limit = ACCIDENT * Math.max(SMALLEST_RESIDUAL, sizes[Math.floor(sizes.length / 2)] ?? 0);
  const clipped = residuals.map((value) => Math.max(-limit, Math.min(limit, value)));
  const smoothed = clipped.reduce((level, value) => level + SMOOTHING * (value - level), 0);
  const last = Math.max(-LARGEST_LAST, Math.min(LARGEST_LAST, residuals.at(-1) ?? 0));
  return [0, smoothed, LAST_SHARE * last];
}

function restoreMisses(saved: unknown): number[] {
  const misses = savedNumbers(saved, FIRST_MISSES.length);
  return misses.length === FIRST_MISSES.length && misses.every((miss) => miss >= 0 && miss <= 1)
    ? misses
    : [...FIRST_MISSES];
}
