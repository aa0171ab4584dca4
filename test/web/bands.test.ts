import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandBytes, gpuBandBytes, loadLineBytes, stackBytes } from "../../web/bands.ts";
import { aLoad, anEstimate, aRunner, aSample, gibibyte, noContext } from "./support.ts";

const machine = { totalBytes: 16 * gibibyte, floorBytes: gibibyte };

describe("bands", () => {
  it("split what is used between other programs and the parts of the runners", () => {
    const runners = [aRunner({ anonymousBytes: 1300 })];
    const sample = aSample({ totalBytes: 9000, availableBytes: 4000, runners });
    const context = { ...noContext, loads: [aLoad({ predicted: anEstimate() })] };
    expect(bandBytes(sample, context)).toEqual({
      other: 3700,
      weights: 1000,
      kvOccupied: 0,
      kvFree: 200,
      compute: 80,
      promptCache: 20,
      rest: 0,
      promptCacheLimit: 500,
    });
  });

  it("put mapped weights on top of what the system counts as used", () => {
    const runners = [aRunner({ anonymousBytes: 200, fileBytes: 1000 })];
    const sample = aSample({ totalBytes: 9000, availableBytes: 4000, runners });
    const context = { ...noContext, loads: [aLoad({ predicted: anEstimate() })] };
    const bytes = bandBytes(sample, context);
    expect(bytes).toMatchObject({ other: 4800, weights: 1000, kvFree: 200 });
    expect(bytes && stackBytes(bytes)).toBe(6000);
  });

  it("name nothing of a runner whose load is not known", () => {
    const sample = aSample({
      totalBytes: 100,
      availableBytes: 0,
      runners: [aRunner({ anonymousBytes: 30 })],
    });
    expect(bandBytes(sample, noContext)).toMatchObject({ other: 70, weights: 0, rest: 30 });
  });

  it("are absent when the sample does not say what is used", () => {
    expect(bandBytes(aSample({ totalBytes: 5 }), noContext)).toBeUndefined();
  });

  it("never go below nothing, even when runners hold more than the machine says is used", () => {
    const runners = [aRunner({ anonymousBytes: 5 })];
    const sample = aSample({ ...machine, availableBytes: 16 * gibibyte, runners });
    expect(bandBytes(sample, noContext)?.other).toBe(0);
  });

  it("end as far below the load line as there is headroom", () => {
    const size = fc.integer({ min: 0, max: 3 * gibibyte });
    fc.assert(
      fc.property(size, size, size, (other, anonymousBytes, fileBytes) => {
        const availableBytes = machine.totalBytes - other - anonymousBytes;
        const headroomBytes = availableBytes - fileBytes - machine.floorBytes;
        const runners = [aRunner({ anonymousBytes, fileBytes })];
        const sample = aSample({ ...machine, availableBytes, headroomBytes, runners });
        const bytes = bandBytes(sample, noContext);
        const stack = bytes ? stackBytes(bytes) : 0;
        expect(loadLineBytes(sample, stack)).toBe(stack + headroomBytes);
      }),
    );
  });

  it("of a container's limit have the line where its headroom ends", () => {
    const limit = { bytes: 4 * gibibyte, usedBytes: gibibyte };
    expect(loadLineBytes(aSample({ ...machine, headroomBytes: 100, limit }), 1000)).toBe(1100);
  });
});

describe("bands of a GPU", () => {
  const gpu = { id: "0", vendor: "nvidia" as const, totalBytes: 8000, usedBytes: 3000 };
  const device = (deviceBytes: number) => ({ hostBytes: 0, deviceBytes });
  const predicted = anEstimate({
    weightsBytes: device(1500),
    kvCacheBytes: device(400),
    computeBytes: device(100),
  });

  it("are what the loads put there, and whatever else is used", () => {
    const context = { ...noContext, loads: [aLoad({ predicted })] };
    expect(gpuBandBytes(aSample({ gpus: [gpu] }), "0", context)).toMatchObject({
      other: 1000,
      weights: 1500,
      kvFree: 400,
      compute: 100,
    });
  });

  it("are not told apart where there are two, nor drawn where none tells", () => {
    const context = { ...noContext, loads: [aLoad({ predicted })] };
    const two = aSample({ gpus: [gpu, { ...gpu, id: "1" }] });
    expect(gpuBandBytes(two, "1", context)).toMatchObject({ other: 3000, weights: 0 });
    expect(gpuBandBytes(aSample(), "0", context)).toBeUndefined();
  });
});
