import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  fallsEvenly,
  secondsUntilGone,
  trendOver,
  type TrendPoint,
} from "../../src/predict/forecastTrend.ts";

const line = (values: readonly number[]): TrendPoint[] =>
  values.map((bytes, index) => ({ atMs: index * 1000, bytes }));
const falling = (count: number, from: number, step: number): TrendPoint[] =>
  line(Array.from({ length: count }, (_, index) => from - index * step));

describe("a trend", () => {
  it("is the slope of a line, whatever its unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 3, max: 20 }), (step, count) => {
        const trend = trendOver(falling(count, 1e12, step), 20_000, 3);
        expect(trend?.slope).toBeCloseTo(-step, 3);
        expect(trend?.fallingShare).toBe(step > 0 ? 1 : 0);
      }),
    );
  });

  it("is not moved by a quarter of outliers", () => {
    const points = falling(20, 1e9, 1e6).map((point, index) =>
      index % 5 === 2 ? { ...point, bytes: point.bytes + 3e8 } : point,
    );
    expect(trendOver(points, 20_000, 10)?.slope).toBeCloseTo(-1e6, -5);
  });

  it("does not take a single fall between level stretches for lasting, even when they tremble", () => {
    const tremble = [3, -4, 2, 5, -1, -5, 4, 0, -2, 1];
    const values = Array.from({ length: 20 }, (_, index) => {
      const level = index < 8 ? 1200 : index < 12 ? 1200 - (index - 7) * 170 : 520;
      return level + (tremble[index % 10] ?? 0);
    });
    expect(trendOver(line(values), 20_000, 10)?.fallingShare).toBeLessThan(0.8);
  });

  it("needs its points, and only looks at its window", () => {
    expect(trendOver(falling(9, 1e9, 1e6), 20_000, 10)).toBeUndefined();
    expect(trendOver([], 20_000, 1)).toBeUndefined();
    expect(trendOver(falling(60, 1e9, 1e6), 20_000, 10)?.pointCount).toBe(20);
  });

  it("of points at one moment is none", () => {
    expect(
      trendOver(
        [
          { atMs: 5, bytes: 1 },
          { atMs: 5, bytes: 2 },
        ],
        20_000,
        2,
      ),
    ).toBeUndefined();
  });
});

it("what does not shrink is never gone, what is gone is gone now", () => {
  expect(secondsUntilGone(100, 0)).toBeUndefined();
  expect(secondsUntilGone(100, 5)).toBeUndefined();
  expect(secondsUntilGone(100, undefined)).toBeUndefined();
  expect(secondsUntilGone(100, -10)).toBe(10);
  expect(secondsUntilGone(-100, -10)).toBe(0);
});

it("falls evenly at one pace, not in one go", () => {
  expect(fallsEvenly(falling(7, 1000, 10), 6, 0.25)).toBe(true);
  expect(fallsEvenly(falling(6, 1000, 10), 6, 0.25)).toBe(false);
  expect(fallsEvenly(line([100, 90, 80, 79, 60, 50, 40]), 6, 0.25)).toBe(false);
  expect(fallsEvenly(line([1, 2, 3, 4, 5, 6, 7]), 6, 0.25)).toBe(false);
});
