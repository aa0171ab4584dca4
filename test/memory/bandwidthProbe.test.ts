import { expect, it } from "vitest";

import { measureBandwidth, probeBytes } from "../../src/memory/bandwidthProbe.ts";

const MIB = 1024 ** 2;

it("copies on every thread at once, tells how far it is, and gives a figure a machine can have", async () => {
  const told: number[] = [];
  const probe = await measureBandwidth({
    forMs: 400,
    threadCount: 2,
    sourceBytes: 32 * MIB,
    onProgress: (ratio) => told.push(ratio),
  });
  expect(probe).toMatchObject({ threadCount: 2, bytesTaken: 64 * MIB });
  expect(probe.bytesPerSecond).toBeGreaterThan(1e8);
  expect(probe.bytesPerSecond).toBeLessThan(1e13);
  expect(told.length).toBeGreaterThan(1);
  expect(told).toEqual(told.toSorted((left, right) => left - right));
  expect(told.at(-1)).toBe(1);
});

it("ends at once when it is told to", async () => {
  const leaving = new AbortController();
  const measuring = measureBandwidth({
    forMs: 60_000,
    threadCount: 1,
    sourceBytes: 4 * MIB,
    signal: leaving.signal,
  });
  setTimeout(() => leaving.abort(new Error("enough")), 100);
  await expect(measuring).rejects.toThrow("enough");
});

it("tells what it takes before it takes it", () => {
  expect(probeBytes()).toBe(512 * MIB);
});
