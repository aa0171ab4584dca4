/** The middle half of a set of figures. */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
}

/**
 * Quantile by linear interpolation between the two nearest order statistics (type 7 of Hyndman and Fan, 1996).
 * Absent when there are no figures.
 */
export function quantile(values: Iterable<number>, ratio: number): number | undefined {
  return ofSorted(Float64Array.from(values).toSorted(), ratio);
}

export function median(values: Iterable<number>): number | undefined {
  return quantile(values, 0.5);
}

/** Median with the first and third quartile. Absent when there are no figures. */
export function spread(values: Iterable<number>): Spread | undefined {
  const sorted = Float64Array.from(values).toSorted();
  const middle = ofSorted(sorted, 0.5);
  const lower = ofSorted(sorted, 0.25);
  const upper = ofSorted(sorted, 0.75);
  return middle === undefined || lower === undefined || upper === undefined
    ? undefined
    : { median: middle, lower, upper };
}

/** `left[i] - right[i]`, for as many as both have: what was measured at the same moment is compared, nothing else. */
export function pairedDifferences(left: ArrayLike<number>, right: ArrayLike<number>): number[] {
  const count = Math.min(left.length, right.length);
  return Array.from({ length: count }, (_, index) => (left[index] ?? NaN) - (right[index] ?? NaN));
}

function ofSorted(sorted: Float64Array, ratio: number): number | undefined {
  const position = (sorted.length - 1) * Math.min(1, Math.max(0, ratio));
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below === undefined || above === undefined
    ? undefined
    : below + (above - below) * (position - Math.floor(position));
}
