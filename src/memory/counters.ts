import type { MemorySample } from "../types.ts";

/** Counters since boot. Pages are pages of the system's own size. */
export interface Counters {
  swapOutPages?: number;
  swapInPages?: number;
  refaultPages?: number;
  kswapdScanPages?: number;
  pressureSomeMicroseconds?: number;
  pressureFullMicroseconds?: number;
}

/** Counters with the moment they were read, on a clock that never jumps. */
export interface CounterReading {
  atMs: number;
  counters: Counters;
}

export type Rates = Pick<
  MemorySample,
  | "swapOutBytesPerSecond"
  | "swapInBytesPerSecond"
  | "refaultBytesPerSecond"
  | "kswapdScanPerSecond"
  | "pressureSomeRatio"
  | "pressureFullRatio"
>;

/** Longer than this and the machine slept or the process stood still: a mean over it says nothing about now. */
const LONGEST_INTERVAL_MS = 10_000;

/**
 * Rates over the measured interval between two readings. A counter that is missing, or that went back (suspend, reset),
 * gives no rate; so does an interval that is not positive or longer than ten seconds.
 */
export function ratesBetween(
  before: CounterReading | undefined,
  after: CounterReading,
  pageBytes: number,
): Rates {
  if (before === undefined) return {};
  const elapsedMs = after.atMs - before.atMs;
  if (!(elapsedMs > 0) || elapsedMs > LONGEST_INTERVAL_MS) return {};

  const perSecond = (name: keyof Counters): number | undefined => {
    const from = before.counters[name];
    const to = after.counters[name];
    if (from === undefined || to === undefined || to < from) return undefined;
    return ((to - from) * 1000) / elapsedMs;
  };
  const bytesPerSecond = (name: keyof Counters): number | undefined => {
    const pages = perSecond(name);
    return pages === undefined ? undefined : Math.round(pages * pageBytes);
  };
  const shareOfTime = (name: keyof Counters): number | undefined => {
    const microseconds = perSecond(name);
    // The kernel brings its total up to date at the read, a little after our clock was read: never above 1.
    return microseconds === undefined ? undefined : Math.min(1, microseconds / 1e6);
  };
  return {
    swapOutBytesPerSecond: bytesPerSecond("swapOutPages"),
    swapInBytesPerSecond: bytesPerSecond("swapInPages"),
    refaultBytesPerSecond: bytesPerSecond("refaultPages"),
    kswapdScanPerSecond: perSecond("kswapdScanPages"),
    pressureSomeRatio: shareOfTime("pressureSomeMicroseconds"),
    pressureFullRatio: shareOfTime("pressureFullMicroseconds"),
  };
}
