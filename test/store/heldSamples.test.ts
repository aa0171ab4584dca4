import { describe, expect, it } from "vitest";
import { createHeldSamples } from "../../src/store/heldSamples.ts";
import type { MemorySample } from "../../src/types.ts";

function holding() {
  const saved: number[] = [];
  const held = createHeldSamples(({ takenAt }) => saved.push(takenAt));
  let second = 0;
  return {
    saved,
    held,
    seconds(count: number, swapsNow: boolean) {
      for (let i = 0; i < count; i += 1) {
        const sample: MemorySample = { takenAt: second, gpus: [], runners: [], problems: [] };
        held.save(sample, swapsNow, second * 1000);
        second += 1;
      }
    },
  };
}

describe("readings", () => {
  it("are written at once while nothing swaps", () => {
    const { saved, seconds } = holding();
    seconds(10, false);
    expect(saved).toHaveLength(10);
  });

  it("wait in memory while the machine swaps and in its pauses, and are all written afterwards, in order", () => {
    const { saved, seconds } = holding();
    seconds(10, false);
    seconds(5, true);
    seconds(8, false);
    seconds(5, true);
    expect(saved).toHaveLength(10);
    seconds(12, false);
    expect(saved).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  it("wait for ten minutes at most, however long it swaps", () => {
    const { saved, seconds } = holding();
    seconds(700, true);
    expect(saved.length).toBeGreaterThanOrEqual(600);
  });

  it("are written when the program ends", () => {
    const { saved, held, seconds } = holding();
    seconds(3, true);
    expect(saved).toEqual([]);
    held.release();
    expect(saved).toEqual([0, 1, 2]);
  });
});
