import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { findEvent, replayRun, type ReplayResult } from "../../src/alerts/replayRun.ts";
import { readRecording } from "../../src/cli/replayFiles.ts";
import { makeForecast } from "../../src/predict/forecast.ts";
import { createForecastScores } from "../../src/predict/forecastScore.ts";
import { hostFloorBytes } from "../../src/memory/headroom.ts";
import type { MemorySample } from "../../src/types.ts";

const fixtures = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const silent = () => ({ text: "", causes: [], remedies: [] });

function recorded(name: string) {
  return readRecording(fixtures(`memory-runs/${name}.csv`), { runsPath: fixtures("memory-runs/runs.json") });
}

function captured(name: string, runsPath?: string) {
  return readRecording(fixtures(`swap-captures/${name}.samples.jsonl`), { runsPath });
}

function replayed({ samples, truth }: ReturnType<typeof recorded>): ReplayResult {
  return replayRun(samples, truth, silent);
}

describe("recorded runs", () => {
  it.each([
    ["A1_ramp20_6.1_classic", 40],
    ["A6_ramp20_6.12_zram", 40],
    ["A8_ramp20_6.1_classic_swp10", 40],
    ["A3_ramp5_6.12_mglru", 60],
    ["A4_ramp100_6.12_mglru", 5],
    ["C1_mmap_6.12_swap", 25],
    ["C2_mmap_6.12_noswap", 25],
    ["D1_cg_high_6.12", 10],
  ])("%s is warned of at least %d s ahead, without a false alarm", (name, least) => {
    const result = replayed(recorded(name));
    expect(result.leadSeconds).toBeGreaterThanOrEqual(least);
    expect(result.falseAlarms).toBe(0);
  });

  it("loads and unloads that fit raise nothing at all", () => {
    expect(replayed(recorded("B3_saw_6.12_mglru"))).toEqual({
      event: null,
      eventAtSeconds: null,
      leadSeconds: null,
      falseAlarms: 0,
      episodes: [],
    });
  });

  it("swapping that a stream of files causes is known once files are read again and again", () => {
    const result = replayed(recorded("B1_stream_6.1_classic"));
    expect(result.leadSeconds).toBeGreaterThan(0);
    expect(result.falseAlarms).toBe(0);
  });

  it.each(["A1_ramp20_6.1_classic", "A4_ramp100_6.12_mglru", "B3_saw_6.12_mglru", "C1_mmap_6.12_swap"])(
    "%s shows when swapping began without being told",
    (name) => {
      const { samples, truth } = recorded(name);
      const found = findEvent(samples);
      expect(found.event).toBe(truth.event);
      expect(Math.abs((found.eventAtSeconds ?? 0) - (truth.eventAtSeconds ?? 0))).toBeLessThanOrEqual(1);
    },
  );
});

describe("real runs in a memory group", () => {
  it("a prompt cache that grows is warned of 40 s ahead, although the group's usage stands at its limit", () => {
    const run = captured("promptcache-1480", fixtures("swap-captures/runs.json"));
    const result = replayed(run);
    expect(result).toMatchObject({ event: "swap", eventAtSeconds: 87, falseAlarms: 0 });
    expect(result.leadSeconds).toBeGreaterThanOrEqual(40);
  });

  it("a second model is called before its load begins, from what it needs", () => {
    const result = replayed(captured("second-model-to-swap", fixtures("swap-captures/runs.json")));
    expect(result.leadSeconds).toBe(3);
    expect(result.falseAlarms).toBe(0);
    expect(result.episodes[0]?.reason).toBe("load");
  });

  it("finds the event itself, and the loads in the requests, when nothing is told", () => {
    expect(replayed(captured("second-model-to-swap"))).toMatchObject({
      event: "swap",
      eventAtSeconds: 44,
      leadSeconds: 2.2,
    });
  });
});

describe("a real event, as Plimsoll recorded and exported it", () => {
  it.each(["group-512", "ollama-520"])(
    "%s was warned of before the first swapped page, and is so again",
    (name) => {
      const { samples, truth } = readRecording(fixtures(`real-event/${name}.csv`), {
        runsPath: fixtures("real-event/runs.json"),
      });
      const result = replayRun(samples, truth, silent);
      expect(result).toMatchObject({ event: "swap", falseAlarms: 0 });
      expect(result.leadSeconds).toBeGreaterThanOrEqual(15);
      expect(result.episodes).toHaveLength(1);
      expect(result.episodes[0]).toMatchObject({ level: "swapping", outcome: "hit" });
    },
  );
});

/** The same run on a machine of another size, at another pace, with readings that tremble. */
function changed(samples: readonly MemorySample[], by: { memory: number; time: number; noiseBytes: number }) {
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  return samples.map((sample): MemorySample => {
    const totalBytes = (sample.totalBytes ?? 0) * by.memory;
    const floorBytes = hostFloorBytes(totalBytes);
    const left = ((sample.headroomBytes ?? 0) + (sample.floorBytes ?? 0)) * by.memory;
    const rate = by.memory / by.time;
    return {
      ...sample,
      takenAt: Math.round(sample.takenAt * by.time),
      totalBytes,
      availableBytes: (sample.availableBytes ?? 0) * by.memory,
      headroomBytes: left - floorBytes + (random() - 0.5) * 2 * by.noiseBytes,
      floorBytes,
      swapOutBytesPerSecond: (sample.swapOutBytesPerSecond ?? 0) * rate,
      refaultBytesPerSecond: (sample.refaultBytesPerSecond ?? 0) * rate,
    };
  });
}

describe("runs that were never recorded", () => {
  const variations = [
    { memory: 4, time: 1, noiseBytes: 0 },
    { memory: 16, time: 1, noiseBytes: 40 * 2 ** 20 },
    { memory: 0.5, time: 1, noiseBytes: 0 },
    { memory: 1, time: 2, noiseBytes: 5 * 2 ** 20 },
    { memory: 4, time: 2, noiseBytes: 5 * 2 ** 20 },
  ];

  it.each(variations)("growth is warned of early on another machine: %j", (by) => {
    for (const name of ["A1_ramp20_6.1_classic", "A8_ramp20_6.1_classic_swp10", "C1_mmap_6.12_swap"]) {
      const { samples, truth } = recorded(name);
      const result = replayRun(
        changed(samples, by),
        {
          ...truth,
          eventAtSeconds: (truth.eventAtSeconds ?? 0) * by.time,
          loads: truth.loads.map((load) => ({ ...load, endsAtSeconds: (load.endsAtSeconds ?? 0) * by.time })),
        },
        silent,
      );
      expect(result.leadSeconds, name).toBeGreaterThanOrEqual(40);
      expect(result.falseAlarms, name).toBe(0);
    }
  });

  it.each(variations)("harmless loads stay silent on another machine: %j", (by) => {
    const { samples, truth } = recorded("B3_saw_6.12_mglru");
    expect(replayRun(changed(samples, by), truth, silent).falseAlarms).toBe(0);
  });
});

describe("forecasts of recorded growth", () => {
  const growing = [
    "A1_ramp20_6.1_classic",
    "A3_ramp5_6.12_mglru",
    "A4_ramp100_6.12_mglru",
    "A6_ramp20_6.12_zram",
    "A8_ramp20_6.1_classic_swp10",
    "C1_mmap_6.12_swap",
    "C2_mmap_6.12_noswap",
    "D1_cg_high_6.12",
  ];

  it.each(growing)("%s: better than that it stays as it is", (name) => {
    const { samples, truth } = recorded(name);
    const scores = createForecastScores();
    replayRun(samples, truth, silent, (reading) => {
      scores.came(reading.headroomBytes, reading.atMs);
      const forecast = makeForecast({
        madeAt: reading.atMs,
        floorBytes: reading.leftBytes - reading.headroomBytes,
        ...reading,
        secondsByTrend: reading.signals.secondsByTrend,
        load: reading.load && { ...reading.load, takenBytes: 0 },
      });
      scores.made(forecast, reading.headroomBytes, reading.atMs);
    });
    const summary = scores.summary();
    expect(summary.length).toBeGreaterThan(0);
    for (const { meanErrorBytes, unchangedErrorBytes } of summary) {
      expect(meanErrorBytes).toBeLessThan(unchangedErrorBytes);
    }
  });
});

it("deciding costs little: well under a millisecond for a second of readings", () => {
  const { samples, truth } = recorded("A3_ramp5_6.12_mglru");
  replayRun(samples, truth, silent);
  const times = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage().user;
    replayRun(samples, truth, silent);
    return (process.cpuUsage().user - before) / 1000 / samples.length;
  }).toSorted((a, b) => a - b);
  expect(times[2]).toBeLessThan(0.2);
});
