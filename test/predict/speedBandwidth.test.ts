import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandwidthOf } from "../../src/predict/speedBandwidth.ts";

describe("a chip's memory bandwidth", () => {
  it.each([
    ["Apple M1", 68],
    ["Apple M4 Pro", 273],
    ["Apple M3 Max", 350],
    ["Apple M2 Ultra", 800],
    ["AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", 256],
    ["AMD Ryzen(TM) AI Max+ PRO 395", 256],
    ["NVIDIA GeForce RTX 4090", 1008],
    ["NVIDIA GeForce RTX 4070 Ti SUPER", 672],
    ["NVIDIA GeForce RTX 4070", 504],
    ["NVIDIA RTX 6000 Ada Generation", 960],
    ["NVIDIA A100-SXM4-80GB", 2039],
    ["NVIDIA H200", 4800],
    ["Intel(R) Arc(TM) A770 Graphics", 560],
    ["AMD Radeon RX 7900 XTX", 960],
    ["Radeon RX 7900 XT", 800],
  ])("%s: %d GB/s", (name, gigabytes) => {
    expect(bandwidthOf(name)?.bytesPerSecond).toBe(gigabytes * 1e9);
  });

  it("has a low and a high where one name covers variants", () => {
    expect(bandwidthOf("Apple M4 Max")).toEqual({
      bytesPerSecond: 478e9,
      lowBytesPerSecond: 410e9,
      highBytesPerSecond: 546e9,
      kind: "unified",
      chip: "Apple M4 Max",
      source: "apple.com/specs",
    });
  });

  it.each([
    ["a processor with memory modules", "AMD Ryzen 9 5900X 12-Core Processor"],
    ["an Intel one", "13th Gen Intel(R) Core(TM) i7-13700K"],
    ["a notebook edition", "NVIDIA GeForce RTX 4090 Laptop GPU"],
    ["an unknown card", "NVIDIA GeForce RTX 9990"],
    ["a longer number", "NVIDIA A1000"],
    ["nothing", ""],
  ])("is not known of %s", (_, name) => {
    expect(bandwidthOf(name)).toBeUndefined();
  });

  it("is never read from nonsense with an error", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(() => bandwidthOf(name)).not.toThrow();
      }),
    );
  });
});
