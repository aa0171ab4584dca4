/** One model's decode speed with one set of runner settings: a prior, then the user's own answers. */
import {
  decodeMsAt,
  fitDecode,
  type DecodeLine,
  type DecodeObservation,
  type DecodePrior,
} from "./decodeFit.ts";
import { ANSWERS_OF_A_CHANGE, findDecodeChange, type DecodeChange } from "./decodeChange.ts";
import { savedObject, savedRows } from "./guessSaved.ts";
import { createSpeedLevels } from "./speedLevels.ts";

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
  /**
   * Answers with the change that this observation made plain, if any. One with fewer than `FEWEST_STEPS` steps, or an
   * absurd time, is left out.
   */
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

/**
 * `prior` is asked anew at each fit, since bandwidth or shape may have become known since. `saved`: what `save()`
 * gave, parsed; damaged or foreign JSON is a fresh start. What `msAt` tells is the line times the level that the
 * machine runs at now, see `speedLevels`.
 */
export function createDecodeModel(prior: () => DecodePrior | undefined, saved?: unknown): DecodeModel {
  let answers = restoreAnswers(saved);
  const levels = createSpeedLevels(savedObject(saved)?.["misses"]);
  let fitted = answers.length === 0 ? undefined : fitDecode(answers);
  levels.update(residualsOf(answers, fitted));

  const line = (): DecodeLine | undefined => fitted ?? fitDecode([], prior());

  const judge = (observation: DecodeObservation): void => {
    const known = line();
    if (known !== undefined) {
      levels.judge(Math.log(observation.msPerToken / decodeMsAt(known, observation.depthTokens)));
    }
  };

  return {
    line,
    fitted: () => fitted,
    answers: () => answers.length,
    msAt(depthTokens) {
      const known = line();
      return known === undefined ? undefined : decodeMsAt(known, depthTokens) * Math.exp(levels.best());
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
      levels.update(residualsOf(answers, fitted));
      return change;
    },
    save: () => ({
      answers: answers.map((answer) => [answer.depthTokens, answer.steps, answer.msPerToken]),
      misses: levels.save(),
    }),
  };
}

function residualsOf(answers: readonly DecodeObservation[], line: DecodeLine | undefined): number[] {
  return line === undefined
    ? []
    : answers.map((answer) => Math.log(answer.msPerToken / decodeMsAt(line, answer.depthTokens)));
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
