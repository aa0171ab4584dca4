import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, pairedDifferences, quantile, spread } from "../../bench/report/stats.ts";

describe("quantile", () => {
  it.each([
    [[1, 2, 3, 4], 0.5, 2.5],
    [[4, 1, 3, 2], 0.25, 1.75],
    [[10], 0.99, 10],
    [[0, 100], 0.99, 99],
    [[3, 1, 2], 0, 1],
    [[3, 1, 2], 1, 3],
    [[-1, -10], 0.5, -5.5],
  ])("of %j at %d is %d", (values, ratio, expected) => {
    expect(quantile(values, ratio)).toBeCloseTo(expected, 12);
  });

  it("is absent without figures", () => {
    expect(quantile([], 0.5)).toBeUndefined();
    expect(median([])).toBeUndefined();
    expect(spread([])).toBeUndefined();
  });

  it("orders numbers as numbers", () => {
    expect(median([9, 10, 100])).toBe(10);
  });

  it("leaves the figures as they were", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("never leaves the range, and grows with the ratio", () => {
    const figures = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
    const ratio = fc.double({ noNaN: true, min: 0, max: 1 });
    fc.assert(
      fc.property(figures, ratio, ratio, (values, one, other) => {
        const low = quantile(values, Math.min(one, other)) ?? NaN;
        const high = quantile(values, Math.max(one, other)) ?? NaN;
        expect(low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high).toBeLessThanOrEqual(Math.max(...values));
        expect(high - low).toBeGreaterThanOrEqual(-1e-6);
      }),
    );
  });
});

describe("spread", () => {
  it("is the median with the quartiles around it", () => {
    expect(spread([5, 1, 4, 2, 3])).toEqual({ median: 3, lower: 2, upper: 4 });
  });
});

describe("pairedDifferences", () => {
  it("compares what was measured in the same turn", () => {
    expect(pairedDifferences([5, 7, 9], [1, 2, 3])).toEqual([4, 5, 6]);
  });

  it("stops where one of them does", () => {
    expect(pairedDifferences([5, 7, 9], [1])).toEqual([4]);
  });
});
