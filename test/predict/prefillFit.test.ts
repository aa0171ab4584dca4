import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitPrefill, prefillMsOf, type PrefillObservation } from "../../src/predict/prefillFit.ts";

/** A 27B model on an RTX 4090: tokens per second for 512 tokens at a depth. */
const RATES = [
  [0, 3012.5],
  [4096, 2913.2],
  [16_384, 2598.4],
  [32_768, 2256.5],
] as const;

const observed = (uncachedTokens: number, cachedTokens: number, ms: number): PrefillObservation => ({
  uncachedTokens,
  cachedTokens,
  ms,
});

describe("the time for a prompt", () => {
  it("follows a published series within 1 %", () => {
    const series = RATES.map(([depth, rate]) => observed(512, depth, (512 / rate) * 1000));
    const curve = fitPrefill([...series, ...series, ...series]);
    for (const { ms, ...work } of series) {
      const predicted = curve === undefined ? 0 : prefillMsOf(curve, work);
      expect(Math.abs(predicted / ms - 1)).toBeLessThan(0.01);
    }
  });

  it("is found exactly when prompts of all sizes and depths were seen", () => {
    const cost = (tokens: number, cached: number): number =>
      30 + 2 * tokens + 1e-4 * (tokens * cached + tokens ** 2 / 2);
    const seen = [100, 400, 1500, 5000].flatMap((tokens) =>
      [0, 1000, 6000].map((cached) => observed(tokens, cached, cost(tokens, cached))),
    );
    const curve = fitPrefill(seen);
    const predicted =
      curve === undefined ? 0 : prefillMsOf(curve, { uncachedTokens: 3000, cachedTokens: 3000 });
    expect(predicted / cost(3000, 3000)).toBeCloseTo(1, 1);
  });

  it("after one prompt is in proportion", () => {
    const curve = fitPrefill([observed(436, 0, 738)]);
    expect(
      curve === undefined ? 0 : prefillMsOf(curve, { uncachedTokens: 872, cachedTokens: 0 }),
    ).toBeCloseTo(1476, -2);
  });

  it("is not known before", () => {
    expect(fitPrefill([])).toBeUndefined();
  });

  it("of nothing is nothing", () => {
    const curve = { fixedMs: 40, perTokenMs: 1, perPairMs: 0, perCachedPairMs: 0 };
    expect(prefillMsOf(curve, { uncachedTokens: 0, cachedTokens: 500 })).toBe(0);
  });
});

const tokens = fc.integer({ min: 1, max: 300_000 });
const seen = fc.array(
  fc.record({
    uncachedTokens: tokens,
    cachedTokens: fc.nat(300_000),
    ms: fc.double({ min: 0.01, max: 1e9, noNaN: true }),
  }),
  { minLength: 1, maxLength: 32 },
);

describe("whatever was measured", () => {
  it("the time is a number and not negative", () => {
    fc.assert(
      fc.property(seen, tokens, fc.nat(300_000), (observations, uncachedTokens, cachedTokens) => {
        const curve = fitPrefill(observations);
        const ms = curve === undefined ? -1 : prefillMsOf(curve, { uncachedTokens, cachedTokens });
        expect(Number.isFinite(ms) && ms >= 0).toBe(true);
      }),
    );
  });

  it("a longer prompt after the same cached part is never faster", () => {
    fc.assert(
      fc.property(seen, tokens, tokens, fc.nat(300_000), (observations, some, more, cachedTokens) => {
        const curve = fitPrefill(observations);
        if (curve !== undefined) {
          const less = prefillMsOf(curve, { uncachedTokens: some, cachedTokens });
          const all = prefillMsOf(curve, { uncachedTokens: some + more, cachedTokens });
          expect(all).toBeGreaterThanOrEqual(less * (1 - 1e-9));
        }
      }),
    );
  });

  it("the same prompt with less of it cached is never faster", () => {
    fc.assert(
      fc.property(seen, tokens, tokens, fc.nat(300_000), (observations, some, more, rest) => {
        const curve = fitPrefill(observations);
        if (curve !== undefined) {
          const all = some + more + rest;
          const less = prefillMsOf(curve, { uncachedTokens: some, cachedTokens: all - some });
          const larger = prefillMsOf(curve, { uncachedTokens: some + more, cachedTokens: rest });
          expect(larger).toBeGreaterThanOrEqual(less * (1 - 1e-9));
        }
      }),
    );
  });
});
