/**
 * Time to read a prompt. Only tokens that are not in the runner's cache cost anything, each one a little more the
 * deeper it lies: T tokens from depth d take fixed + perToken · T + perPair · (T·d + T²/2) + perCachedPair · T·d. The
 * last part is what a short prompt pays for walking a long cache; a long prompt shares that walk among its batch.
 */
import { median } from "./quantile.ts";
import {
  addMeasurement,
  expecting,
  solveNonNegative,
  type Expectation,
  type NormalEquations,
} from "./guessLeastSquares.ts";

/** Milliseconds; none of them is negative. */
export interface PrefillCurve {
  fixedMs: number;
  /** Per uncached token at depth 0. */
  perTokenMs: number;
  /** Per uncached token and token in front of it. */
  perPairMs: number;
  /** The same, on top, for tokens in front that were cached. */
  perCachedPairMs: number;
}

/** One prompt: how much of it had to be computed, after how much that was there already. */
export interface PrefillWork {
  uncachedTokens: number;
  cachedTokens: number;
}

export interface PrefillObservation extends PrefillWork {
  ms: number;
}

/** Depth at which a token costs twice as much, before it is measured. Runs on GPUs show about 100k, on CPUs 10k. */
const DOUBLE_COST_DEPTH = 30_000;
/** Tokens that a runner computes at once, where nobody says. */
const USUAL_BATCH = 512;
/** A fixed cost of this many tokens' time is not surprising. */
const FIXED_COST_TOKENS = 20;
/** Two like prompts differ by about this much. */
const NOISE_RATIO = 0.08;
/** Weight that a prompt loses with each newer one, so that a machine that heats up is followed. */
const AGEING = 0.95;
const ROUNDS = 4;

/**
 * Least squares in relative terms, with expectations that hold where the prompts seen so far are too alike to tell the
 * parts of the cost from each other. A prompt that fits badly loses weight from round to round.
 */
export function fitPrefill(observations: readonly PrefillObservation[]): PrefillCurve | undefined {
  const perToken = median(observations.map(({ ms, uncachedTokens }) => ms / uncachedTokens));
  if (perToken === undefined || perToken <= 0) {
    return undefined;
  }
  // Beyond a batch the walk is shared: prompts that are all longer say nothing of it, and must not be taken to.
  const usualTokens = median(observations.map(({ uncachedTokens }) => uncachedTokens)) ?? 0;
  const unshared = Math.min(1, USUAL_BATCH / usualTokens);
  const expected: Expectation[] = [
    { value: 0, deviation: perToken * FIXED_COST_TOKENS },
    { value: perToken, deviation: perToken },
    { value: perToken / DOUBLE_COST_DEPTH, deviation: (5 * perToken) / DOUBLE_COST_DEPTH },
    { value: 0, deviation: (2 * perToken * unshared) / DOUBLE_COST_DEPTH },
  ];
  let weights = observations.map(() => 1);
  let parts = expected.map(({ value }) => value);
  for (let round = 0; round < ROUNDS; round++) {
    parts = solveNonNegative(equationsOf(observations, weights, expected));
    weights = observations.map((entry) => fitness(entry, parts));
  }
  const [fixedMs = 0, perTokenMs = perToken, perPairMs = 0, perCachedPairMs = 0] = parts;
  return { fixedMs, perTokenMs, perPairMs, perCachedPairMs };
}

/** Never falls when more of a prompt has to be computed, whether the prompt grew or less of it was cached. */
export function prefillMsOf(curve: PrefillCurve, { uncachedTokens, cachedTokens }: PrefillWork): number {
  const { perTokenMs, perPairMs, perCachedPairMs } = curve;
  const all = Math.max(0, uncachedTokens) + Math.max(0, cachedTokens);
  // For a given prompt the cost is a parabola over its uncached part. Past the vertex it would fall again, which is the
  // formula's doing and not the machine's.
  const vertex = (perTokenMs + (perPairMs + perCachedPairMs) * all) / (perPairMs + 2 * perCachedPairMs);
  const tokens = Math.min(Math.max(0, uncachedTokens), Number.isNaN(vertex) ? Infinity : vertex);
  const parts = [curve.fixedMs, perTokenMs, perPairMs, perCachedPairMs];
  return features({ uncachedTokens: tokens, cachedTokens: all - tokens }).reduce(
    (sum, value, index) => sum + value * (parts[index] ?? 0),
    0,
  );
}

function features({ uncachedTokens: tokens, cachedTokens: cached }: PrefillWork): number[] {
  return [tokens > 0 ? 1 : 0, tokens, tokens * cached + (tokens * tokens) / 2, tokens * cached];
}

/** Weight of an observation, 1 within the usual noise and falling beyond it (Huber). */
function fitness(observation: PrefillObservation, parts: readonly number[]): number {
  const fitted = features(observation).reduce((sum, value, index) => sum + value * (parts[index] ?? 0), 0);
  const misfit = Math.abs(fitted / observation.ms - 1);
  return misfit <= 1.5 * NOISE_RATIO ? 1 : (1.5 * NOISE_RATIO) / misfit;
}

function equationsOf(
  observations: readonly PrefillObservation[],
  weights: readonly number[],
  expected: readonly Expectation[],
): NormalEquations {
  const equations = expecting(expected);
  for (const [index, observation] of observations.entries()) {
    // Divided by the time it took, so that a long prompt counts no more than a short one.
    const scaled = features(observation).map((value) => value / observation.ms);
    addMeasurement(equations, {
      features: scaled,
      value: 1,
      weight: ((weights[index] ?? 0) * AGEING ** (observations.length - 1 - index)) / NOISE_RATIO ** 2,
    });
  }
  return equations;
}
