import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, quantile, weightedMedian } from "../../src/predict/quantile.ts";

describe("quantile", () => {
  it.each([
    [[], 0.5, undefined],
    [[7], 0.9, 7],
    [[1, 2, 3, 4], 0.5, 2.5],
    [[4, 1, 3, 2], 0, 1],
    [[4, 1, 3, 2], 1, 4],
    [[0, 10], 0.9, 9],
    [[1, Number.NaN, 3], 0.5, 2],
    [[Infinity], 0.5, undefined],
  ])("of %j at %d is %s", (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });

  it("lies between the smallest and the largest and never falls with the share", () => {
    const figures = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });
    fc.assert(
      fc.property(figures, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const low = quantile(values, share / 2) ?? Number.NaN;
        const high = quantile(values, share) ?? Number.NaN;
        expect(low).toBeGreaterThanOrEqual(Math.min(...values) - 1e-6);
        expect(high).toBeLessThanOrEqual(Math.max(...values) + 1e-6);
        expect(low).toBeLessThanOrEqual(high + 1e-6);
      }),
    );
  });
});

describe("weightedMedian", () => {
  it("is the median when all weigh the same", () => {
    const figures = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 });
    fc.assert(
      fc.property(figures, (values) => {
        const weighted = weightedMedian(values.map((value) => ({ value, weight: 1 })));
        expect(weighted).toBe(median(values));
      }),
    );
  });

  it("follows the weight", () => {
    expect(
      weightedMedian([
        { value: 1, weight: 1 },
        { value: 2, weight: 1 },
        { value: 9, weight: 5 },
      ]),
    ).toBe(9);
  });

  it.each([[[]], [[{ value: 1, weight: 0 }]], [[{ value: Number.NaN, weight: 1 }]]])(
    "of %j is not known",
    (pairs) => {
      expect(weightedMedian(pairs)).toBeUndefined();
    },
  );
});
