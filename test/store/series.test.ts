import type { Database } from "better-sqlite3";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { retentionJobs } from "../../src/store/retention.ts";
import { readSeries } from "../../src/store/series.ts";
import type { SampleQuery } from "../../src/store/api.ts";
import type { MemorySample, SamplePoint } from "../../src/types.ts";
import { aSample, anEpisode, startOfTest } from "./support/rows.ts";
import { aDatabase, aWriter, cleanUp, retention } from "./support/stores.ts";

afterEach(cleanUp);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function record(database: Database, samples: readonly MemorySample[]): void {
  aWriter(database)({ samples: [...samples] });
}

/** One sample every `stepMs` from `from` to `to`. */
function samplesBetween(from: number, to: number, stepMs: number): MemorySample[] {
  const samples: MemorySample[] = [];
  for (let takenAt = from; takenAt < to; takenAt += stepMs)
    samples.push(aSample(takenAt, { headroomBytes: 100 }));
  return samples;
}

function clearAt(database: Database, at: number): void {
  for (const job of retentionJobs(at, retention)) while (job(database));
}

function read(database: Database, query: SampleQuery, at = startOfTest): SamplePoint[] {
  return readSeries(database, query, { at, retention });
}

describe("a memory series", () => {
  it("is the samples themselves while they are few enough", () => {
    const database = aDatabase();
    const samples = samplesBetween(startOfTest - 5 * minuteMs, startOfTest, 1000);
    record(database, samples);
    const points = read(database, { from: startOfTest - 5 * minuteMs, to: startOfTest });
    expect(points).toStrictEqual(samples);
  });

  it("answers the last hour in 600 points unless told", () => {
    const database = aDatabase();
    record(database, samplesBetween(startOfTest - 2 * hourMs, startOfTest, 1000));
    const points = read(database, {});
    expect(points.length).toBeGreaterThan(300);
    expect(points.length).toBeLessThanOrEqual(600);
    expect(points[0]?.takenAt).toBeGreaterThan(startOfTest - hourMs - 15_000);
    expect(points.at(-1)?.takenAt).toBeGreaterThan(startOfTest - 15_000);
  });

  it("keeps a dip of one second and a burst of one second at every width", () => {
    const database = aDatabase();
    const samples = samplesBetween(startOfTest - dayMs, startOfTest, 10_000);
    record(database, samples);
    record(database, [
      aSample(startOfTest - 12 * hourMs + 1, { headroomBytes: -5, swapOutBytesPerSecond: 4e8 }),
    ]);
    for (const points of [2, 10, 100, 600]) {
      const series = read(database, { from: startOfTest - dayMs, to: startOfTest, points });
      expect(Math.min(...series.map((point) => point.min?.headroomBytes ?? Infinity))).toBe(-5);
      expect(Math.max(...series.map((point) => point.max?.swapOutBytesPerSecond ?? 0))).toBe(4e8);
      expect(series.every(({ headroomBytes }) => (headroomBytes ?? 0) > 90)).toBe(true);
    }
  });

  it("leaves a gap where nothing was sampled", () => {
    const database = aDatabase();
    record(database, samplesBetween(startOfTest - hourMs, startOfTest - 40 * minuteMs, 1000));
    record(database, samplesBetween(startOfTest - 20 * minuteMs, startOfTest, 1000));
    const points = read(database, { points: 60 });
    const inGap = points.filter(
      ({ takenAt }) => takenAt >= startOfTest - 39 * minuteMs && takenAt < startOfTest - 21 * minuteMs,
    );
    expect(points.length).toBeGreaterThan(20);
    expect(inGap).toEqual([]);
  });

  it("never has more points than asked for, in order, inside the range", () => {
    const database = aDatabase();
    record(database, samplesBetween(startOfTest - 3 * hourMs, startOfTest, 7000));
    const ages = fc.integer({ min: 1, max: 200 * minuteMs });
    fc.assert(
      fc.property(ages, ages, fc.integer({ min: 2, max: 700 }), (a, b, points) => {
        const [from, to] = [startOfTest - Math.max(a, b), startOfTest - Math.min(a, b)];
        const series = read(database, { from, to, points });
        const times = series.map(({ takenAt }) => takenAt);
        const widthMs = (series[0]?.spanSeconds ?? 0) * 1000;
        expect(series.length).toBeLessThanOrEqual(points);
        expect(times).toEqual(times.toSorted((x, y) => x - y));
        expect(times.every((time) => time > from - Math.max(widthMs, 1) && time < to)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("is empty for an empty or backward range", () => {
    const database = aDatabase();
    record(database, samplesBetween(startOfTest - hourMs, startOfTest, 1000));
    expect(read(database, { from: startOfTest, to: startOfTest })).toEqual([]);
    expect(read(database, { from: startOfTest, to: startOfTest - hourMs })).toEqual([]);
    expect(read(database, { from: startOfTest + hourMs, to: startOfTest + 2 * hourMs })).toEqual([]);
  });

  it.each([
    ["raw samples after 5 hours", 5 * hourMs, undefined],
    ["10 s after a day", dayMs, 10],
    ["1 min after a month", 30 * dayMs, 60],
    ["15 min after a year", 365 * dayMs, 900],
  ])("comes from %s, once finer rows are cleared away", (_, ageMs, spanSeconds) => {
    const database = aDatabase();
    const from = startOfTest - ageMs;
    record(database, samplesBetween(from, from + 30 * minuteMs, 2000));
    clearAt(database, startOfTest);
    const points = read(database, { from, to: from + 30 * minuteMs, points: 1000 });
    expect(points[0]?.spanSeconds).toBe(spanSeconds);
    expect(points.every(({ headroomBytes }) => headroomBytes === 100)).toBe(true);
  });

  it("has every second around an episode, however old", () => {
    const database = aDatabase();
    const raised = startOfTest - 30 * dayMs;
    const episode = anEpisode({ startedAt: raised, endedAt: raised + minuteMs });
    aWriter(database)({ episodes: [episode] });
    record(database, samplesBetween(raised - 10 * minuteMs, raised + 10 * minuteMs, 1000));
    clearAt(database, startOfTest);
    const around = read(database, { from: raised - 5 * minuteMs, to: raised + 6 * minuteMs, points: 1000 });
    expect(around).toHaveLength(660);
    expect(around.every(({ spanSeconds }) => spanSeconds === undefined)).toBe(true);
  });
});
