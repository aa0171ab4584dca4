/** What each level means: the thresholds of a warning, in one place. Pure. */
import type { Episode } from "../types.ts";

export type Level = "ok" | Episode["level"];

/** Why a level holds. The last two are measured, the rest is expected. */
export type Reason =
  | "level"
  | "trend"
  | "fast-trend"
  | "turns"
  | "load"
  | "load-of-unknown-size"
  | "reclaim"
  | "parked"
  | "swap-out"
  | "refault";

/** What is known at one moment. Absent is unknown, or not so. */
export interface Signals {
  /** What can still be used, E, as a share of the machine or of the group that ends first. */
  leftRatio: number;
  /** Until the floor, at the pace of the last 20 s; only when it has been proven to last. */
  secondsByTrend?: number;
  /** Until the floor, at the pace of the last 6 s. */
  secondsByFastTrend?: number;
  /** The last 6 s fell at one pace. */
  fallsEvenly?: boolean;
  /** The last 9 s did: such growth goes on, even while much is free. */
  fallsEvenlyForLong?: boolean;
  /** Until the floor, by what each turn takes. */
  secondsByTurns?: number;
  turnsLeft?: number;
  /** A load about to begin needs so much more than there is; negative is what it leaves. */
  shortRatio?: number;
  /** A load of a model whose size is not known. */
  unknownLoad?: boolean;
  /** The kernel looks for pages to free. */
  reclaims?: boolean;
  /** Measured: pages leave for swap, at least 1 MiB/s in two of three readings. */
  swapsOut?: boolean;
  /** What leaves does not come back, and there is room: nobody misses it. */
  onlyParks?: boolean;
  /** All swap is compressed memory: it costs time, no disk. */
  onlyCompresses?: boolean;
  /** Measured: files are read again and again, and programs wait for it. */
  thrashes?: boolean;
}

/** The highest level that holds, and what for. */
export interface Judgement {
  level: Level;
  reason?: Reason;
  /** The share of memory below which the level holds; absent when it does not hold because of a share. */
  thresholdRatio?: number;
}

const ORDER: readonly Level[] = ["ok", "watch", "warn", "critical", "swapping", "thrashing"];

/** Higher is worse; 0 for `ok`. */
export function rankOf(level: Level): number {
  return ORDER.indexOf(level);
}

/** At least a warning: what a false alarm and a lead are counted by. */
export function isWarning(level: Level): boolean {
  return rankOf(level) >= rankOf("warn");
}

/** To raise, and to clear: a level is left only when things are clearly better than what raised it. */
const RAISE = { ratio: 1, seconds: 1 };
export const CLEAR = { ratio: 1.25, seconds: 2 };

/** The highest level that holds. `ease` widens the thresholds; see {@link CLEAR}. */
export function judge(signals: Signals, ease: { ratio: number; seconds: number } = RAISE): Judgement {
  const { leftRatio: left } = signals;
  const below = (ratio: number): boolean => left < ratio * ease.ratio;
  const within = (seconds: number | undefined, limit: number): boolean =>
    seconds !== undefined && seconds < limit * ease.seconds;
  // A trend says little while half of the memory is free: most growth ends before.
  const trendCounts = left < 0.5;
  const longTrendCounts = left < 0.75 && signals.fallsEvenlyForLong === true;
  const fastCounts = left < 0.25 || (left < 0.4 && signals.fallsEvenly === true);

  if (signals.thrashes === true) return { level: "thrashing", reason: "refault" };
  if (signals.swapsOut === true && signals.onlyParks !== true) {
    return { level: signals.onlyCompresses === true ? "critical" : "swapping", reason: "swap-out" };
  }
  if (below(0.05)) return { level: "critical", reason: "level", thresholdRatio: 0.05 };
  if (below(0.1) && signals.reclaims === true) {
    return { level: "critical", reason: "reclaim", thresholdRatio: 0.1 };
  }
  if (left < 0.25 && within(signals.secondsByFastTrend, 5))
    return { level: "critical", reason: "fast-trend" };
  if (below(0.1)) return { level: "warn", reason: "level", thresholdRatio: 0.1 };
  if ((signals.shortRatio ?? -1) > 0) return { level: "warn", reason: "load" };
  if (signals.unknownLoad === true && below(0.2)) {
    return { level: "warn", reason: "load-of-unknown-size", thresholdRatio: 0.2 };
  }
  if (trendCounts && within(signals.secondsByTrend, 60)) return { level: "warn", reason: "trend" };
  if (longTrendCounts && within(signals.secondsByFastTrend, 20))
    return { level: "warn", reason: "fast-trend" };
  if (fastCounts && within(signals.secondsByFastTrend, 10)) return { level: "warn", reason: "fast-trend" };
  if (trendCounts && (within(signals.secondsByTurns, 60) || (signals.turnsLeft ?? Infinity) < 1)) {
    return { level: "warn", reason: "turns" };
  }
  if (below(0.2)) return { level: "watch", reason: "level", thresholdRatio: 0.2 };
  if (trendCounts && within(signals.secondsByTrend, 120)) return { level: "watch", reason: "trend" };
  if (trendCounts && (within(signals.secondsByTurns, 120) || (signals.turnsLeft ?? Infinity) < 3)) {
    return { level: "watch", reason: "turns" };
  }
  if ((signals.shortRatio ?? -1) > -0.1) return { level: "watch", reason: "load" };
  if (signals.swapsOut === true) return { level: "watch", reason: "parked" };
  return { level: "ok" };
}
