import { describe, expect, it } from "vitest";
import type { SamplePoint } from "../../src/types.ts";
import { bytesAt, momentWords, summaryWords } from "../../web/chartWords.ts";
import { formatTime } from "../../web/format.ts";
import { appendSample, pointsPerWindow } from "../../web/samples.ts";
import { toGpuSeries, toSeries as seriesOf } from "../../web/series.ts";
import { aLoad, anEstimate, aRunner, aSample, gibibyte, noContext } from "./support.ts";

const toSeries = (points: SamplePoint[], context = noContext) => seriesOf(points, context);

const point = (seconds: number, overrides: Partial<SamplePoint> = {}): SamplePoint =>
  aSample({
    takenAt: seconds * 1000,
    totalBytes: 16 * gibibyte,
    availableBytes: 10 * gibibyte,
    headroomBytes: 9 * gibibyte,
    floorBytes: gibibyte,
    ...overrides,
  });

describe("toSeries", () => {
  it("stacks the bands, bottom first", () => {
    const series = toSeries([point(1, { runners: [aRunner({ anonymousBytes: gibibyte })] })]);
    expect(series.kinds).toEqual(["other", "rest"]);
    expect(series.edges.map((column) => (column[0] ?? 0) / gibibyte)).toEqual([5, 6]);
    expect(series.loadLine).toEqual([15 * gibibyte]);
    expect(series.totalBytes).toBe(16 * gibibyte);
  });

  it("puts a row of nothing into a gap, and names it", () => {
    const series = toSeries([point(1), point(2), point(10), point(11)]);
    expect(series.times).toEqual([1000, 2000, 2001, 10_000, 11_000]);
    expect(series.edges[0]?.map((edge) => edge !== null)).toEqual([true, true, false, true, true]);
    expect(series.gaps).toEqual([{ from: 2000, to: 10_000 }]);
  });

  it("does not call a late sample a gap, nor the usual distance of rolled-up points", () => {
    expect(toSeries([point(1), point(2), point(6), point(7)]).gaps).toEqual([]);
    expect(toSeries([point(0), point(60), point(120), point(240)]).gaps).toEqual([]);
    expect(toSeries([point(0), point(60), point(120), point(400)]).gaps).toHaveLength(1);
  });

  it("shows the burst that a rolled-up point had, not its average", () => {
    const series = toSeries([point(0, { swapOutBytesPerSecond: 1, max: { swapOutBytesPerSecond: 90 } })]);
    expect(series.swapOut).toEqual([90]);
  });

  it("draws nothing where a sample does not say what is used", () => {
    const series = toSeries([point(0, { availableBytes: undefined, swapUsedBytes: undefined })]);
    expect(series.edges).toEqual([[null]]);
    expect(series.loadLine).toEqual([null]);
    expect(series.swapUsed).toEqual([null]);
  });

  it("leaves out bands that are too thin, and lets what lies above them stand on top", () => {
    const split = (bytes: number) => ({ hostBytes: bytes * gibibyte, deviceBytes: 0 });
    const predicted = anEstimate({
      weightsBytes: split(1),
      kvCacheBytes: split(0),
      computeBytes: split(0.001),
      promptCacheLimitBytes: 4 * gibibyte,
    });
    const context = { ...noContext, loads: [aLoad({ predicted })] };
    const series = toSeries([point(1, { runners: [aRunner({ anonymousBytes: 2 * gibibyte })] })], context);
    expect(series.kinds).toEqual(["other", "weights", "promptCache"]);
    expect(series.edges.map((column) => (column[0] ?? 0) / gibibyte)).toEqual([4, 5, 6]);
    expect((series.cacheLimit[0] ?? 0) / gibibyte).toBeCloseTo(9, 2);
    expect(series.promptCacheLimitBytes).toBe(4 * gibibyte);
  });

  it("of a GPU is pinned to its memory and has no load line", () => {
    const gpus = [{ id: "0", vendor: "amd" as const, totalBytes: 8 * gibibyte, usedBytes: 3 * gibibyte }];
    const series = toGpuSeries([point(1, { gpus }), point(2)], "0", noContext);
    expect(series.totalBytes).toBe(8 * gibibyte);
    expect(series.edges).toEqual([[3 * gibibyte, null]]);
    expect(series.loadLine).toEqual([null, null]);
  });

  it("of nothing is empty", () => {
    expect(toSeries([])).toMatchObject({ times: [], gaps: [], totalBytes: undefined });
  });
});

describe("appendSample", () => {
  const span = 600_000;

  it("adds each second to a short window and drops what has left it", () => {
    const points = Array.from({ length: 600 }, (_, index) => point(index));
    const next = appendSample(points, point(600), span);
    expect(next[0]?.takenAt).toBe(1000);
    expect(next.at(-1)?.takenAt).toBe(600_000);
    expect(next).toHaveLength(600);
  });

  it("keeps a long window short, and in it every dip and burst", () => {
    const day = 24 * 3_600_000;
    let points: SamplePoint[] = [];
    for (let second = 0; second < 3600; second += 1) {
      const dip = second === 1000 ? 1 : 9 * gibibyte;
      const burst = second === 1001 ? 77 : 0;
      points = appendSample(points, point(second, { headroomBytes: dip, swapOutBytesPerSecond: burst }), day);
    }
    expect(points.length).toBeLessThan(pointsPerWindow / 20);
    const lowest = points.map((sample) => sample.min?.headroomBytes ?? sample.headroomBytes ?? 0);
    expect(Math.min(...lowest)).toBe(1);
    const highest = points.map(
      (sample) => sample.max?.swapOutBytesPerSecond ?? sample.swapOutBytesPerSecond ?? 0,
    );
    expect(Math.max(...highest)).toBe(77);
  });

  it("does not add a sample twice", () => {
    const points = [point(1), point(2)];
    expect(appendSample(points, point(2), span)).toHaveLength(2);
  });
});

describe("the chart in words", () => {
  const points = [point(1, { headroomBytes: 2 * gibibyte }), point(2), point(30)];
  const series = toSeries(points);

  it("sums the window up, its gap included", () => {
    expect(summaryWords(series, points)).toBe(
      `6 GiB of 16 GiB used now; at worst 2 GiB before swap at ${formatTime(1000)}. ` +
        `No samples from ${formatTime(2000)} to ${formatTime(30_000)}.`,
    );
    expect(summaryWords(toSeries([]), [])).toBe("No samples yet.");
  });

  it("says when the forecast reaches swap", () => {
    const forecast = { points: [], crossesAt: 30_000 + 4 * 60_000 };
    expect(summaryWords(series, points, forecast)).toContain("expected to reach swap in about 4 min.");
  });

  it("tells the bytes of one moment, and that there are none in a gap", () => {
    expect(bytesAt(series, 2000)).toEqual([6 * gibibyte]);
    expect(momentWords(series, 2000)).toBe("other programs 6 GiB");
    expect(bytesAt(series, 2001)).toBeUndefined();
    expect(momentWords(series, 2001)).toBe("no sample");
    expect(bytesAt(series, 2000.5)).toEqual([6 * gibibyte]);
    expect(bytesAt(series, 1)).toBeUndefined();
  });

  it("tells the latest where no moment is chosen", () => {
    expect(bytesAt(series, undefined)).toEqual([6 * gibibyte]);
  });
});
