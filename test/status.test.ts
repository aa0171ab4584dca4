import { describe, expect, it } from "vitest";

import { verdictOf } from "../src/status.ts";
import type { Forecast, Health, MemorySample } from "../src/types.ts";

const GIB = 2 ** 30;
const health = { sampler: { state: "on", problems: [] } } as unknown as Health;
const sample = (leftGib: number, more: Partial<MemorySample> = {}): MemorySample => ({
  takenAt: 0,
  totalBytes: 32 * GIB,
  availableBytes: leftGib * GIB,
  headroomBytes: (leftGib - 1) * GIB,
  floorBytes: GIB,
  gpus: [],
  runners: [],
  problems: [],
  ...more,
});
const forecast = (seconds?: number, turns?: number): Forecast => ({
  madeAt: 0,
  points: [],
  causes: [],
  ...(seconds !== undefined && { secondsToSwap: { predicted: seconds } }),
  ...(turns !== undefined && { turnsToSwap: { predicted: turns } }),
});

describe("the verdict", () => {
  it.each([
    [forecast(840, 9.4), " · at this pace in about 14 min or 9 turns"],
    [forecast(48), " · at this pace in about 48 s"],
    [forecast(undefined, 1.2), " · at this pace in about 1 turn"],
    [forecast(undefined, 0.4), " · at this pace in about the next turn"],
    [forecast(), ""],
    [undefined, ""],
  ])("says how long it lasts: %j", (foretold, end) => {
    const { text } = verdictOf({ sample: sample(10.6), live: [], health, forecast: foretold });
    expect(text).toBe(`21.4 of 32 GiB used · 9.6 GiB before swap${end}`);
  });

  it("takes the worse of the reading and the alert", () => {
    const level = (leftGib: number, alertLevel?: "ok" | "watch" | "warn" | "swapping") =>
      verdictOf({ sample: sample(leftGib), live: [], health, alertLevel }).level;
    expect([level(20), level(20, "warn"), level(1, "watch"), level(20, "swapping")]).toEqual([
      "ok",
      "warn",
      "critical",
      "swapping",
    ]);
  });

  it("of memory that cannot be read is unknown, whatever no alert says", () => {
    expect(verdictOf({ sample: undefined, live: [], health, alertLevel: "ok" }).level).toBe("unknown");
    const blind = sample(5, { headroomBytes: undefined });
    expect(verdictOf({ sample: blind, live: [], health, alertLevel: "ok" }).level).toBe("unknown");
  });

  it("while it swaps names no time until it does", () => {
    const { text } = verdictOf({
      sample: sample(10.6, { swapOutBytesPerSecond: 40 * 1024 ** 2 }),
      live: [],
      health,
      forecast: forecast(48),
    });
    expect(text).toMatch(/before swap$/);
  });

  it("past the load line names no time", () => {
    expect(verdictOf({ sample: sample(0.5), live: [], health, forecast: forecast(0) }).text).toMatch(
      /GiB past the load line$/,
    );
  });
});
