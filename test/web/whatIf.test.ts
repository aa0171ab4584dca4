import { describe, expect, it } from "vitest";
import type { WhatIfCell } from "../../src/types.ts";
import {
  contextStops,
  estimateParts,
  fitWords,
  largestThatFits,
  lossWords,
  rateAt,
} from "../../web/whatIf.ts";
import { anEstimate, gibibyte } from "./support.ts";

const cell = (contextLength: number, verdict: WhatIfCell["fit"]["verdict"]): WhatIfCell => ({
  contextLength,
  kvCacheType: "f16",
  kvCacheBytes: 1,
  fit: { verdict },
});

describe("the slider", () => {
  it("goes up in steps of equal ratio, to what the model was trained for", () => {
    expect(contextStops(8192)).toEqual([1024, 1536, 2048, 2816, 4096, 5888, 8192]);
    expect(contextStops(5000).at(-1)).toBe(5000);
    expect(contextStops().at(-1)).toBe(131_072);
    expect(contextStops(512)).toEqual([512]);
  });
});

describe("an answer", () => {
  it("says in words whether it fits", () => {
    expect(fitWords({ verdict: "fits" })).toBe("fits");
    expect(fitWords({ verdict: "tight" })).toBe("fits, but tightly");
    expect(fitWords({ verdict: "overflows", shortBytes: 2.9 * gibibyte })).toBe(
      "does not fit: 2.9 GiB short",
    );
    expect(fitWords({ verdict: "unknown" })).toBe("not known whether it fits");
  });

  it("names the largest context that fits, tightly or not", () => {
    const cells = [
      cell(2048, "fits"),
      cell(8192, "tight"),
      cell(16_384, "overflows"),
      cell(32_768, "unknown"),
    ];
    expect(largestThatFits(cells)?.contextLength).toBe(8192);
    expect(largestThatFits([cell(2048, "overflows")])).toBeUndefined();
  });

  it("has its parts, host and device together", () => {
    const estimate = anEstimate({ weightsBytes: { hostBytes: 100, deviceBytes: 900 } });
    expect(estimateParts(estimate)).toEqual([
      { name: "weights", bytes: 1000 },
      { name: "compute", bytes: 80 },
      { name: "kvFree", bytes: 200 },
    ]);
  });

  it("tells the speed between the points of the curve, and beyond them the nearest", () => {
    const at = (depth: number, value: number) => ({ depth, value, low: value, high: value });
    const estimate = anEstimate({
      speed: { decodeTokensPerSecond: [at(0, 20), at(4000, 10)], provenance: "predicted" },
    });
    expect([0, 1000, 4000, 9000].map((depth) => rateAt(estimate, depth))).toEqual([20, 17.5, 10, 10]);
    expect(rateAt(anEstimate(), 5)).toBeUndefined();
  });

  it("says what a file type loses", () => {
    const loss = { imatrix: false, model: "m", source: "s" };
    expect(lossWords({ ...loss, perplexityRatio: 0.0004 })).toBe("+0.04 % perplexity");
    expect(lossWords({ ...loss, perplexityRatio: 0.028 })).toBe("+2.8 % perplexity");
  });
});
