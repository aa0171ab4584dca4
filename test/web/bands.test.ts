import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandBytes, bandsOf, loadLineBytes } from "../../web/bands.ts";
import { aRunner, aSample, gibibyte } from "./support.ts";

const machine = { totalBytes: 16 * gibibyte, floorBytes: gibibyte };
const sum = (values: number[] = []) => values.reduce((total, value) => total + value, 0);

describe("bands", () => {
  it("split what is used between other programs and each model, held below mapped", () => {
    const runners = [
      aRunner({ pid: 1, model: "b", anonymousBytes: 2 * gibibyte }),
      aRunner({ pid: 2, model: "a", anonymousBytes: gibibyte, fileBytes: 3 * gibibyte }),
    ];
    const sample = aSample({ ...machine, availableBytes: 10 * gibibyte, runners });
    const bands = bandsOf([sample]);
    expect(bands.map((band) => band.label)).toEqual(["other programs", "a", "a, mapped from file", "b"]);
    expect(bandBytes(sample, bands)?.map((bytes) => bytes / gibibyte)).toEqual([3, 1, 3, 2]);
  });

  it("count a little mapped memory with the model instead of drawing a line for it", () => {
    const runners = [aRunner({ anonymousBytes: gibibyte, fileBytes: 14 * 1024 ** 2 })];
    const sample = aSample({ ...machine, availableBytes: 10 * gibibyte, runners });
    const bands = bandsOf([sample]);
    expect(bands.map((band) => band.label)).toEqual(["other programs", "gemma3:4b"]);
    expect(bandBytes(sample, bands)?.[1]).toBe(gibibyte + 14 * 1024 ** 2);
  });

  it("add up runners of one model, and name a runner without a model by its process", () => {
    const runners = [
      aRunner({ pid: 1, anonymousBytes: 1 }),
      aRunner({ pid: 2, anonymousBytes: 2 }),
      aRunner({ pid: 3, model: undefined, anonymousBytes: 4 }),
    ];
    const sample = aSample({ ...machine, availableBytes: 0, runners });
    const bands = bandsOf([sample]);
    expect(bands.map((band) => band.label)).toEqual(["other programs", "gemma3:4b", "runner 3"]);
    expect(bandBytes(sample, bands)?.slice(1)).toEqual([3, 4]);
  });

  it("give the three largest of many models their own and put the others together", () => {
    const runners = [5, 1, 4, 2, 3].map((size, index) =>
      aRunner({ pid: index, model: `model-${size}`, anonymousBytes: size }),
    );
    const sample = aSample({ ...machine, availableBytes: 0, runners });
    const bands = bandsOf([sample]).filter((band) => band.kind === "anonymous");
    expect(bands.map((band) => band.label)).toEqual(["model-3", "model-4", "model-5", "other models"]);
    expect(bandBytes(sample, bands)).toEqual([3, 4, 5, 3]);
  });

  it("are absent when the sample does not say what is used", () => {
    expect(bandBytes(aSample({ totalBytes: 5 }), bandsOf([]))).toBeUndefined();
  });

  it("never go below nothing, even when runners hold more than the machine says is used", () => {
    const sample = aSample({
      ...machine,
      availableBytes: 16 * gibibyte,
      runners: [aRunner({ anonymousBytes: 5 })],
    });
    expect(bandBytes(sample, bandsOf([sample]))).toEqual([0, 5]);
  });
});

describe("the load line", () => {
  it("lies exactly the headroom above the stack, where headroom is available less mapped less floor", () => {
    const bytes = fc.integer({ min: 0, max: 4 * gibibyte });
    fc.assert(
      fc.property(bytes, bytes, bytes, (anonymousBytes, fileBytes, otherBytes) => {
        const availableBytes = machine.totalBytes - otherBytes - anonymousBytes;
        const headroomBytes = availableBytes - fileBytes - machine.floorBytes;
        const sample = aSample({
          ...machine,
          availableBytes,
          headroomBytes,
          runners: [aRunner({ anonymousBytes, fileBytes })],
        });
        const stack = sum(bandBytes(sample, bandsOf([sample])));
        expect(loadLineBytes(sample, stack)).toBe(stack + headroomBytes);
        expect(loadLineBytes(sample, stack)).toBe(15 * gibibyte);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it("follows a container's limit where one binds", () => {
    const sample = aSample({ ...machine, headroomBytes: 100, limit: { bytes: 1000, usedBytes: 900 } });
    expect(loadLineBytes(sample, 5000)).toBe(5100);
  });

  it("is unknown where neither floor nor headroom is known", () => {
    expect(loadLineBytes(aSample(), 5)).toBeUndefined();
  });
});
