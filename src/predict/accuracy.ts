/** How good the predictions were: the number anyone can read. */
import { median, quantiles } from "./quantile.ts";
import type { Exchange, ExchangePrediction } from "../types.ts";

export type AccuracyKind =
  | keyof ExchangePrediction
  | "totalBytes"
  | "weightsBytes"
  | "kvCacheBytes"
  | "computeBytes";

/** One prediction that was made beforehand and came to its end. */
export interface ScoredValue {
  kind: AccuracyKind;
  model: string;
  /** Epoch milliseconds of the end. */
  at: number;
  /** (predicted − actual) ÷ actual. */
  errorRatio: number;
}

export interface Score {
  n: number;
  /** Middle of the errors' sizes. */
  medianErrorRatio: number;
  /** Nine in ten errors are smaller. */
  p90ErrorRatio: number;
  /** Middle of the errors with their signs: above 0, too much was predicted. */
  biasRatio: number;
}

export type Scores = Partial<Record<AccuracyKind, Score>>;

export interface AccuracySummary {
  /** Epoch milliseconds, first and last moment of the window. */
  from: number;
  to: number;
  overall: Scores;
  /** In the order of their names. */
  models: { model: string; scores: Scores }[];
}

export interface Accuracy {
  /** Once for each value, at its end. */
  add(values: readonly ScoredValue[]): void;
  /** Of the last week. */
  summary(): AccuracySummary;
}

const WEEK_MS = 7 * 24 * 3600 * 1000;
/** Beyond this the oldest give way: a busy machine's week is judged by its later part. */
const MOST_VALUES = 20_000;

/** `values`: what the store still has of the last days. `now` in epoch milliseconds. */
export function createAccuracy(parts: { now: () => number; values?: readonly ScoredValue[] }): Accuracy {
  let kept = [...(parts.values ?? [])].slice(-MOST_VALUES);
  return {
    add(values) {
      kept.push(...values);
      // Cut rarely, not at every exchange.
      if (kept.length > MOST_VALUES * 1.1) {
        kept = kept.slice(-MOST_VALUES);
      }
    },
    summary: () => summariseAccuracy(kept, parts.now()),
  };
}

/** Scores of the last `windowMs` before `now`, of all models and of each. A kind without a value is absent. */
export function summariseAccuracy(
  values: readonly ScoredValue[],
  now: number,
  windowMs = WEEK_MS,
): AccuracySummary {
  const from = now - windowMs;
  const overall: Errors = new Map();
  const models = new Map<string, Errors>();
  // One walk over all of them: a page or a scraper asks often, and other streams wait for the answer.
  for (const { at, errorRatio, model, kind } of values) {
    if (at >= from && at <= now && Number.isFinite(errorRatio)) {
      const own = models.get(model) ?? new Map<AccuracyKind, number[]>();
      models.set(model, own);
      push(overall, kind, errorRatio);
      push(own, kind, errorRatio);
    }
  }
  return {
    from,
    to: now,
    overall: scoresOf(overall),
    models: [...models]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([model, errors]) => ({ model, scores: scoresOf(errors) })),
  };
}

type Errors = Map<AccuracyKind, number[]>;

function push(errors: Errors, kind: AccuracyKind, errorRatio: number): void {
  const list = errors.get(kind);
  if (list === undefined) {
    errors.set(kind, [errorRatio]);
  } else {
    list.push(errorRatio);
  }
}

/** What an exchange's scored prediction adds; nothing while it is open or of no model. */
export function scoredOfExchange({ model, state, prediction = {} }: Exchange): ScoredValue[] {
  if (model === undefined || !("endedAt" in state)) {
    return [];
  }
  return SCORED_OF_EXCHANGES.flatMap((kind) => {
    const errorRatio = prediction[kind]?.errorRatio;
    return errorRatio === undefined ? [] : [{ kind, model, at: state.endedAt, errorRatio }];
  });
}

/** What a load adds: each part that was both predicted and measured. */
export function scoredOfLoad(load: {
  model: string;
  at: number;
  parts: readonly { kind: AccuracyKind; predictedBytes: number; actualBytes: number }[];
}): ScoredValue[] {
  return load.parts.flatMap(({ kind, predictedBytes, actualBytes }) => {
    const errorRatio = (predictedBytes - actualBytes) / actualBytes;
    return Number.isFinite(errorRatio) && actualBytes > 0
      ? [{ kind, model: load.model, at: load.at, errorRatio }]
      : [];
  });
}

const SCORED_OF_EXCHANGES: readonly (keyof ExchangePrediction)[] = [
  "inputTokens",
  "prefillMs",
  "firstTokenMs",
  "decodeTokensPerSecond",
  "contextTokensUsed",
  "runnerBytes",
  "grownBytes",
  "cliffTurn",
  "cliffPrefillMs",
  "cliffBytes",
];

function scoresOf(errors: Errors): Scores {
  const scores: Scores = {};
  for (const [kind, own] of errors) {
    const score = scoreOf(own);
    if (score !== undefined) {
      scores[kind] = score;
    }
  }
  return scores;
}

function scoreOf(errors: readonly number[]): Score | undefined {
  const [medianErrorRatio, p90ErrorRatio] = quantiles(errors.map(Math.abs), [0.5, 0.9]);
  const biasRatio = median(errors);
  return medianErrorRatio === undefined || p90ErrorRatio === undefined || biasRatio === undefined
    ? undefined
    : { n: errors.length, medianErrorRatio, p90ErrorRatio, biasRatio };
}
