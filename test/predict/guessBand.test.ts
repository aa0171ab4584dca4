import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createErrorBand } from "../../src/predict/guessBand.ts";

describe("a band", () => {
  it("has the assumed width before anything is known", () => {
    const { low, high } = createErrorBand(0.3).around(100);
    expect(high).toBeCloseTo(130, 6);
    expect(low).toBeCloseTo(100 / 1.3, 6);
  });

  it("narrows to what is shown, and widens again", () => {
    const band = createErrorBand(0.3);
    for (let turn = 0; turn < 24; turn++) {
      band.learn(100, turn % 2 === 0 ? 101 : 99);
    }
    expect(band.around(100).high).toBeLessThan(102);
    for (let turn = 0; turn < 8; turn++) {
      band.learn(100, 150);
    }
    expect(band.around(100).low).toBeLessThan(70);
  });

  it("is not narrowed by a few lucky guesses", () => {
    const band = createErrorBand(0.3);
    [1, 2, 3].forEach(() => band.learn(100, 100));
    expect(band.around(100).high).toBeGreaterThan(125);
  });
});

it("is the same after saving, and never inside out", () => {
  const figure = fc.oneof(fc.double(), fc.constantFrom(0, -1, Number.NaN, Infinity));
  fc.assert(
    fc.property(fc.array(fc.tuple(figure, figure)), fc.jsonValue(), (told, saved) => {
      const band = createErrorBand(0.3, saved);
      told.forEach(([predicted, actual]) => band.learn(predicted, actual));
      const { predicted, low = NaN, high = NaN } = band.around(50);
      expect(low <= predicted && predicted <= high && low > 0 && Number.isFinite(high)).toBe(true);
      expect(createErrorBand(0.3, band.save()).around(50)).toEqual(band.around(50));
    }),
  );
});
