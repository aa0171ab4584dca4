import { describe, expect, it } from "vitest";
import { excessOf } from "../../bench/cases/bigRequest.ts";
import { readOptions, UsageError } from "../../bench/run/options.ts";

const CONTEXT = { known: ["idle", "first-byte"], resultsDirectory: "/results" };

function read(...args: string[]) {
  return readOptions(args, CONTEXT);
}

describe("readOptions", () => {
  it("by default measures everything and writes it down", () => {
    expect(read()).toMatchObject({
      quick: false,
      cases: [],
      seed: 1,
      uploadBytes: 4e9,
      withNpmTargets: false,
      busyOk: false,
      output: "/results",
    });
  });

  it.each([["--quick"], ["--case=idle"], ["--target=nginx"]])(
    "does not write the results of a part of a run (%s)",
    (flag) => {
      expect(read(flag).output).toBeUndefined();
      expect(read(flag, "--output", "elsewhere").output).toBe("elsewhere");
    },
  );

  it("takes several cases and numbers in the scientific notation", () => {
    expect(read("--case", "idle", "--case", "first-byte", "--upload-bytes", "20e9")).toMatchObject({
      cases: ["idle", "first-byte"],
      uploadBytes: 20e9,
    });
  });

  it.each([
    [["--case", "speed"], /speed.*idle, first-byte/],
    [["--rounds", "0"], /--rounds 0.*1 or more/],
    [["--seed", "x"], /--seed x/],
    [["--fast"], /--fast/],
    [["idle"], /idle/],
  ])("refuses %j and names it", (args, message) => {
    expect(() => read(...args)).toThrow(UsageError);
    expect(() => read(...args)).toThrow(message);
  });
});

describe("excessOf", () => {
  const streams = (chunks: [number, number][]) => ({
    sentAtMs: Float64Array.from(chunks, ([sentMs]) => sentMs),
    delaysMs: Float64Array.from(chunks, ([, delayMs]) => delayMs),
    mergedCount: 0,
  });

  it("is the delay during a large request and its afterwork, over the median of quiet chunks", () => {
    const found = excessOf(
      streams([
        [0, 1],
        [10, 3],
        [1000, 2],
        [1100, 9],
        [1390, 5],
        [2000, 2],
      ]),
      [[990, 1120]],
    );
    expect(found["quietP50Ms"]).toBe(2);
    expect(found["excessMaxMs"]).toBe(7);
    expect(found["excessP99Ms"]).toBeCloseTo(6.92);
  });

  it("fails when no chunk was disturbed: that would look like a perfect result", () => {
    expect(() => excessOf(streams([[0, 1]]), [[990, 1120]])).toThrow("no chunks were sent both");
  });
});
