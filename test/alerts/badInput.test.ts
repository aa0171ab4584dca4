import { beforeEach, describe, expect, it } from "vitest";

import { createDetector, type Detector, type Reading } from "../../src/alerts/detector.ts";
import { isCompressedOnly } from "../../src/memory/swapDevices.ts";
import type { MemorySample } from "../../src/types.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TOTAL = 16 * GIB;
const FLOOR = Math.round(0.03 * TOTAL);

let detector: Detector;
let atMs: number;

beforeEach(() => {
  detector = createDetector();
  atMs = 0;
});

function sample(leftBytes: number, more: Partial<MemorySample> = {}): MemorySample {
  return {
    takenAt: 0,
    totalBytes: TOTAL,
    availableBytes: leftBytes,
    headroomBytes: leftBytes - FLOOR,
    floorBytes: FLOOR,
    gpus: [],
    runners: [],
    problems: [],
    ...more,
  };
}

function feed(count: number, left: (second: number) => number, more?: Partial<MemorySample>) {
  let reading: Reading | undefined;
  for (let second = 0; second < count; second += 1) {
    reading = detector.feed(sample(left(second), more), atMs);
    atMs += 1000;
  }
  return reading;
}

const level = (reading: Reading | undefined): string | undefined => reading?.judgement.level;

describe("time that does not flow", () => {
  it("a suspended machine has no pace over its sleep", () => {
    feed(20, () => 12 * GIB);
    atMs += 3_600_000;
    expect(level(feed(5, () => 6 * GIB))).toBe("ok");
    atMs += 11_000;
    expect(feed(1, () => 5 * GIB)?.trend).toBeUndefined();
  });

  it("a clock that goes back, or stands still, divides by nothing", () => {
    feed(20, () => 12 * GIB);
    atMs -= 15_000;
    const reading = feed(12, () => 11 * GIB);
    expect(level(reading)).toBe("ok");
    atMs -= 1000;
    expect(detector.feed(sample(11 * GIB), atMs)?.judgement.level).toBe("ok");
    for (let count = 0; count < 20; count += 1) detector.feed(sample((11 - count / 100) * GIB), atMs);
    expect(detector.feed(sample(10 * GIB), atMs)?.judgement.level).toBe("ok");
  });

  it("readings every five seconds still show growth", () => {
    let seen = "ok";
    for (let step = 0; step < 60 && seen === "ok"; step += 1) {
      seen = level(detector.feed(sample(9 * GIB - step * 160 * MIB), step * 5000)) ?? "ok";
    }
    expect(seen).not.toBe("ok");
  });

  it("four readings a second make no trend of a moment", () => {
    for (let step = 0; step < 12; step += 1) {
      const reading = detector.feed(sample((8 - step / 4) * GIB), step * 250);
      expect(reading?.trend).toBeUndefined();
    }
  });
});

describe("readings with holes", () => {
  it.each(["totalBytes", "headroomBytes", "floorBytes"] as const)("without %s nothing is judged", (name) => {
    expect(detector.feed(sample(GIB, { [name]: undefined }), 0)).toBeUndefined();
    expect(detector.feed(sample(12 * GIB), 1000)?.judgement.level).toBe("ok");
  });

  it("no total is no machine, and not a division by zero", () => {
    expect(detector.feed(sample(GIB, { totalBytes: 0 }), 0)).toBeUndefined();
  });

  it("rates that are not known are not zero pressure and no swap", () => {
    expect(feed(20, () => 12 * GIB)?.signals).toMatchObject({ swapsOut: false, thrashes: false });
  });

  it("MemAvailable of 0 is 0", () => {
    expect(level(feed(2, () => 0))).toBe("critical");
  });

  it("a fall below zero, as mapped weights make it, is critical and nothing worse", () => {
    expect(level(feed(3, () => -2 * GIB))).toBe("critical");
  });
});

describe("machines of all kinds", () => {
  it("negative slopes of nothing are no forecast", () => {
    const reading = feed(30, (second) => 12 * GIB - second);
    expect(level(reading)).toBe("ok");
    expect(reading?.signals.secondsByFastTrend ?? Infinity).toBeGreaterThan(1e6);
  });

  it("a limit that is not the tighter bound changes nothing", () => {
    const limit = { bytes: 64 * GIB, usedBytes: 1 * GIB };
    expect(feed(3, () => 12 * GIB, { limit })?.capacityBytes).toBe(TOTAL);
  });

  it("a group's shares are shares of its limit", () => {
    const limit = { bytes: GIB, usedBytes: 0.85 * GIB };
    const floorBytes = Math.round(0.03 * GIB);
    const left = 0.15 * GIB;
    const reading = feed(3, () => left, { limit, floorBytes, headroomBytes: left - floorBytes });
    expect(reading?.capacityBytes).toBe(GIB);
    expect(level(reading)).toBe("watch");
  });

  it("when another bound takes over, the jump is no growth", () => {
    feed(15, () => 12 * GIB);
    const limit = { bytes: 2 * GIB, usedBytes: 1 * GIB };
    const floorBytes = Math.round(0.06 * GIB);
    const reading = feed(12, () => GIB, { limit, floorBytes, headroomBytes: GIB - floorBytes });
    expect(level(reading)).toBe("ok");
  });

  it("without swap, weights that are read again and again are thrash", () => {
    const hot = {
      availableBytes: 8 * GIB,
      swapTotalBytes: 0,
      refaultBytesPerSecond: 90 * MIB,
      pressureSomeRatio: 0.4,
    };
    expect(level(feed(5, () => 2 * GIB, hot))).toBe("thrashing");
  });

  it("swap-out that does not come back while there is room is only parking", () => {
    const out = { swapOutBytesPerSecond: 60 * MIB, swapInBytesPerSecond: 0 };
    expect(feed(5, () => 9 * GIB, out)?.judgement).toMatchObject({ level: "watch", reason: "parked" });
    expect(level(feed(5, () => 9 * GIB, { ...out, swapInBytesPerSecond: 5 * MIB }))).toBe("swapping");
  });

  it("swapping to compressed memory alone is a level less", () => {
    detector = createDetector({ compressedSwapOnly: () => true });
    expect(level(feed(5, () => 1.2 * GIB, { swapOutBytesPerSecond: 60 * MIB }))).toBe("critical");
  });

  it.each([
    ["Filename Type Size Used Priority\n/dev/zram0 partition 8 0 100\n", true],
    ["Filename\n/dev/zram0 partition 8 0 100\n/swapfile file 8 0 -2\n", false],
    ["Filename\n/dev/sda2 partition 8 0 -2\n", false],
    ["Filename\n", false],
    ["", false],
  ])("knows compressed swap from other: %j", (text, only) => expect(isCompressedOnly(text)).toBe(only));
});
