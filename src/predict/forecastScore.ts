/** How good the forecasts were: each compared with what came, beside "it stays as it is". */
import type { Forecast } from "../types.ts";

export interface ForecastScore {
  atSeconds: number;
  n: number;
  /** Mean size of the error, and what it would have been had nothing been foretold. */
  meanErrorBytes: number;
  unchangedErrorBytes: number;
  /** Share of what came that lay within the band. */
  withinBandRatio: number;
}

export interface ForecastScores {
  /** A forecast made now, on a clock that never jumps. */
  made(forecast: Forecast, headroomBytes: number, atMs: number): void;
  /** Headroom as it came. */
  came(headroomBytes: number, atMs: number): void;
  /** The machine slept: what was foretold before cannot be compared. */
  restart(): void;
  summary(): ForecastScore[];
  /** Four in five of the last errors were no larger. */
  usualErrors(): { atSeconds: number; bytes: number }[];
}

const SCORED_SECONDS = [30, 120];
/** Ten minutes of them. */
const LATEST_ERRORS = 600;
/** Before that the band rests on the readings' own noise. */
const LEAST_ERRORS = 20;
/** Sorting them costs more than the forecast. */
const RENEW_COUNT = 10;

interface Waiting {
  dueAtMs: number;
  predicted: number;
  low: number;
  high: number;
  unchanged: number;
}

/** Two distances, 30 and 120 s; the band of the next forecasts is no narrower than the errors of these. */
export function createForecastScores(): ForecastScores {
  const kinds = SCORED_SECONDS.map((atSeconds) => ({
    atSeconds,
    waiting: [] as Waiting[],
    n: 0,
    error: 0,
    unchanged: 0,
    within: 0,
    latest: [] as number[],
  }));
  let usual: { atSeconds: number; bytes: number }[] = [];
  let cameCount = 0;
  const usualNow = (): typeof usual =>
    kinds
      .filter(({ latest }) => latest.length >= LEAST_ERRORS)
      .map(({ atSeconds, latest }) => ({
        atSeconds,
        bytes: latest.toSorted((a, b) => a - b)[Math.floor(latest.length * 0.8)] ?? 0,
      }));

  return {
    made(forecast, headroomBytes, atMs) {
      for (const kind of kinds) {
        const point = forecast.points.find(({ atSeconds }) => atSeconds === kind.atSeconds);
        if (point === undefined) continue;
        kind.waiting.push({
          dueAtMs: atMs + kind.atSeconds * 1000,
          predicted: point.headroomBytes,
          low: point.lowBytes,
          high: point.highBytes,
          unchanged: headroomBytes,
        });
      }
    },
    came(headroomBytes, atMs) {
      cameCount += 1;
      for (const kind of kinds) {
        for (let due = kind.waiting[0]; due !== undefined && due.dueAtMs <= atMs; due = kind.waiting[0]) {
          kind.waiting.shift();
          kind.n += 1;
          const error = Math.abs(due.predicted - headroomBytes);
          kind.error += error;
          kind.latest.push(error);
          if (kind.latest.length > LATEST_ERRORS) kind.latest.shift();
          kind.unchanged += Math.abs(due.unchanged - headroomBytes);
          if (headroomBytes >= due.low && headroomBytes <= due.high) kind.within += 1;
        }
      }
    },
    restart() {
      for (const kind of kinds) kind.waiting = [];
    },
    usualErrors() {
      if (cameCount % RENEW_COUNT === 0 || usual.length === 0) usual = usualNow();
      return usual;
    },
    summary: () =>
      kinds
        .filter(({ n }) => n > 0)
        .map(({ atSeconds, n, error, unchanged, within }) => ({
          atSeconds,
          n,
          meanErrorBytes: Math.round(error / n),
          unchangedErrorBytes: Math.round(unchanged / n),
          withinBandRatio: within / n,
        })),
  };
}
