/**
 * Time per generated token as a line over depth, t(d) = base + perDepth · d: reading the weights and fixed work once a
 * token, and the cache of every token already in context. Measured series are linear to a fraction of a percent.
 */
import { median, weightedMedian } from "./quantile.ts";

export interface DecodeLine {
  /** Milliseconds per token with an empty context. */
  baseMs: number;
  /** Milliseconds that each token in context adds to every later token. */
  perDepthMs: number;
  /** Standard deviation of `perDepthMs`, and the depth at which the line is surest. */
  perDepthDeviationMs: number;
  centreDepthTokens: number;
}

/** One answer: the mean time of its steps and the depth at their middle. */
export interface DecodeObservation {
  depthTokens: number;
  /** Timed steps: one less than the tokens, because the first token comes out of the prompt's last step. */
  steps: number;
  msPerToken: number;
}

/** A line expected before any measurement, with how far its base may be off. */
export interface DecodePrior extends DecodeLine {
  spreadRatio: number;
}

/** Depth at which speed has halved, when nothing is known of a model's cache: between a GPU's 160k and a CPU's 4k. */
const HALF_SPEED_DEPTH = 40_000;
/** Without a prior the slope may be this many times the one above: it is left to the answers. */
const UNKNOWN_SLOPE = 10;
/** An answer of this many steps has half the weight of an endless one: short answers are mostly start-up. */
const HALF_WEIGHT_STEPS = 32;
/** Two exchanges with the same settings differ by about this much on a quiet machine. */
const SMALLEST_NOISE_RATIO = 0.02;
/** Taken for the noise until there are answers enough to measure it. */
const FIRST_NOISE_RATIO = 0.1;

/**
 * Fits the line: median of pairwise slopes weighted by distance in depth and by steps, so that neither a disturbed
 * answer nor a cluster of equal depths decides it; then the median of what is left. Where the depths lie too close
 * together to tell a slope, the prior's slope holds. Undefined when there is neither an observation nor a prior.
 */
export function fitDecode(
  observations: readonly DecodeObservation[],
  prior?: DecodePrior,
): DecodeLine | undefined {
  const level = median(observations.map(({ msPerToken }) => msPerToken));
  if (level === undefined) {
    return prior;
  }
  const usual = level / HALF_SPEED_DEPTH;
  const expected: Estimate = {
    value: prior?.perDepthMs ?? usual,
    deviation: prior?.perDepthDeviationMs ?? UNKNOWN_SLOPE * usual,
  };
  const slope = pairwiseSlope(observations) ?? expected.value;
  const noiseMs = noiseAround(observations, slope);
  const { centre, spread } = depthsOf(observations);
  const blended = blend({ value: slope, deviation: noiseMs / spread }, expected);
  const perDepthMs = Math.max(0, blended.value);
  return {
    baseMs: baseUnder(observations, { perDepthMs, noiseMs, prior }),
    perDepthMs,
    perDepthDeviationMs: blended.deviation,
    centreDepthTokens: centre,
  };
}

/** Milliseconds that the next token takes with so many in context. A depth below 0 counts as 0. */
export function decodeMsAt(line: DecodeLine, depthTokens: number): number {
  return line.baseMs + line.perDepthMs * Math.max(0, depthTokens);
}

/** How much an answer tells. */
function weightOf(observation: DecodeObservation): number {
  return observation.steps / (observation.steps + HALF_WEIGHT_STEPS);
}

function pairwiseSlope(observations: readonly DecodeObservation[]): number | undefined {
  const slopes: { value: number; weight: number }[] = [];
  for (const [index, left] of observations.entries()) {
    for (const right of observations.slice(index + 1)) {
      const distance = right.depthTokens - left.depthTokens;
      slopes.push({
        value: (right.msPerToken - left.msPerToken) / distance,
        weight: Math.abs(distance) * weightOf(left) * weightOf(right),
      });
    }
  }
  return weightedMedian(slopes);
}

/** Spread of the residuals: median distance scaled to a standard deviation, never below what quiet machines show. */
function noiseAround(observations: readonly DecodeObservation[], slope: number): number {
  const rests = observations.map(({ msPerToken, depthTokens }) => msPerToken - slope * depthTokens);
  const centre = median(rests) ?? 0;
  const measured = 1.4826 * (median(rests.map((rest) => Math.abs(rest - centre))) ?? 0);
  const level = median(observations.map(({ msPerToken }) => msPerToken)) ?? 0;
  // Two or three residuals are small by construction; the assumed noise fades as answers come in.
  const assumed = (level * FIRST_NOISE_RATIO) / Math.sqrt(observations.length);
  return Math.max(measured, assumed, level * SMALLEST_NOISE_RATIO);
}

/** Weighted mean depth, and the root of the weighted squared distances from it: what a slope's precision grows with. */
function depthsOf(observations: readonly DecodeObservation[]): { centre: number; spread: number } {
  const sum = (figure: (entry: DecodeObservation) => number): number =>
    observations.reduce((total, entry) => total + weightOf(entry) * figure(entry), 0);
  const centre = sum(({ depthTokens }) => depthTokens) / sum(() => 1);
  return { centre, spread: Math.sqrt(sum(({ depthTokens }) => (depthTokens - centre) ** 2)) };
}

interface Estimate {
  value: number;
  deviation: number;
}

/** Mean of two figures by their precision. A measured deviation may be infinite, an expected one 0 if it is certain. */
function blend(measured: Estimate, expected: Estimate): Estimate {
  if (!Number.isFinite(measured.deviation) || expected.deviation === 0) {
    return expected;
  }
  const both = Math.hypot(measured.deviation, expected.deviation);
  const share = (expected.deviation / both) ** 2;
  return {
    value: share * measured.value + (1 - share) * expected.value,
    deviation: (measured.deviation / both) * expected.deviation,
  };
}

function baseUnder(
  observations: readonly DecodeObservation[],
  { perDepthMs, noiseMs, prior }: { perDepthMs: number; noiseMs: number; prior?: DecodePrior },
): number {
  const rests = observations.map((entry) => ({
    value: entry.msPerToken - perDepthMs * entry.depthTokens,
    weight: weightOf(entry),
  }));
  const fastest = Math.min(...observations.map(({ msPerToken }) => msPerToken));
  const measured = weightedMedian(rests) ?? fastest;
  const base =
    prior === undefined
      ? measured
      : blend(
          { value: measured, deviation: noiseMs / Math.sqrt(observations.length) },
          { value: prior.baseMs, deviation: prior.baseMs * prior.spreadRatio },
        ).value;
  // A slope that is too steep would leave nothing, or less, for an empty context.
  return Math.max(base, fastest / 20);
}
