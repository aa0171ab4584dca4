/** What headroom will be: what is known (a load, turns, an idle model's end) joined with what is seen. Pure. */
import type { Forecast, Predicted } from "../types.ts";
import { secondsUntilGone, trendOver, type TrendPoint } from "./forecastTrend.ts";
import type { TurnGrowth } from "./forecastTurns.ts";

export interface ForecastInput {
  /** Epoch ms of the reading. */
  madeAt: number;
  headroomBytes: number;
  floorBytes: number;
  capacityBytes: number;
  /** One a second, oldest first, on a clock that never jumps. */
  history: readonly TrendPoint[];
  /** Between two readings; 1,000 ms unless told. */
  intervalMs?: number;
  /** Seconds to the floor when the trend has been proven to last. */
  secondsByTrend?: number;
  turns?: TurnGrowth;
  /** Absent when no load is under way. `takenBytes`: what it has taken so far. */
  load?: { model: string; needBytes?: number; freedBytes?: number; shortBytes?: number; takenBytes: number };
  /** Models that will be unloaded when nobody asks for them. */
  reliefs?: readonly { name: string; inSeconds: number; bytes: number }[];
  /** Memory goes up and down here all the time: falls end by themselves. */
  restless?: boolean;
  /** How wrong forecasts were lately: the band is never narrower. */
  usualErrors?: readonly { atSeconds: number; bytes: number }[];
  /** Bytes per second of each contributor, positive when it takes memory. */
  rates?: readonly { name: string; bytesPerSecond: number }[];
}

const AHEAD_SECONDS = [10, 30, 60, 120];
/** A slope is believed for so many times as long as it has been seen. */
const BELIEF = 2;
const BELIEF_RESTLESS = 0.5;
/** As far ahead as the last point. */
const CAUSE_SECONDS = 120;
/** Times as long as it has been seen, a pace may be said to go on. */
const FAR = 20;

/** A forecast from one moment. */
export function makeForecast(input: ForecastInput): Forecast {
  const { headroomBytes, load, turns } = input;
  const pace = paceOf(input);
  const secondsToSwap = secondsTo(input, pace);
  return {
    madeAt: input.madeAt,
    ...(secondsToSwap !== undefined && { secondsToSwap }),
    ...turnsTo(headroomBytes, turns),
    points: AHEAD_SECONDS.map((atSeconds) => pointAt(atSeconds, input, pace)),
    causes: causesOf(input),
    ...(load?.needBytes !== undefined && {
      announced: {
        model: load.model,
        needBytes: Math.round(load.needBytes),
        headroomBytes: Math.round(headroomBytes),
        ...(load.shortBytes !== undefined && { shortBytes: Math.round(load.shortBytes) }),
      },
    }),
  };
}

interface Pace {
  slope: number;
  lowSlope: number;
  highSlope: number;
  /** For how long it has been seen. */
  ageSeconds: number;
  /** How far readings lie from their line. */
  noiseBytes: number;
}

/** The pace that is believed now: that of the last six seconds when it is steady, else that of the last twenty. */
function paceOf(input: ForecastInput): Pace {
  const { history, turns, load, intervalMs = 1000 } = input;
  const still = { slope: 0, lowSlope: 0, highSlope: 0, ageSeconds: 0, noiseBytes: noiseOf(history) };
  if (load?.needBytes !== undefined) return still;
  const candidates = [6500, 20_000]
    .map((windowMs) => trendOver(history, Math.max(windowMs, 6 * intervalMs), 4))
    .filter((each) => each !== undefined)
    .map(({ slope, lowSlope, highSlope }) => ({
      slope,
      lowSlope,
      highSlope,
      ageSeconds: ageOf(history, slope, still.noiseBytes),
      noiseBytes: still.noiseBytes,
    }));
  const seen = candidates.reduce<Pace>(
    (best, each) => (each.ageSeconds > best.ageSeconds ? each : best),
    still,
  );
  if (turns !== undefined && turns.bytesPerTurn > 0) {
    const perSecond = (bytes: number): number => -bytes / turns.secondsPerTurn;
    const byTurns = {
      slope: perSecond(turns.bytesPerTurn),
      lowSlope: perSecond(turns.highBytes),
      highSlope: perSecond(turns.lowBytes),
      ageSeconds: turns.turnCount * turns.secondsPerTurn,
      noiseBytes: turns.bytesPerTurn / 2,
    };
    if (byTurns.ageSeconds > seen.ageSeconds) return byTurns;
  }
  return seen;
}

/** For how long, looking back, the readings have lain on the line that leads to the last one. */
function ageOf(points: readonly TrendPoint[], slope: number, noiseBytes: number): number {
  const last = points.at(-1);
  if (last === undefined) return 0;
  let ageMs = 0;
  let misses = 0;
  for (let index = points.length - 2; index >= 0; index -= 1) {
    const point = points[index];
    if (point === undefined) break;
    const elapsed = (last.atMs - point.atMs) / 1000;
    const expected = last.bytes - slope * elapsed;
    const tolerance = 0.25 * Math.abs(slope) * elapsed + 2 * noiseBytes;
    misses = Math.abs(point.bytes - expected) > tolerance ? misses + 1 : 0;
    if (misses >= 2) break;
    if (misses === 0) ageMs = last.atMs - point.atMs;
  }
  return ageMs / 1000;
}

/** The middle distance of a reading from the mean of its neighbours. */
function noiseOf(points: readonly TrendPoint[]): number {
  const recent = points.slice(-20);
  const distances = recent.slice(1, -1).map(({ bytes }, index) => {
    const before = recent[index]?.bytes ?? bytes;
    const after = recent[index + 2]?.bytes ?? bytes;
    return Math.abs(bytes - (before + after) / 2);
  });
  return distances.toSorted((a, b) => a - b)[Math.floor(distances.length / 2)] ?? 0;
}

function pointAt(atSeconds: number, input: ForecastInput, pace: Pace): Forecast["points"][number] {
  const believed = Math.min(
    atSeconds,
    (input.restless === true ? BELIEF_RESTLESS : BELIEF) * pace.ageSeconds,
  );
  const known = knownChange(atSeconds, input);
  const within = (bytes: number): number =>
    Math.round(Math.min(Math.max(bytes, -input.floorBytes), input.capacityBytes - input.floorBytes));
  const at = (slope: number, seconds: number): number => input.headroomBytes + slope * seconds + known;
  const spread = Math.max(
    pace.noiseBytes * (1 + Math.sqrt(atSeconds / 10)),
    usualError(atSeconds, input.usualErrors ?? []),
  );
  // What is believed for a while may go on all the way, or stop now.
  const low = Math.min(at(pace.lowSlope, atSeconds), at(pace.slope, believed), at(0, 0)) - spread;
  const high = Math.max(at(pace.highSlope, believed / 2), at(pace.slope, believed)) + spread;
  return {
    atSeconds,
    headroomBytes: within(at(pace.slope, believed)),
    lowBytes: within(low),
    highBytes: within(high),
  };
}

/** Between the times that are scored errors grow with time. */
function usualError(atSeconds: number, errors: NonNullable<ForecastInput["usualErrors"]>): number {
  const after = errors.find((error) => error.atSeconds >= atSeconds) ?? errors.at(-1);
  return after === undefined ? 0 : after.bytes * Math.min(1, Math.sqrt(atSeconds / after.atSeconds));
}

/** What will happen anyway: the rest of a load, models whose time is up. */
function knownChange(atSeconds: number, { load, reliefs = [] }: ForecastInput): number {
  const rest =
    load?.needBytes === undefined
      ? 0
      : Math.max(0, load.needBytes - (load.freedBytes ?? 0) - load.takenBytes);
  const relief = reliefs
    .filter(({ inSeconds }) => inSeconds <= atSeconds)
    .reduce((sum, { bytes }) => sum + bytes, 0);
  return relief - rest;
}

function secondsTo(input: ForecastInput, pace: Pace): Predicted | undefined {
  const { headroomBytes, secondsByTrend } = input;
  if (headroomBytes <= 0) return { predicted: 0 };
  const byPace =
    pace.ageSeconds >= 8 && pace.slope < 0 ? secondsUntilGone(headroomBytes, pace.slope) : undefined;
  const seconds = secondsByTrend ?? byPace;
  // A figure far beyond what has been seen would be made up: ten seconds of a build are no word on the next ten minutes.
  const seen = FAR * pace.ageSeconds;
  if (seconds === undefined || seconds > (secondsByTrend === undefined ? seen : Math.max(600, seen)))
    return undefined;
  const low = secondsUntilGone(headroomBytes, Math.min(pace.lowSlope, pace.slope));
  const high = secondsUntilGone(headroomBytes, Math.max(pace.highSlope, pace.slope));
  return {
    predicted: round(seconds),
    ...(low !== undefined && { low: round(Math.min(low, seconds)) }),
    ...(high !== undefined && { high: round(Math.max(high, seconds)) }),
  };
}

function turnsTo(headroomBytes: number, turns: TurnGrowth | undefined): Pick<Forecast, "turnsToSwap"> {
  if (turns === undefined || turns.bytesPerTurn <= 0) return {};
  const left = Math.max(0, headroomBytes);
  return {
    turnsToSwap: {
      predicted: round(left / turns.bytesPerTurn),
      ...(turns.highBytes > 0 && { low: round(left / turns.highBytes) }),
      ...(turns.lowBytes > 0 && { high: round(left / turns.lowBytes) }),
    },
  };
}

function causesOf({ rates = [], reliefs = [], load }: ForecastInput): Forecast["causes"] {
  const growing = rates.map(({ name, bytesPerSecond }) => ({
    name,
    bytes: Math.round(bytesPerSecond * CAUSE_SECONDS),
  }));
  const relieving = reliefs
    .filter(({ inSeconds }) => inSeconds <= CAUSE_SECONDS)
    .map(({ name, bytes }) => ({ name: `${name} unloads`, bytes: -Math.round(bytes) }));
  const loading =
    load?.needBytes === undefined
      ? []
      : [{ name: `${load.model} loads`, bytes: Math.round(load.needBytes - (load.freedBytes ?? 0)) }];
  return [...loading, ...growing, ...relieving]
    .filter(({ bytes }) => bytes !== 0)
    .toSorted((a, b) => b.bytes - a.bytes);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
