import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../src/demo/engine/catalogue.ts";
import type { SimulatedModel } from "../../src/demo/engine/models.ts";
import { MEBIBYTE, PROMPT_CACHE_LIMIT_BYTES, stateBytes } from "../../src/demo/engine/sizes.ts";
import { createSlot, type Slot } from "../../src/demo/engine/slot.ts";

function modelNamed(name: string): SimulatedModel {
  const model = CATALOGUE.find((each) => each.name === name);
  if (model === undefined) throw new Error(`no ${name}`);
  return model;
}

const llama = modelNamed("llama3.1:8b");
const gemma = modelNamed("gemma3:270m");

/** Tokens that no other run shares. */
function run(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from * 1_000_000 + index);
}

function llamaSlot(contextLength = 8192): Slot {
  return createSlot(llama, { contextLength, canShift: true });
}

describe("slot", () => {
  it("computes a growing prompt's new tokens only", () => {
    const slot = llamaSlot();
    expect(slot.take(run(1, 400)).cachedTokens).toBe(0);
    for (const token of run(2, 50)) slot.append(token);
    const next = [...run(1, 400), ...run(2, 50), ...run(3, 300)];
    expect(slot.take(next).cachedTokens).toBe(450);
    expect(slot.promptCacheBytes()).toBe(0);
  });

  it("computes at least the last token of a prompt it has seen", () => {
    const slot = llamaSlot();
    slot.take(run(1, 400));
    expect(slot.take(run(1, 400)).cachedTokens).toBe(399);
  });

  it("keeps a copy of what another prompt pushes out, as large as its tokens", () => {
    const slot = llamaSlot();
    slot.take(run(1, 1500));
    slot.take(run(2, 1500));
    expect(slot.promptCacheBytes()).toBe(stateBytes(llama, 1500));
    expect(stateBytes(llama, 1)).toBe(128 * 1024);
  });

  it("takes the copy back when its chat goes on, so that the memory goes with it", () => {
    const slot = llamaSlot();
    slot.take(run(1, 1500));
    slot.take(run(2, 1200));
    expect(slot.take([...run(1, 1500), ...run(3, 80)]).cachedTokens).toBe(1500);
    expect(slot.promptCacheBytes()).toBe(stateBytes(llama, 1200));
  });

  it("gains nothing from a copy whose beginning differs, and still keeps it", () => {
    const slot = llamaSlot();
    const dropped = (turn: number): number[] => [...run(0, 40), ...run(turn, 7700)];
    slot.take(dropped(1));
    expect(slot.take(dropped(2)).cachedTokens).toBe(40);
    expect(slot.take(dropped(3)).cachedTokens).toBe(40);
    expect(slot.promptCacheBytes()).toBe(2 * stateBytes(llama, 7740));
  });

  it("drops the oldest copies beyond eight gibibytes", () => {
    const slot = llamaSlot();
    for (let turn = 1; turn <= 14; turn += 1) slot.take(run(turn, 8000));
    expect(slot.promptCacheBytes()).toBeLessThanOrEqual(PROMPT_CACHE_LIMIT_BYTES);
    expect(slot.promptCacheBytes()).toBe(8 * stateBytes(llama, 8000));
  });

  it("forgets the oldest half when the window is full, if the model can", () => {
    const slot = llamaSlot(256);
    slot.take(run(1, 250));
    for (const token of run(2, 10)) expect(slot.append(token)).toBe(true);
    expect(slot.tokens()).toBe(256 - Math.floor((256 - 5) / 2) + 4);
  });

  it("says that the window is full if it cannot", () => {
    const slot = createSlot(gemma, { contextLength: 256, canShift: false });
    slot.take(run(1, 255));
    expect([slot.append(1), slot.append(2)]).toEqual([true, false]);
    expect(slot.tokens()).toBe(256);
  });

  it("cannot go back in a sliding window further than it reaches", () => {
    const slot = createSlot(gemma, { contextLength: 8192, canShift: false });
    slot.take([...run(1, 2000), ...run(2, 400)]);
    expect(slot.take([...run(1, 2000), ...run(3, 300)]).cachedTokens).toBe(2000);
    slot.take([...run(1, 2000), ...run(2, 3000)]);
    expect(slot.take([...run(1, 4000)]).cachedTokens).toBe(0);
  });

  it("counts checkpoints of a sliding-window model: 7.5 MiB each as recorded, and in the copy too", () => {
    const slot = createSlot(gemma, { contextLength: 8192, canShift: false });
    slot.take(run(1, 7819));
    expect(slot.checkpointBytes() / MEBIBYTE).toBeCloseTo(15, 1);
    slot.take(run(2, 7819));
    expect(slot.promptCacheBytes() / MEBIBYTE).toBeCloseTo(45.5, 0);
  });

  it("keeps what was computed of a prompt that was broken off", () => {
    const slot = llamaSlot();
    slot.take(run(1, 1000));
    slot.cut(600);
    expect(slot.take(run(1, 1000)).cachedTokens).toBe(600);
  });
});
