import * as fc from "fast-check";
import { expect, it } from "vitest";

import { ratesBetween, type Counters } from "../../src/memory/counters.ts";

const zero: Counters = {
  swapOutPages: 0,
  swapInPages: 0,
  refaultPages: 0,
  kswapdScanPages: 0,
  pressureSomeMicroseconds: 0,
  pressureFullMicroseconds: 0,
};

it("divides by the interval that really passed, and pages by their own size", () => {
  const after: Counters = {
    swapOutPages: 256,
    swapInPages: 10,
    refaultPages: 100,
    kswapdScanPages: 500,
    pressureSomeMicroseconds: 125_000,
    pressureFullMicroseconds: 62_500,
  };
  expect(ratesBetween({ atMs: 1000, counters: zero }, { atMs: 2250, counters: after }, 16384)).toEqual({
    swapOutBytesPerSecond: Math.round((256 * 16384) / 1.25),
    swapInBytesPerSecond: (10 * 16384) / 1.25,
    refaultBytesPerSecond: (100 * 16384) / 1.25,
    kswapdScanPerSecond: 400,
    pressureSomeRatio: 0.1,
    pressureFullRatio: 0.05,
  });
});

it("knows no rate at the first reading", () => {
  expect(ratesBetween(undefined, { atMs: 0, counters: zero }, 4096)).toEqual({});
});

it.each([
  ["no time passed", 0],
  ["the clock went back", -5],
  ["the machine slept", 10_001],
])("knows no rate when %s", (_, elapsedMs) => {
  const before = { atMs: 50_000, counters: zero };
  expect(ratesBetween(before, { atMs: 50_000 + elapsedMs, counters: zero }, 4096)).toEqual({});
});

it("leaves out a counter that went back or is missing on one side, and keeps the others", () => {
  const before = { atMs: 0, counters: { ...zero, swapOutPages: 500, swapInPages: undefined } };
  const rates = ratesBetween(before, { atMs: 1000, counters: { ...zero, kswapdScanPages: undefined } }, 4096);
  expect(rates.swapOutBytesPerSecond).toBeUndefined();
  expect(rates.swapInBytesPerSecond).toBeUndefined();
  expect(rates.kswapdScanPerSecond).toBeUndefined();
  expect(rates.refaultBytesPerSecond).toBe(0);
});

it("never gives a negative rate nor a share above one, whatever the counters do", () => {
  const counters = fc.record({
    swapOutPages: fc.nat(),
    swapInPages: fc.option(fc.nat(), { nil: undefined }),
    pressureSomeMicroseconds: fc.nat(),
  });
  fc.assert(
    fc.property(counters, counters, fc.integer({ min: -20_000, max: 20_000 }), (from, to, elapsedMs) => {
      const rates = ratesBetween({ atMs: 0, counters: from }, { atMs: elapsedMs, counters: to }, 4096);
      for (const rate of Object.values(rates)) expect(rate === undefined || rate >= 0).toBe(true);
      expect(rates.pressureSomeRatio ?? 0).toBeLessThanOrEqual(1);
    }),
  );
});
