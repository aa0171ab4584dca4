import { expect, it } from "vitest";

import { noisyMemory } from "../../bench/alerts/noise.ts";
import { replayRun } from "../../src/alerts/replayRun.ts";

const GIB = 2 ** 30;
const silent = () => ({ text: "", causes: [], remedies: [] });

it.each([
  [1, 16 * GIB],
  [5, 64 * GIB],
])(
  "a day of browsing, building and backing up without swap raises at most one false warning (seed %d)",
  (seed, totalBytes) => {
    const samples = [...noisyMemory({ hours: 24, seed, totalBytes })];
    const lowest = Math.min(...samples.map(({ availableBytes = 0 }) => availableBytes / totalBytes));
    expect(lowest).toBeLessThan(0.25);
    const nothing = { event: null, loads: [], turnsAtSeconds: [] };
    expect(replayRun(samples, nothing, silent).falseAlarms).toBeLessThanOrEqual(1);
  },
  120_000,
);

it("growth is still warned of on a machine that is restless", () => {
  const samples = [...noisyMemory({ hours: 2, seed: 3 })];
  const last = samples.at(-1);
  const growing = Array.from({ length: 240 }, (_, second) => {
    const left = Math.max(0, (last?.availableBytes ?? 0) - second * 40 * 2 ** 20);
    return {
      ...samples[0]!,
      takenAt: (last?.takenAt ?? 0) + (second + 1) * 1000,
      availableBytes: left,
      headroomBytes: left - (samples[0]?.floorBytes ?? 0),
      swapOutBytesPerSecond: left === 0 ? 40 * 2 ** 20 : 0,
    };
  });
  const eventAtSeconds = (growing.find(({ availableBytes }) => availableBytes === 0)?.takenAt ?? 0) / 1000;
  const truth = { event: "swap" as const, eventAtSeconds, loads: [], turnsAtSeconds: [] };
  const result = replayRun([...samples, ...growing], truth, silent);
  expect(eventAtSeconds).toBeGreaterThan(7200);
  expect(result.leadSeconds).toBeGreaterThanOrEqual(40);
});
