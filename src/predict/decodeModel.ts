/** One model's decode speed with one set of runner settings: a prior, then the user's own answers. */
import {
  decodeMsAt,
  fitDecode,
  type DecodeLine,
  type DecodeObservation,
  type DecodePrior,
} from "./decodeFit.ts";
import { ANSWERS_OF_A_CHANGE, findDecodeChange, type DecodeChange } from "./decodeChange.ts";
import { savedNumbers, savedObject, savedRows } from "./guessSaved.ts";

export interface DecodeModel {
  /** Milliseconds per token expected of the next answer at this depth. */
  msAt(depthTokens: number): number | undefined;
  /** The fitted line, or the prior while there is no answer. */
  line(): DecodeLine | undefined;
  /** What the model's own answers show, and nothing else. */
  fitted(): DecodeLine | undefined;
  answers(): number;
  /** Depth at which speed is half of that with an empty context; absent while no slope was measured. */
  halfSpeedDepth(): number | undefined;
  learn(observation: DecodeObservation): DecodeChange | undefined;
  save(): SavedDecodeModel;
}

export interface SavedDecodeModel {
  /** Depth, steps, milliseconds per token; oldest first. */
  answers: number[][];
  misses: number[];
}

/** Answers that are remembered: enough for a slope, few enough to follow a machine that changes. */
const REMEMBERED = 40;
/** Fewer steps than this are start-up, not a rate. */
export const FEWEST_STEPS = 7;
/** Slopes are told apart from noise from this spread of depths on. */
const SPREAD_OF_A_SLOPE = 1000;
const SMOOTHING = 0.3;
const LAST_SHARE = 0.8;
/** Weight of the newest answer in judging which way of following the machine works best. */
const JUDGING = 0.15;
/** Misses before any are known, in the order of `levels`: between equals the smoothed one is taken. */
const FIRST_MISSES = [0.082, 0.08, 0.084];
const LARGEST_MISS = 0.3;

export function createDecodeModel(prior: () => DecodePrior | undefined, saved?: unknown): DecodeModel {
  let answers = restoreAnswers(saved);
  const misses = restoreMisses(saved);
  let fitted = answers.length === 0 ? undefined : fitDecode(answers);
  let levels = levelsOf(answers, fitted);

  const line = (): DecodeLine | undefined => fitted ?? fitDecode([], prior());
  const bestLevel = (): number => levels[misses.indexOf(Math.min(...misses))] ?? 0;

  const judge = (observation: DecodeObservation): void => {
    const known = line();
    if (known !== undefined) {
      const off = Math.log(observation.msPerToken / decodeMsAt(known, observation.depthTokens));
      levels.forEach((level, index) => {
        const miss = Math.min(LARGEST_MISS, Math.abs(off - level));
        misses[index] = (1 - JUDGING) * (misses[index] ?? 0) + JUDGING * miss;
      });
    }
  };

  return {
    line,
    fitted: () => fitted,
    answers: () => answers.length,
    msAt(depthTokens) {
      const known = line();
      return known === undefined ? undefined : decodeMsAt(known, depthTokens) * Math.exp(bestLevel());
    },
    halfSpeedDepth() {
      const depths = answers.map((answer) => answer.depthTokens);
      const spread = Math.max(...depths) - Math.min(...depths);
      if (fitted === undefined || fitted.perDepthMs <= 0 || !(spread >= SPREAD_OF_A_SLOPE)) {
        return undefined;
      }
      return Math.round(fitted.baseMs / fitted.perDepthMs);
    },
    learn(observation) {
      if (!isSound(observation)) {
        return undefined;
      }
      judge(observation);
      answers = [...answers, { ...observation }].slice(-REMEMBERED);
      const change = findDecodeChange(answers);
      if (change !== undefined) {
        // What came before describes another machine now.
        answers = answers.slice(-ANSWERS_OF_A_CHANGE);
      }
      fitted = fitDecode(answers, prior());
      levels = levelsOf(answers, fitted);
      return change;
    },
    save: () => ({
      answers: answers.map((answer) => [answer.depthTokens, answer.steps, answer.msPerToken]),
      misses: [...misses],
    }),
  };
}

/**
 * Three ways to follow what the line does not know (heat, other programs): not at all, the smoothed residual of recent
 * answers, most of the last one's. Which is best differs from machine to machine, so each is scored as answers arrive.
 */
function levelsOf(answers: readonly DecodeObservation[], line: DecodeLine | undefined): number[] {
  const off =
    line === undefined
      ? []
      : answers.map((answer) => Math.log(answer.msPerToken / decodeMsAt(line, answer.depthTokens)));
  const sizes = off.map(Math.abs).toSorted((left, right) => left - right);
  const limit = 3 * Math.max(0.02, sizes[Math.floor(sizes.length / 2)] ?? 0);
  const clipped = off.map((value) => Math.max(-limit, Math.min(limit, value)));
  const smoothed = clipped.reduce((level, value) => level + SMOOTHING * (value - level), 0);
  return [0, smoothed, LAST_SHARE * Math.max(-0.5, Math.min(0.5, off.at(-1) ?? 0))];
}

function isSound({ depthTokens, steps, msPerToken }: DecodeObservation): boolean {
  return (
    depthTokens >= 0 && depthTokens < 1e9 && steps >= FEWEST_STEPS && msPerToken > 1e-4 && msPerToken < 1e7
  );
}

function restoreAnswers(saved: unknown): DecodeObservation[] {
  return savedRows(savedObject(saved)?.["answers"], { width: 3, limit: REMEMBERED })
    .map(([depthTokens = -1, steps = 0, msPerToken = 0]) => ({ depthTokens, steps, msPerToken }))
    .filter(isSound);
}

function restoreMisses(saved: unknown): number[] {
  const misses = savedNumbers(savedObject(saved)?.["misses"], FIRST_MISSES.length);
  return misses.length === FIRST_MISSES.length && misses.every((miss) => miss >= 0 && miss <= 1)
    ? misses
    : [...FIRST_MISSES];
}
