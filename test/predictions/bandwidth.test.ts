import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  deviceBandwidth,
  hostBandwidth,
  parseMeasuredBandwidth,
  type MeasuredBandwidth,
} from "../../src/predictions/bandwidth.ts";
import type { Machine } from "../../src/types.ts";

const machine: Machine = {
  osName: "Linux",
  architecture: "x64",
  coreCount: 8,
  totalBytes: 32e9,
  gpuNames: [],
};
const measured: MeasuredBandwidth = {
  bytesPerSecond: 41e9,
  measuredAt: Date.UTC(2026, 0, 31, 12),
  threadCount: 8,
  machine: "desk",
};

describe("of the processor's memory", () => {
  it("is what was measured, whatever the chip is called", () => {
    expect(hostBandwidth({ ...machine, cpuModel: "Apple M2 Max" }, measured)).toEqual({
      bytesPerSecond: 41e9,
      source: "as measured here on 2026-01-31",
      measured: true,
    });
  });

  it("is the chip's by its name, else that of two modules at once", () => {
    const modules = { memoryTransfersPerSecond: 5600e6, memoryModuleCount: 4, memoryType: "DDR5" };
    expect(hostBandwidth({ ...machine, ...modules, cpuModel: "Apple M2 Max" }, undefined)).toMatchObject({
      bytesPerSecond: 400e9,
      measured: false,
    });
    expect(hostBandwidth({ ...machine, ...modules }, undefined)).toEqual({
      bytesPerSecond: 89.6e9,
      source: "DDR5 modules, two at once",
      measured: false,
    });
    expect(hostBandwidth({ ...machine, ...modules, memoryModuleCount: 1 }, undefined)?.bytesPerSecond).toBe(
      44.8e9,
    );
    expect(hostBandwidth(machine, undefined)).toBeUndefined();
    expect(hostBandwidth(undefined, undefined)).toBeUndefined();
  });
});

it("of a graphics card is its own; what shares the processor's memory has that in its name", () => {
  expect(
    deviceBandwidth({ ...machine, gpuNames: ["NVIDIA GeForce RTX 4090"] }, measured)?.bytesPerSecond,
  ).toBe(1008e9);
  expect(deviceBandwidth({ ...machine, cpuModel: "Apple M2 Max" }, measured)?.bytesPerSecond).toBe(400e9);
  expect(deviceBandwidth(machine, measured)?.bytesPerSecond).toBe(41e9);
});

describe("a measured figure in the record", () => {
  it("comes back as it was kept, on the machine that it was measured on", () => {
    expect(parseMeasuredBandwidth(JSON.stringify(measured), "desk")).toEqual(measured);
    expect(parseMeasuredBandwidth(JSON.stringify(measured), "laptop")).toBeUndefined();
  });

  it("is not believed when it cannot be", () => {
    const broken = [0, -1, 1e6, 1e20, "41e9", null].map((bytesPerSecond) => ({
      ...measured,
      bytesPerSecond,
    }));
    for (const value of [...broken, { ...measured, measuredAt: "yesterday" }, [], null, 7]) {
      expect(parseMeasuredBandwidth(JSON.stringify(value), "desk")).toBeUndefined();
    }
    expect(parseMeasuredBandwidth(undefined, "desk")).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseMeasuredBandwidth(text, "desk")).toBeUndefined();
      }),
    );
  });
});
