/** Watches readings of memory and says how near swapping is. Time comes in; nothing goes out but the judgement. */
import {
  fallsEvenly,
  secondsUntilGone,
  trendOver,
  type Trend,
  type TrendPoint,
} from "../predict/forecastTrend.ts";
import { createTurnTracker, type TurnGrowth } from "../predict/forecastTurns.ts";
import type { MemorySample } from "../types.ts";
import { CLEAR, judge, rankOf, type Judgement, type Signals } from "./levels.ts";
import { createSwings } from "./swings.ts";
import { createSymptoms } from "./symptoms.ts";

/** A request that will load a model, or load it anew with other settings. */
export interface AnnouncedLoad {
  /** Of the exchange. */
  id: string;
  model: string;
  /** Expected resident memory; absent when the model is not known. */
  needBytes?: number;
  /** What unloading the runner in its place gives back. */
  freedBytes?: number;
  /** Its need is being found out: nothing is said of it yet, but trends pause. */
  pending?: boolean;
}

/** One moment, judged. */
export interface Reading {
  atMs: number;
  sample: MemorySample;
  /** E: what can be used before swapping starts, and what lies between it and the floor. */
  leftBytes: number;
  headroomBytes: number;
  /** Memory of the machine, or the limit of the group that ends first. */
  capacityBytes: number;
  signals: Signals;
  judgement: Judgement;
  /** The level that would still hold by the wider limits for clearing. */
  eased: Judgement;
  trend?: Trend;
  fastTrend?: Trend;
  intervalMs: number;
  turns?: TurnGrowth;
  load?: AnnouncedLoad & { shortBytes?: number };
  /** Headroom of the last two minutes, oldest first, one a second; loads included. */
  history: readonly TrendPoint[];
  /** When the swapping or re-reading that is confirmed now began. */
  happensSinceMs?: number;
  /** Falls end by themselves here all the time. */
  restless: boolean;
}

export interface Detector {
  /** `atMs` on a clock that never jumps. Undefined when the sample does not tell headroom. */
  feed(sample: MemorySample, atMs: number): Reading | undefined;
  /** Judged at once, before the load takes anything; undefined without a recent reading. */
  announceLoad(load: AnnouncedLoad, atMs: number): Reading | undefined;
  loadEnded(id: string, atMs: number): void;
  /** A request of a chat goes to a loaded model. */
  turnStarted(atMs: number, expectedBytes?: number): void;
}

/** The slow trend; where readings come rarely, twelve of them. */
const WINDOW_MS = 20_000;
/** Six readings at a beat of a second that is not quite one. */
const FAST_WINDOW_MS = 6_500;
const KEPT_MS = 120_000;
/** What has not gone on for the last moments is over. */
const STILL_MS = 4000;
/** A fall is believed for so many times as long as it has lasted. */
const LOOK_AHEAD = 3;
/** Where falls end by themselves all the time, no longer than it has lasted. */
const LOOK_AHEAD_RESTLESS = 1;
/** Readings may come faster while a model loads: trends go by the second. */
const POINT_MS = 900;
/** The machine slept, or nothing was read: what came before says nothing about the pace now. */
const GAP_MS = 10_000;
/** A load that never says that it ended. */
const LONGEST_LOAD_MS = 600_000;
/** Older readings say nothing about now. */
export const STALE_MS = 5000;

/**
 * `compressedSwapOnly`: all swap is memory that was packed. Remembers two minutes of headroom, eight turns, and three
 * hours of falls that ended by themselves.
 */
export function createDetector(options: { compressedSwapOnly?: () => boolean } = {}): Detector {
  let intervals: number[] = [];
  const turns = createTurnTracker();
  const symptoms = createSymptoms();
  const swings = createSwings();
  const loads = new Map<string, AnnouncedLoad & { startedAtMs: number; shortBytes?: number }>();
  /** What trends are told from: begins anew after each load. */
  let points: TrendPoint[] = [];
  let history: TrendPoint[] = [];
  let capacityBytes = 0;
  let latest: { sample: MemorySample; atMs: number } | undefined;
  /** For how many points in a row the trend has said less than a minute, or less than two. */
  let minuteCount = 0;
  let twoMinuteCount = 0;

  const restart = (): void => {
    points = [];
    minuteCount = 0;
    twoMinuteCount = 0;
    turns.restart();
    swings.restart();
  };

  const read = (sample: MemorySample, atMs: number, isNewPoint: boolean): Reading | undefined => {
    const { headroomBytes, floorBytes, totalBytes } = sample;
    if (headroomBytes === undefined || floorBytes === undefined || totalBytes === undefined) return undefined;
    const leftBytes = headroomBytes + floorBytes;
    for (const [id, load] of loads) if (atMs - load.startedAtMs > LONGEST_LOAD_MS) loads.delete(id);
    const load = [...loads.values()].at(-1);

    const intervalMs = usualInterval(intervals);
    const trend = trendOver(points, Math.max(WINDOW_MS, 12 * intervalMs), 10);
    const fastTrend = trendOver(points, Math.max(FAST_WINDOW_MS, 6 * intervalMs), 5);
    const growth = turns.growth(atMs);
    const signals: Signals = {
      leftRatio: leftBytes / capacityBytes,
      ...symptoms.now(),
      onlyCompresses: options.compressedSwapOnly?.() === true,
      shortRatio: load?.shortBytes === undefined ? undefined : load.shortBytes / capacityBytes,
      unknownLoad: load !== undefined && load.needBytes === undefined && load.pending !== true,
    };
    // While a model loads its growth is known; the trend would cry at every load.
    const lasts = load === undefined && isLasting(trend, points, Math.max(STILL_MS, 2 * intervalMs));
    const usual = swings.isUsual(headroomBytes, atMs);
    const pace = lasts && !usual ? secondsUntilGone(headroomBytes, trend?.slope) : undefined;
    // A minute ahead from a few seconds would be a guess: what has lasted goes on.
    const restless = swings.isRestless(atMs);
    const lookAhead = restless ? LOOK_AHEAD_RESTLESS : LOOK_AHEAD;
    const byTrend =
      pace !== undefined && fallMs(points, swings.highBytes()) >= (pace * 1000) / lookAhead
        ? pace
        : undefined;
    if (isNewPoint) {
      minuteCount = byTrend !== undefined && byTrend < 60 ? minuteCount + 1 : 0;
      twoMinuteCount = byTrend !== undefined && byTrend < 120 ? twoMinuteCount + 1 : 0;
    }
    if (load === undefined) {
      const fast = usual ? undefined : secondsUntilGone(headroomBytes, fastTrend?.slope);
      // Twice as near where falls end by themselves all the time.
      signals.secondsByFastTrend = fast !== undefined && restless ? 2 * fast : fast;
      signals.fallsEvenly = fallsEvenly(points, 6, 0.25);
      signals.fallsEvenlyForLong = fallsEvenly(points, 9, 0.25);
      if (growth !== undefined && growth.bytesPerTurn > 0) {
        signals.turnsLeft = Math.max(0, headroomBytes / growth.bytesPerTurn);
        signals.secondsByTurns = signals.turnsLeft * growth.secondsPerTurn;
      }
    }
    const eased = judge({ ...signals, secondsByTrend: byTrend }, CLEAR);
    const judgement = judge({
      ...signals,
      secondsByTrend:
        minuteCount >= 3 ? byTrend : twoMinuteCount >= 2 ? Math.max(60, byTrend ?? 60) : undefined,
    });
    return {
      atMs,
      sample,
      leftBytes,
      headroomBytes,
      capacityBytes,
      signals: { ...signals, secondsByTrend: byTrend },
      judgement,
      eased: rankOf(eased.level) > rankOf(judgement.level) ? eased : judgement,
      trend,
      fastTrend,
      intervalMs,
      turns: growth,
      load,
      history,
      happensSinceMs: symptoms.sinceMs(),
      restless,
    };
  };

  return {
    feed(sample, atMs) {
      const elapsedMs = latest === undefined ? 0 : atMs - latest.atMs;
      if (elapsedMs < 0 || elapsedMs > Math.max(GAP_MS, 3 * usualInterval(intervals))) {
        restart();
        history = [];
        symptoms.restart();
      } else if (elapsedMs >= POINT_MS) intervals = [...intervals, elapsedMs].slice(-9);
      latest = { sample, atMs };
      const capacity = capacityOf(sample);
      if (capacity === undefined) return undefined;
      // Another bound decides now: headroom jumped, nothing grew.
      if (Math.abs(capacity - capacityBytes) > 0.01 * capacityBytes) {
        restart();
        history = [];
      }
      capacityBytes = capacity;
      symptoms.feed(sample, capacity, atMs);
      const headroomBytes = sample.headroomBytes ?? 0;
      turns.headroomSeen(atMs, headroomBytes);
      if (loads.size === 0) swings.feed(headroomBytes, atMs, capacity);
      const isNewPoint = loads.size === 0 && atMs - (points.at(-1)?.atMs ?? -Infinity) >= POINT_MS;
      if (isNewPoint) add(points, { atMs, bytes: headroomBytes });
      if (atMs - (history.at(-1)?.atMs ?? -Infinity) >= POINT_MS) {
        add(history, { atMs, bytes: headroomBytes });
      }
      return read(sample, atMs, isNewPoint);
    },
    announceLoad(load, atMs) {
      const recent = latest !== undefined && atMs - latest.atMs <= STALE_MS ? latest.sample : undefined;
      const { needBytes } = load;
      const headroomBytes = recent?.headroomBytes;
      const shortBytes =
        needBytes === undefined || headroomBytes === undefined
          ? undefined
          : needBytes - (load.freedBytes ?? 0) - headroomBytes;
      loads.set(load.id, { ...load, startedAtMs: atMs, shortBytes });
      return recent === undefined || capacityOf(recent) === undefined ? undefined : read(recent, atMs, false);
    },
    loadEnded(id) {
      // What fell while it loaded was the load: the trend begins anew.
      if (loads.delete(id)) restart();
    },
    turnStarted: turns.turnStarted,
  };
}

/** How often readings come. */
function usualInterval(intervals: readonly number[]): number {
  return intervals.toSorted((a, b) => a - b)[Math.floor(intervals.length / 2)] ?? 1000;
}

function add(points: TrendPoint[], point: TrendPoint): void {
  points.push(point);
  while ((points[0]?.atMs ?? point.atMs) < point.atMs - KEPT_MS) points.shift();
}

/** For how long a fall has lasted: since there was more than four fifths of the way back to where it began. */
function fallMs(points: readonly TrendPoint[], highBytes: number | undefined): number {
  const last = points.at(-1);
  if (last === undefined || highBytes === undefined) return 0;
  const start = points.findLast(({ bytes }) => bytes >= highBytes - (highBytes - last.bytes) / 5);
  return last.atMs - (start ?? points[0] ?? last).atMs;
}

/** A fall that takes most of the window, and goes on: what has stopped a moment ago needs no warning. */
function isLasting(trend: Trend | undefined, points: readonly TrendPoint[], stillMs: number): boolean {
  const last = points.at(-1);
  if (trend === undefined || trend.fallingShare < 0.8 || last === undefined) return false;
  const before = points.findLast(({ atMs }) => last.atMs - atMs >= stillMs - POINT_MS / 2);
  if (before === undefined) return false;
  const recentSlope = ((last.bytes - before.bytes) * 1000) / (last.atMs - before.atMs);
  return recentSlope <= trend.slope / 2;
}

/** The machine's memory, or the limit of the group when its headroom is the one that counts. */
function capacityOf({ headroomBytes, floorBytes, totalBytes, limit }: MemorySample): number | undefined {
  if (
    headroomBytes === undefined ||
    floorBytes === undefined ||
    !(totalBytes !== undefined && totalBytes > 0)
  ) {
    return undefined;
  }
  const left = headroomBytes + floorBytes;
  const limitBinds =
    limit !== undefined && limit.bytes > 0 && Math.abs(limit.bytes - limit.usedBytes - left) < 4096;
  return limitBinds ? limit.bytes : totalBytes;
}
