import { describe, expect, it } from "vitest";

import { makeForecast, type ForecastInput } from "../../src/predict/forecast.ts";
import { createForecastScores } from "../../src/predict/forecastScore.ts";

const MIB = 2 ** 20;

/** Headroom over the last seconds, in MiB. */
function input(values: readonly number[], more: Partial<ForecastInput> = {}): ForecastInput {
  return {
    madeAt: 1_000_000,
    headroomBytes: (values.at(-1) ?? 0) * MIB,
    floorBytes: 256 * MIB,
    capacityBytes: 4096 * MIB,
    history: values.map((value, index) => ({ atMs: index * 1000, bytes: value * MIB })),
    ...more,
  };
}

const falling = (seconds: number, from: number, step: number): number[] =>
  Array.from({ length: seconds }, (_, index) => from - index * step);
const at = (forecast: ReturnType<typeof makeForecast>, seconds: number): number | undefined => {
  const point = forecast.points.find(({ atSeconds }) => atSeconds === seconds);
  return point === undefined ? undefined : Math.round(point.headroomBytes / MIB);
};

describe("a forecast", () => {
  it("goes on with a fall for about twice as long as it has been seen", () => {
    const forecast = makeForecast(input(falling(21, 2000, 10)));
    expect(at(forecast, 30)).toBe(1500);
    expect(at(forecast, 120)).toBe(1400);
    expect(forecast.secondsToSwap?.predicted).toBe(180);
    const [point] = forecast.points;
    expect(point?.lowBytes).toBeLessThanOrEqual(point?.headroomBytes ?? 0);
    expect(point?.highBytes).toBeGreaterThanOrEqual(point?.headroomBytes ?? 0);
  });

  it("names no time of which the pace has been seen but a moment", () => {
    const soon = (seconds: number) => makeForecast(input(falling(seconds, 4000, 10))).secondsToSwap;
    expect(soon(12)).toBeUndefined();
    expect(soon(31)?.predicted).toBe(370);
    // Proven to last by whoever watches longer.
    expect(makeForecast(input(falling(12, 4000, 10), { secondsByTrend: 390 })).secondsToSwap?.predicted).toBe(
      390,
    );
  });

  it("of level memory is level, and names no time", () => {
    const forecast = makeForecast(input(falling(30, 1000, 0)));
    expect(at(forecast, 120)).toBe(1000);
    expect(forecast.secondsToSwap).toBeUndefined();
  });

  it("stays within what there is", () => {
    expect(at(makeForecast(input(falling(21, 900, 40))), 120)).toBe(-256);
    expect(at(makeForecast(input(falling(60, 100, -60))), 120)).toBe(4096 - 256);
  });

  it("counts a load's rest, and models whose time is up", () => {
    const load = { model: "m", needBytes: 500 * MIB, takenBytes: 100 * MIB, shortBytes: -500 * MIB };
    const loading = makeForecast(input(falling(20, 1000, 5), { load }));
    expect(at(loading, 30)).toBe(905 - 400);
    expect(loading.announced).toMatchObject({ model: "m", needBytes: 500 * MIB });
    expect(loading.causes[0]).toEqual({ name: "m loads", bytes: 500 * MIB });
    const relief = { name: "old", inSeconds: 60, bytes: 800 * MIB };
    const expiring = makeForecast(input(falling(20, 1000, 0), { reliefs: [relief] }));
    expect([at(expiring, 30), at(expiring, 60)]).toEqual([1000, 1800]);
    expect(expiring.causes).toEqual([{ name: "old unloads", bytes: -800 * MIB }]);
  });

  it("counts by turns what grows by turns", () => {
    const turns = {
      bytesPerTurn: 40 * MIB,
      lowBytes: 30 * MIB,
      highBytes: 50 * MIB,
      turnCount: 6,
      secondsPerTurn: 20,
    };
    const forecast = makeForecast(input(falling(15, 400, 0), { turns }));
    expect(forecast.turnsToSwap).toEqual({ predicted: 10, low: 8, high: 13.3 });
    expect(at(forecast, 120)).toBe(400 - 240);
  });

  it("past the floor is now", () => {
    expect(makeForecast(input([-5])).secondsToSwap).toEqual({ predicted: 0 });
  });
});

describe("scores of forecasts", () => {
  it("put each forecast beside what came, and beside no forecast at all", () => {
    const scores = createForecastScores();
    for (let second = 0; second < 100; second += 1) {
      const headroom = (2000 - 10 * second) * MIB;
      const seen = falling(Math.min(second + 1, 60), 2000 - 10 * Math.max(0, second - 59), 10);
      scores.came(headroom, second * 1000);
      scores.made(makeForecast(input(seen)), headroom, second * 1000);
    }
    const [score] = scores.summary();
    expect(score).toMatchObject({ atSeconds: 30, n: 70, unchangedErrorBytes: 300 * MIB });
    expect(score?.meanErrorBytes).toBeLessThan(100 * MIB);
  });

  it("widen the band to what forecasts were wrong by lately", () => {
    const scores = createForecastScores();
    for (let second = 0; second < 200; second += 1) {
      scores.came((second % 60 < 30 ? 1000 : 1400) * MIB, second * 1000);
      scores.made(makeForecast(input([1000])), 1000 * MIB, second * 1000);
    }
    const usualErrors = scores.usualErrors();
    expect(usualErrors[0]).toEqual({ atSeconds: 30, bytes: 400 * MIB });
    const [, point] = makeForecast(input(falling(20, 2000, 0), { usualErrors })).points;
    expect(point).toMatchObject({ lowBytes: 1600 * MIB, highBytes: 2400 * MIB });
  });

  it("forget what was foretold before a sleep", () => {
    const scores = createForecastScores();
    scores.made(makeForecast(input([100])), 100 * MIB, 0);
    scores.restart();
    scores.came(0, 200_000);
    expect(scores.summary()).toEqual([]);
  });
});
