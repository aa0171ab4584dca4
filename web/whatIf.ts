import type { MemoryEstimate, WhatIfCell } from "../src/types.ts";
import { formatBytes } from "./format.ts";

/** What the What-if view is made of. Pure. */

const shortest = 1024;
const longestUsual = 131_072;

/** The stops of the slider: each twice the last but one, ending in the longest that the model was trained for. */
export function contextStops(longest = longestUsual): number[] {
  const stops: number[] = [];
  for (let exponent = 0; ; exponent += 1) {
    const context = Math.round((shortest * 2 ** (exponent / 2)) / 256) * 256;
    if (context >= longest) return [...stops, longest];
    stops.push(context);
  }
}

export type Fit = MemoryEstimate["fit"];

export const fitShapes: Record<Fit["verdict"], string> = {
  fits: "✓",
  tight: "~",
  overflows: "×",
  unknown: "?",
};

/** `fits`, `fits, but tightly`, `does not fit: 2.9 GiB short`. */
export function fitWords({ verdict, shortBytes }: Fit): string {
  if (verdict === "fits") return "fits";
  if (verdict === "tight") return "fits, but tightly";
  if (verdict === "unknown") return "not known whether it fits";
  return `does not fit${shortBytes ? `: ${formatBytes(shortBytes)} short` : ""}`;
}

/** The cells of one column, and which of them is the largest that fits. */
export function largestThatFits(cells: readonly WhatIfCell[]): WhatIfCell | undefined {
  return cells
    .filter(({ fit }) => fit.verdict === "fits" || fit.verdict === "tight")
    .toSorted((a, b) => b.contextLength - a.contextLength)[0];
}

/** `+0.6 % perplexity`, of a model that was measured. */
export function lossWords({ perplexityRatio }: NonNullable<WhatIfCell["loss"]>): string {
  return `+${(perplexityRatio * 100).toFixed(perplexityRatio < 0.01 ? 2 : 1)} % perplexity`;
}

/** Bytes of an estimate by part, host and device together. */
export function estimateParts(estimate: MemoryEstimate): { name: string; bytes: number }[] {
  const both = (split: { hostBytes: number; deviceBytes: number } | undefined): number =>
    split ? split.hostBytes + split.deviceBytes : 0;
  return [
    { name: "weights", bytes: both(estimate.weightsBytes) },
    {
      name: "compute",
      bytes: both(estimate.computeBytes) + (estimate.outputBytes ?? 0) + (estimate.processBytes ?? 0),
    },
    { name: "kvFree", bytes: both(estimate.kvCacheBytes) + both(estimate.recurrentStateBytes) },
  ].filter(({ bytes }) => bytes > 0);
}

/** The rate expected at a depth, between the two nearest points of the curve. */
export function rateAt(estimate: MemoryEstimate, depth: number): number | undefined {
  const points = estimate.speed?.decodeTokensPerSecond ?? [];
  const after = points.find((point) => point.depth >= depth);
  const before = points.findLast((point) => point.depth <= depth);
  if (!before || !after) return (before ?? after)?.value;
  if (after.depth === before.depth) return after.value;
  const share = (depth - before.depth) / (after.depth - before.depth);
  return before.value + share * (after.value - before.value);
}
