import { describe, expect, it } from "vitest";
import { findDecodeChange } from "../../src/predict/decodeChange.ts";
import type { DecodeObservation } from "../../src/predict/decodeFit.ts";
import { createRandom } from "./guessSimulated.ts";

const DEPTHS = [300, 2000, 5000, 9000, 14_000, 700];

function answers(
  count: number,
  {
    baseMs,
    perDepthMs,
    seed = 1,
    depths = DEPTHS,
  }: {
    baseMs: number;
    perDepthMs: number;
    seed?: number;
    depths?: number[];
  },
): DecodeObservation[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const depthTokens = depths[index % depths.length] ?? 0;
    const noise = 1 + 0.06 * (random() - 0.5);
    return { depthTokens, steps: 100, msPerToken: (baseMs + perDepthMs * depthTokens) * noise };
  });
}

const usual = { baseMs: 20, perDepthMs: 0.0006 };

describe("a change of speed", () => {
  it.each([
    ["the chip throttles: all parts slower alike", { baseMs: 30, perDepthMs: 0.0009 }, "base", "slower"],
    ["layers spill to the CPU: the base rises", { baseMs: 45, perDepthMs: 0.0006 }, "base", "slower"],
    ["flash attention is lost: depth costs more", { baseMs: 20, perDepthMs: 0.0025 }, "per-depth", "slower"],
    ["another program has ended", { baseMs: 12, perDepthMs: 0.000_36 }, "base", "faster"],
  ])("%s", (_, changed, part, direction) => {
    const found = findDecodeChange([...answers(15, usual), ...answers(6, { ...changed, seed: 2 })]);
    expect(found).toMatchObject({ part, direction });
  });

  it("tells what was expected and what is, at the depth of the answers", () => {
    const found = findDecodeChange([
      ...answers(15, usual),
      ...answers(6, { baseMs: 40, perDepthMs: 0.0012, seed: 2 }),
    ]);
    expect((found?.actualMs ?? 0) / (found?.expectedMs ?? 1)).toBeCloseTo(2, 0);
    expect(found?.depthTokens).toBeGreaterThan(300);
  });

  it("is unclear when all answers since lie at one depth", () => {
    const deep = answers(6, { baseMs: 40, perDepthMs: 0.0006, seed: 2, depths: [9000] });
    expect(findDecodeChange([...answers(15, usual), ...deep])?.part).toBe("unclear");
  });
});

describe("no change", () => {
  it.each([1, 2, 3, 4, 5])("in steady traffic (history %i)", (seed) => {
    expect(findDecodeChange(answers(40, { ...usual, seed }))).toBeUndefined();
  });

  it("after one slow answer, or two", () => {
    const slow = answers(2, { baseMs: 60, perDepthMs: 0.0006 });
    expect(findDecodeChange([...answers(20, usual), ...slow])).toBeUndefined();
  });

  it("without enough answers before it", () => {
    const few = [...answers(7, usual), ...answers(6, { baseMs: 60, perDepthMs: 0.0006 })];
    expect(findDecodeChange(few)).toBeUndefined();
  });

  it("when a chat merely gets deep", () => {
    const shallow = answers(20, { ...usual, depths: [100, 600, 1200] });
    const deep = answers(6, { ...usual, seed: 2, depths: [3000, 3500, 4000] });
    expect(findDecodeChange([...shallow, ...deep])).toBeUndefined();
  });
});
