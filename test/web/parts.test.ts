import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadAt, partsOf } from "../../web/parts.ts";
import { aLoad, anEstimate } from "./support.ts";

const sum = (parts: object) =>
  Object.values(parts).reduce((total: number, bytes: number) => total + bytes, 0);

describe("partsOf", () => {
  const estimate = anEstimate();

  it("divides what a runner holds into what its estimate knows, in the order in which it is filled", () => {
    expect(partsOf(1300, estimate, 0.25)).toEqual({
      weights: 1000,
      kvOccupied: 50,
      kvFree: 150,
      compute: 80,
      promptCache: 20,
      rest: 0,
    });
  });

  it("gives what is beyond the prompt cache's limit no name", () => {
    expect(partsOf(2000, estimate, 1)).toMatchObject({ kvFree: 0, promptCache: 500, rest: 220 });
  });

  it("knows no part without an estimate", () => {
    expect(partsOf(7, undefined, 1)).toMatchObject({ weights: 0, rest: 7 });
  });

  it("takes the device's share where that is asked for", () => {
    const onDevice = anEstimate({ weightsBytes: { hostBytes: 1, deviceBytes: 900 } });
    expect(partsOf(1000, onDevice, 0, "deviceBytes")).toMatchObject({
      weights: 900,
      promptCache: 0,
      rest: 100,
    });
  });

  it("always adds up to what was measured", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.double({ min: -1, max: 2, noNaN: true }), (bytes, ratio) => {
        expect(sum(partsOf(bytes, estimate, ratio))).toBe(bytes);
      }),
    );
  });
});

describe("loadAt", () => {
  const newer = aLoad({ id: "newer", startedAt: 20_000 });
  const older = aLoad({ id: "older", startedAt: 5000, unloadedAt: 19_000 });

  it("is the one that was loaded then", () => {
    expect(loadAt([newer, older], "gemma3:4b", 10_000)?.id).toBe("older");
    expect(loadAt([newer, older], "gemma3:4b", 30_000)?.id).toBe("newer");
    expect(loadAt([newer, older], "gemma3:4b", 1000)).toBeUndefined();
    expect(loadAt([newer, older], "other", 30_000)).toBeUndefined();
  });
});
