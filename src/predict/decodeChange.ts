/**
 * Has a model's speed changed for good, and which part of it? The base rises when the chip throttles or layers moved to
 * the CPU; the time per depth rises when flash attention is lost. A single slow answer is no change.
 */
import { median, weightedMedian } from "./accuracyQuantile.ts";
import { decodeMsAt, fitDecode, type DecodeLine, type DecodeObservation } from "./decodeFit.ts";

export interface DecodeChange {
  direction: "slower" | "faster";
  /**
   * Which part of t(d) changed: `base` (throttling, a spill to the CPU, other load), `per-depth` (flash attention lost
   * or won), `unclear` when the answers since lie at depths that do not tell them apart.
   */
  part: "base" | "per-depth" | "unclear";
  /** Time per token at the depth of the answers since then: what the earlier ones would have taken, and what it is. */
  expectedMs: number;
  actualMs: number;
  depthTokens: number;
  /** Answers that show it. */
  answers: number;
}

/** So many answers in a row must show a change, against at least so many before. */
export const ANSWERS_OF_A_CHANGE = 6;
const ANSWERS_BEFORE = 8;
const SMALLEST_RATIO = 1.2;
/** Each of the answers but one must lie this far out on the same side. */
const SAME_SIDE_RATIO = 1.1;
const NOISE_MULTIPLE = 3;
/** One explanation must leave this share of the other's misfit, or less, to be named. */
const CLEARLY_BETTER = 0.6;

/** Looks at one model's answers, oldest first. */
export function findDecodeChange(observations: readonly DecodeObservation[]): DecodeChange | undefined {
  const recent = observations.slice(-ANSWERS_OF_A_CHANGE);
  const before = observations.slice(0, -ANSWERS_OF_A_CHANGE);
  const line = before.length >= ANSWERS_BEFORE ? fitDecode(before) : undefined;
  if (line === undefined) {
    return undefined;
  }
  const ratios = recent.map((entry) => Math.log(entry.msPerToken / decodeMsAt(line, entry.depthTokens)));
  const middle = median(ratios) ?? 0;
  const noise = median(
    before.map((entry) => Math.abs(Math.log(entry.msPerToken / decodeMsAt(line, entry.depthTokens)))),
  );
  const sign = Math.sign(middle);
  const onSide = ratios.filter((ratio) => ratio * sign >= Math.log(SAME_SIDE_RATIO)).length;
  const enough = Math.max(Math.log(SMALLEST_RATIO), NOISE_MULTIPLE * 1.4826 * (noise ?? 0));
  if (Math.abs(middle) < enough || onSide < ANSWERS_OF_A_CHANGE - 1) {
    return undefined;
  }
  const depthTokens = Math.round(median(recent.map((entry) => entry.depthTokens)) ?? 0);
  const expectedMs = decodeMsAt(line, depthTokens);
  return {
    direction: middle > 0 ? "slower" : "faster",
    part: partThatChanged(recent, line),
    expectedMs,
    actualMs: expectedMs * Math.exp(middle),
    depthTokens,
    answers: recent.length,
  };
}

/** Explains the recent answers by a new base (or all parts scaled alike), or by a new slope, and compares. */
function partThatChanged(recent: readonly DecodeObservation[], line: DecodeLine): DecodeChange["part"] {
  const scale = median(recent.map((entry) => entry.msPerToken / decodeMsAt(line, entry.depthTokens))) ?? 1;
  const baseMs = median(recent.map((entry) => entry.msPerToken - line.perDepthMs * entry.depthTokens)) ?? 0;
  const perDepthMs =
    weightedMedian(
      recent.map((entry) => ({
        value: (entry.msPerToken - line.baseMs) / entry.depthTokens,
        weight: entry.depthTokens,
      })),
    ) ?? 0;
  const byBase = Math.min(
    misfit(recent, { ...line, baseMs }),
    misfit(recent, { ...line, baseMs: scale * line.baseMs, perDepthMs: scale * line.perDepthMs }),
  );
  const bySlope = misfit(recent, { ...line, perDepthMs });
  if (byBase <= CLEARLY_BETTER * bySlope) {
    return "base";
  }
  return bySlope <= CLEARLY_BETTER * byBase ? "per-depth" : "unclear";
}

function misfit(recent: readonly DecodeObservation[], line: DecodeLine): number {
  return recent.reduce(
    (sum, entry) => sum + Math.abs(1 - decodeMsAt(line, entry.depthTokens) / entry.msPerToken),
    0,
  );
}
