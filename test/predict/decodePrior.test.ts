import { describe, expect, it } from "vitest";
import { decodePrior, reachedBandwidth, type DecodePlan } from "../../src/predict/decodePrior.ts";

const GB = 1e9;

function plan(bytes: number, bandwidth: number, more: Partial<DecodePlan> = {}): DecodePlan {
  return {
    reads: [{ bytesPerToken: bytes * GB, bandwidthBytesPerSecond: bandwidth * GB, device: "gpu" }],
    layerCount: 32,
    ...more,
  };
}

/** LLaMA-2 7B and Llama 3.1 8B: GB read a token, GB/s by specification, tokens per second as published. */
const MEASURED: [string, number, number, number][] = [
  ["M1 Pro, F16", 13.21, 200, 12.75],
  ["M1 Max, Q4_0", 3.75, 400, 61.19],
  ["M2 Ultra, F16", 13.21, 800, 41.02],
  ["M2 Ultra, Q4_0", 3.75, 800, 94.27],
  ["M3 Max, Q4_0", 3.75, 400, 66.31],
  ["M4, Q8_0", 7.02, 120, 13.54],
  ["M4 Pro, Q4_0", 3.75, 273, 50.74],
  ["M4 Max, Q4_0", 3.75, 546, 83.06],
  ["M5 Pro, F16", 13.21, 307, 21.55],
  ["RTX 4090, F16", 13.21, 1008, 61.03],
  ["RTX 3080, Q4_K_M", 4.617, 760, 111.95],
  ["M4, Q4_K_M", 4.617, 120, 20.87],
];

describe("before the first answer", () => {
  it.each(MEASURED)("%s is right to 30 %%", (_, bytes, bandwidth, rate) => {
    const predicted = 1000 / (decodePrior(plan(bytes, bandwidth))?.baseMs ?? Number.NaN);
    expect(predicted / rate).toBeGreaterThan(0.7);
    expect(predicted / rate).toBeLessThan(1.3);
  });

  it("a processor reaches what was measured on one", () => {
    const reads = [{ bytesPerToken: 3.8 * GB, bandwidthBytesPerSecond: 20 * GB, device: "cpu" as const }];
    expect(1000 / (decodePrior({ reads, layerCount: 32 })?.baseMs ?? 1)).toBeCloseTo(3.94, 1);
  });

  it("adds the times of two devices", () => {
    const gpu = { bytesPerToken: 2 * GB, bandwidthBytesPerSecond: 1000 * GB, device: "gpu" as const };
    const cpu = { bytesPerToken: 2 * GB, bandwidthBytesPerSecond: 50 * GB, device: "cpu" as const };
    const both = decodePrior({ reads: [gpu, cpu] })?.baseMs ?? 0;
    const sum = (decodePrior({ reads: [gpu] })?.baseMs ?? 0) + (decodePrior({ reads: [cpu] })?.baseMs ?? 0);
    expect(both).toBeCloseTo(sum, 6);
  });

  it("takes a mixture of experts to reach less", () => {
    const dense = decodePrior(plan(2, 400))?.baseMs ?? 0;
    expect(decodePrior(plan(2, 400, { experts: true }))?.baseMs).toBeGreaterThan(dense);
  });

  it("knows a slope only with the cache's bytes", () => {
    expect(decodePrior(plan(4, 400))?.perDepthMs).toBe(0);
    const slope = decodePrior(plan(4, 1008, { kvBytesPerToken: 34_816 }))?.perDepthMs ?? 0;
    // Measured on an RTX 4090 with this cache: 0.1385 µs.
    expect(slope * 1000).toBeGreaterThan(0.07);
    expect(slope * 1000).toBeLessThan(0.28);
  });
});

describe("says nothing", () => {
  it.each([
    ["no reads", { reads: [] }],
    ["no bandwidth", { reads: [{ bytesPerToken: GB, device: "gpu" as const }] }],
    ["a bandwidth of 0", plan(4, 0)],
    ["a negative bandwidth", plan(4, -100)],
    ["no bytes", plan(0, 400)],
    ["bytes that are not a number", plan(Number.NaN, 400)],
    ["infinite bytes", plan(Infinity, 400)],
  ])("with %s", (_, broken) => {
    expect(decodePrior(broken)).toBeUndefined();
  });

  it.each([Number.NaN, -5, Infinity])("but leaves out a cache of %d bytes", (kvBytesPerToken) => {
    expect(decodePrior(plan(4, 400, { kvBytesPerToken }))?.perDepthMs).toBe(0);
  });
});

it("the bandwidth that explains a base time is the one that predicted it", () => {
  const known = plan(4.6, 400);
  expect(reachedBandwidth(known, decodePrior(known)?.baseMs ?? 0)).toBeCloseTo(400 * GB, -3);
});
