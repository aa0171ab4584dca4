import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMsAt, fitDecode, type DecodeObservation } from "../../src/predict/decodeFit.ts";

/** Published series: tokens per second at a depth, and the line they lie on. */
const SERIES = [
  {
    run: "27B Q4_K_M, q8_0 cache, RTX 4090",
    rates: [
      [0, 45],
      [4096, 43.92],
      [16_384, 40.83],
      [32_768, 37.38],
    ],
    baseMs: 22.21,
    perDepthUs: 0.1385,
  },
  {
    run: "4B Q4_K_M, 3-bit cache",
    rates: [
      [0, 83.42],
      [4096, 75.85],
      [8192, 69.58],
    ],
    baseMs: 11.99,
    perDepthUs: 0.291,
  },
  {
    run: "30B-A3B MLA, Vulkan",
    rates: [
      [0, 71.32],
      [4096, 58.67],
      [8192, 50.87],
      [16_384, 39.4],
      [32_768, 27.84],
    ],
    baseMs: 14.22,
    perDepthUs: 0.666,
  },
];

const observed = (depthTokens: number, msPerToken: number, steps = 200): DecodeObservation => ({
  depthTokens,
  msPerToken,
  steps,
});

describe("the line through a series", () => {
  it.each(SERIES)("of $run is the published one", ({ rates, baseMs, perDepthUs }) => {
    const line = fitDecode(rates.map(([depth = 0, rate = 0]) => observed(depth, 1000 / rate)));
    expect(line?.baseMs).toBeGreaterThan(baseMs * 0.98);
    expect(line?.baseMs).toBeLessThan(baseMs * 1.02);
    expect((line?.perDepthMs ?? 0) * 1000).toBeGreaterThan(perDepthUs * 0.93);
    expect((line?.perDepthMs ?? 0) * 1000).toBeLessThan(perDepthUs * 1.07);
  });

  it("is not bent by a few answers that something else slowed down", () => {
    const answers = Array.from({ length: 15 }, (_, index) =>
      observed(index * 1000, (20 + 0.001 * index * 1000) * (index % 5 === 2 ? 2.5 : 1)),
    );
    const line = fitDecode(answers);
    expect(line?.baseMs).toBeCloseTo(20, 0);
    expect(line?.perDepthMs).toBeCloseTo(0.001, 3);
  });

  it("is hardly moved by answers of a few tokens", () => {
    const long = Array.from({ length: 10 }, (_, index) => observed(index * 1000, 20, 400));
    const short = Array.from({ length: 9 }, (_, index) => observed(index * 1000 + 500, 40, 7));
    expect(fitDecode([...long, ...short])?.baseMs).toBeLessThan(22);
  });
});

describe("where the depths are too alike to tell a slope", () => {
  const prior = {
    baseMs: 20,
    perDepthMs: 0.001,
    perDepthDeviationMs: 0.0006,
    centreDepthTokens: 0,
    spreadRatio: 0.3,
  };

  it("the prior's slope holds", () => {
    const line = fitDecode([observed(1000, 25), observed(1000, 25), observed(1002, 26)], prior);
    expect(line?.perDepthMs).toBeCloseTo(0.001, 4);
    expect(line?.baseMs).toBeGreaterThan(23);
  });

  it("without answers the prior is the line, and without a prior there is none", () => {
    expect(fitDecode([], prior)).toEqual(prior);
    expect(fitDecode([])).toBeUndefined();
  });

  it("says that it is less sure of a slope it could not measure", () => {
    const near = fitDecode([observed(1000, 20), observed(1100, 20.1), observed(1200, 20.2)]);
    const wide = fitDecode([observed(0, 20), observed(8000, 24), observed(16_000, 28)]);
    expect(near?.perDepthDeviationMs).toBeGreaterThan(5 * (wide?.perDepthDeviationMs ?? 0));
  });
});

it("is finite, never falls with depth and never predicts less than nothing", () => {
  const answers = fc.array(
    fc.record({
      depthTokens: fc.double({ min: 0, max: 1e8, noNaN: true }),
      steps: fc.integer({ min: 1, max: 1e6 }),
      msPerToken: fc.double({ min: 1e-4, max: 1e7, noNaN: true }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(answers, (observations) => {
      const line = fitDecode(observations);
      expect(line).toBeDefined();
      if (line !== undefined) {
        expect(Object.values(line).every(Number.isFinite)).toBe(true);
        expect(decodeMsAt(line, 0)).toBeGreaterThan(0);
        expect(decodeMsAt(line, 1e6)).toBeGreaterThanOrEqual(decodeMsAt(line, 0));
      }
    }),
  );
});
