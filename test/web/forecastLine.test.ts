import { describe, expect, it } from "vitest";
import { forecastLine, futureMs } from "../../web/forecastLine.ts";
import { aSample } from "./support.ts";

const sample = aSample({ takenAt: 10_000, totalBytes: 1000, floorBytes: 100, headroomBytes: 300 });
const forecast = {
  madeAt: 10_000,
  secondsToSwap: { predicted: 60 },
  points: [{ atSeconds: 30, headroomBytes: 150, lowBytes: 50, highBytes: 250 }],
  causes: [],
};

describe("forecastLine", () => {
  it("begins where the bands end, and falls towards the line as headroom does", () => {
    expect(forecastLine(forecast, sample, 600)).toEqual({
      points: [
        { at: 10_000, bytes: 600, lowBytes: 600, highBytes: 600 },
        { at: 40_000, bytes: 750, lowBytes: 650, highBytes: 850 },
      ],
      crossesAt: 70_000,
    });
  });

  it("is absent without a forecast, a sample or points", () => {
    expect(forecastLine(undefined, sample, 600)).toBeUndefined();
    expect(forecastLine(forecast, undefined, 600)).toBeUndefined();
    expect(forecastLine({ ...forecast, points: [] }, sample, 600)).toBeUndefined();
  });

  it("takes at most a quarter of a short window, and nothing of a long one", () => {
    const line = forecastLine(forecast, sample, 600);
    expect(futureMs(line, 600_000)).toBe(30_000);
    expect(futureMs(line, 60_000)).toBe(15_000);
    expect(futureMs(line, 24 * 3_600_000)).toBe(0);
    expect(futureMs(undefined, 600_000)).toBe(0);
  });
});
