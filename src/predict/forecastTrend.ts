/** Robust slopes of headroom over short windows: medians of the slopes of all pairs (Theil 1950, Sen 1968). */

export interface TrendPoint {
  /** On a clock that never jumps. */
  atMs: number;
  bytes: number;
}

/** All slopes in bytes per second. */
export interface Trend {
  /** Bytes per second; negative while memory is being taken. */
  slope: number;
  /**
   * Of all pairs, the share that fell at a quarter of the slope or faster. One fall within a level stretch has a low
   * share, however much the level parts tremble; a lasting fall has not.
   */
  fallingShare: number;
  pointCount: number;
  /** From the first point to the last. */
  spanMs: number;
  /** Half of the pair slopes lie between these. */
  lowSlope: number;
  highSlope: number;
}

/** The trend of the points of the last `windowMs`; undefined with fewer than `least` points. */
export function trendOver(points: readonly TrendPoint[], windowMs: number, least: number): Trend | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  let start = points.length - 1;
  while (start > 0 && last.atMs - (points[start - 1]?.atMs ?? -Infinity) < windowMs) start -= 1;
  const window = points.slice(start);
  const first = window[0];
  if (first === undefined || window.length < least) return undefined;
  // A typed array sorts by number and without calls: this runs every second.
  const all = new Float64Array((window.length * (window.length - 1)) / 2);
  let count = 0;
  for (let right = 1; right < window.length; right += 1) {
    for (let left = 0; left < right; left += 1) {
      const from = window[left];
      const to = window[right];
      if (from === undefined || to === undefined || to.atMs <= from.atMs) continue;
      const slope = ((to.bytes - from.bytes) * 1000) / (to.atMs - from.atMs);
      all[count] = slope;
      count += 1;
    }
  }
  if (count === 0) return undefined;
  const slopes = all.subarray(0, count).toSorted();
  const slope = quantileOf(slopes, 0.5);
  const falling = slope < 0 ? countUpTo(slopes, slope / 4) : 0;
  return {
    slope,
    fallingShare: falling / count,
    pointCount: window.length,
    spanMs: last.atMs - first.atMs,
    lowSlope: quantileOf(slopes, 0.25),
    highSlope: quantileOf(slopes, 0.75),
  };
}

/** Seconds until `bytes` are gone at this slope; undefined when they are not going. */
export function secondsUntilGone(bytes: number, slope: number | undefined): number | undefined {
  if (slope === undefined || slope >= 0) return undefined;
  return Math.max(0, bytes / -slope);
}

/**
 * A fall at a constant pace: each of the last `stepCount` steps within `tolerance` of their middle. What a program asks
 * for in one go arrives as fast as the kernel gives it, unevenly; what grows by rule grows evenly.
 */
export function fallsEvenly(points: readonly TrendPoint[], stepCount: number, tolerance: number): boolean {
  const last = points.slice(-(stepCount + 1));
  if (last.length <= stepCount) return false;
  const slopes = last.slice(1).map((point, index) => {
    const before = last[index] ?? point;
    return ((point.bytes - before.bytes) * 1000) / (point.atMs - before.atMs);
  });
  const middle = quantileOf(
    slopes.toSorted((a, b) => a - b),
    0.5,
  );
  return middle < 0 && slopes.every((slope) => Math.abs(slope - middle) <= -middle * tolerance);
}

/** How many of the ascending values are no greater. */
function countUpTo(sorted: Float64Array, most: number): number {
  const above = sorted.findIndex((value) => value > most);
  return above === -1 ? sorted.length : above;
}

/** `sorted` ascending and not empty. */
function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)] ?? 0;
  const high = sorted[Math.ceil(position)] ?? low;
  return low + (high - low) * (position - Math.floor(position));
}
