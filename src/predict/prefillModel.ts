/** One model's prompt speed with one set of runner settings, learned from prompts whose uncached part is known. */
import {
  fitPrefill,
  prefillMsOf,
  type PrefillCurve,
  type PrefillObservation,
  type PrefillWork,
} from "./prefillFit.ts";
import { savedObject, savedRows } from "./guessSaved.ts";
import { createSpeedLevels } from "./speedLevels.ts";

/**
 * How sure it is what the runner had cached. `sure`: nothing after a load, or the caller knew. `likely`: this request
 * goes on from an earlier one. `unsure`: a new conversation, which may share its opening with any other.
 */
export type CacheCertainty = "sure" | "likely" | "unsure";

/** The prompt took as long as expected, as long as without its cached part, or neither. */
export type PrefillVerdict = "as-expected" | "not-cached" | "too-fast" | "too-slow";

export interface PrefillModel {
  /** Milliseconds expected of this prompt; undefined before the first one was seen. */
  msOf(work: PrefillWork): number | undefined;
  /** Milliseconds per uncached token at depth 0, once one prompt is known. */
  perTokenMs(): number | undefined;
  prompts(): number;
  /**
   * What the time says of the cached part that was assumed. A prompt whose time contradicts it is kept as computed
   * whole or left out, until so many do that the curve is given up.
   */
  learn(observation: PrefillObservation, certainty: CacheCertainty): PrefillVerdict;
  save(): SavedPrefillModel;
}

export interface SavedPrefillModel {
  /** Uncached tokens, cached tokens, milliseconds, 1 if the cached part was more than a guess; oldest first. */
  prompts: number[][];
  /** How well each way of following the machine worked. */
  misses: number[];
}

interface Remembered extends PrefillObservation {
  trusted: boolean;
}

const REMEMBERED = 32;
/** Prompts shorter than this are all fixed cost. */
const FEWEST_TOKENS = 16;
/** A time within this factor of the expected one is explained. */
const EXPLAINED = 1.7;
/** So many unexplained prompts in a row mean that the curve is what is wrong. */
const TOO_MANY_UNEXPLAINED = 4;

/** `saved`: what `save()` gave, parsed; damaged or foreign JSON is a fresh start. */
export function createPrefillModel(saved?: unknown): PrefillModel {
  let prompts = restore(saved);
  let curve = fitPrefill(prompts);
  let unexplained = 0;
  const levels = createSpeedLevels(savedObject(saved)?.["misses"]);
  levels.update(residualsOf(prompts, curve));

  function keep(prompt: Remembered): void {
    if (curve !== undefined) levels.judge(residual(prompt, curve));
    prompts = [...prompts, prompt].slice(-REMEMBERED);
    curve = fitPrefill(prompts);
    levels.update(residualsOf(prompts, curve));
    unexplained = 0;
  }

  const msOf = (work: PrefillWork): number | undefined =>
    curve === undefined ? undefined : prefillMsOf(curve, work) * Math.exp(levels.best());

  return {
    msOf,
    perTokenMs: () => curve?.perTokenMs,
    prompts: () => prompts.length,
    learn(observation, certainty) {
      const expected = msOf(observation);
      const whole = {
        uncachedTokens: observation.uncachedTokens + observation.cachedTokens,
        cachedTokens: 0,
      };
      if (certainty !== "sure" && expected !== undefined && !isNear(observation.ms, expected)) {
        const trustedBefore = prompts.some((prompt) => prompt.trusted);
        if (isNear(observation.ms, msOf(whole) ?? 0)) {
          addIfSound(keep, { ...whole, ms: observation.ms, trusted: true });
          return "not-cached";
        }
        unexplained += 1;
        const slower = observation.ms > expected;
        // A cached opening only makes prompts look faster: what was learned from such a one gives way to a slower one.
        const outgrown = slower && !trustedBefore;
        if (!outgrown && unexplained < TOO_MANY_UNEXPLAINED) {
          return slower ? "too-slow" : "too-fast";
        }
        prompts = [];
      }
      addIfSound(keep, { ...observation, trusted: certainty !== "unsure" });
      return "as-expected";
    },
    save: () => ({
      prompts: prompts.map((prompt) => [
        prompt.uncachedTokens,
        prompt.cachedTokens,
        prompt.ms,
        prompt.trusted ? 1 : 0,
      ]),
      misses: levels.save(),
    }),
  };
}

function residual(prompt: PrefillObservation, curve: PrefillCurve): number {
  return Math.log(prompt.ms / prefillMsOf(curve, prompt));
}

function residualsOf(prompts: readonly PrefillObservation[], curve: PrefillCurve | undefined): number[] {
  return curve === undefined ? [] : prompts.map((prompt) => residual(prompt, curve)).filter(Number.isFinite);
}

function isNear(actual: number, expected: number): boolean {
  return actual < expected * EXPLAINED && actual > expected / EXPLAINED;
}

function addIfSound(keep: (prompt: Remembered) => void, prompt: Remembered): void {
  if (isSound(prompt)) {
    keep(prompt);
  }
}

function isSound({ uncachedTokens, cachedTokens, ms }: PrefillObservation): boolean {
  return (
    uncachedTokens >= FEWEST_TOKENS &&
    uncachedTokens < 1e9 &&
    cachedTokens >= 0 &&
    cachedTokens < 1e9 &&
    ms > 1e-3 &&
    ms < 1e10
  );
}

function restore(saved: unknown): Remembered[] {
  return savedRows(savedObject(saved)?.["prompts"], { width: 4, limit: REMEMBERED })
    .map(([uncachedTokens = 0, cachedTokens = 0, ms = 0, trusted = 0]) => ({
      uncachedTokens,
      cachedTokens,
      ms,
      trusted: trusted === 1,
    }))
    .filter(isSound);
}
