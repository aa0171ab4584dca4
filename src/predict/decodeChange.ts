/**
 * Has a model's speed changed for longer than an answer or two, and which part of it? The base rises when the chip throttles or layers moved to
 * the CPU; the time per depth rises when flash attention is lost. A single slow answer is no change.
 */
import { median, weightedMedian } from "./quantile.ts";
import { decodeMsAt, fitDecode, type DecodeLine, type DecodeObservation } from "./decodeFit.ts";

/** For whoever is told that a model has become slower: what it was, what it is, and what that points to. */
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
/** Less than this nobody notices, and other load explains. */
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
  const noise = 1.4826 * (median(before.map((entry) => Math.abs(offOf(entry, line)))) ?? 0);
  const enough = Math.max(Math.log(SMALLEST_RATIO), NOISE_MULTIPLE * noise);
  const part = partThatChanged(recent, line);
  if (areOff(recent, line, { enough, exceptions: 1 })) {
    return describe(recent, line, part);
  }
  // What is lost with depth does not show in shallow answers. One of those must have come after a slow deep one: in a
  // chat that merely grows, a change of the base looks the same.
  const deep = recent
    .toSorted((left, right) => right.depthTokens - left.depthTokens)
    .slice(0, ANSWERS_OF_A_CHANGE / 2);
  const mixed =
    recent.findIndex((entry) => deep.includes(entry)) <
    recent.findLastIndex((entry) => !deep.includes(entry));
  const isLost = part === "per-depth" && mixed && areOff(deep, line, { enough, exceptions: 0 });
  return isLost ? describe(deep, line, part) : undefined;
}

/** Logarithm of what an answer took over what it would have taken. */
function offOf(entry: DecodeObservation, line: DecodeLine): number {
  return Math.log(entry.msPerToken / decodeMsAt(line, entry.depthTokens));
}

function areOff(
  answers: readonly DecodeObservation[],
  line: DecodeLine,
  { enough, exceptions }: { enough: number; exceptions: number },
): boolean {
  const offs = answers.map((entry) => offOf(entry, line));
  const middle = median(offs) ?? 0;
  const onSide = offs.filter((off) => off * Math.sign(middle) >= Math.log(SAME_SIDE_RATIO));
  return Math.abs(middle) >= enough && onSide.length >= answers.length - exceptions;
}

function describe(
  answers: readonly DecodeObservation[],
  line: DecodeLine,
  part: DecodeChange["part"],
): DecodeChange {
  const middle = median(answers.map((entry) => offOf(entry, line))) ?? 0;
  const depthTokens = Math.round(median(answers.map((entry) => entry.depthTokens)) ?? 0);
  const expectedMs = decodeMsAt(line, depthTokens);
  return {
    direction: middle > 0 ? "slower" : "faster",
    part,
    expectedMs,
    actualMs: expectedMs * Math.exp(middle),
    depthTokens,
    answers: answers.length,
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

/** What a line leaves unexplained. The worst answer does not count: the change may have come after it. */
function misfit(recent: readonly DecodeObservation[], line: DecodeLine): number {
  const rests = recent.map((entry) => Math.abs(offOf(entry, line)));
  return rests.reduce((sum, rest) => sum + rest, 0) - Math.max(...rests);
}
