import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPromptCache, entryBytes, stateCostOf } from "../../src/predict/promptCache.ts";

const MIB = 2 ** 20;
const LLAMA = { fullBytesPerToken: 32 * 1024, slidingBytesPerToken: 0, windowTokens: 0, fixedBytes: 0 };
const GEMMA = { fullBytesPerToken: 3072, slidingBytesPerToken: 15_360, windowTokens: 512, fixedBytes: 0 };

describe("the copy of a prompt", () => {
  it.each([
    // "saving prompt with length 1533, total state size = 47.924 MiB", and "3 checkpoints, 51.690 MiB"
    ["llama, 1533 tokens", LLAMA, 1533, 0, 47.924],
    ["gemma3, 7765 tokens, 3 checkpoints", GEMMA, 7765, 3, 51.69],
    ["gemma3, 7820 tokens, 2 checkpoints", GEMMA, 7820, 2, 45.518],
  ])("%s: as llama-server's log says, within 2.5 %%", (_, cost, tokens, checkpoints, mebibytes) => {
    expect(Math.abs(entryBytes(cost, tokens, checkpoints) / MIB / mebibytes - 1)).toBeLessThan(0.025);
  });

  it("is measured by the cells of one slot, however many there are", () => {
    const caches = [
      { kind: "full" as const, layerCount: 3, cells: 8192, bytes: 4 * 8192 * 3072 },
      { kind: "sliding" as const, layerCount: 15, cells: 1536, bytes: 4 * 1536 * 15_360 },
    ];
    expect(stateCostOf({ caches, kvBytesPerToken: 3072 }, { slots: 4, windowTokens: 512 })).toEqual(GEMMA);
  });
});

describe("the prompt cache", () => {
  const cacheOf = (limitBytes = 8192 * MIB, slots = 1) =>
    createPromptCache({ cost: LLAMA, slots, limitBytes });
  const fresh = (conversation: string) => ({ conversation, inputTokens: 1526, sharedTokens: 0 });

  it("keeps one copy for each conversation that another one displaces", () => {
    const cache = cacheOf();
    for (const name of ["a", "b", "c", "d"]) {
      cache.take(fresh(name));
      cache.answered(name, 7);
    }
    // "cache state: 3 prompts, 143.773 MiB"
    expect(cache.promptCount()).toBe(3);
    expect(Math.abs(cache.bytes() / MIB - 143.773)).toBeLessThan(0.1);
  });

  it("gives up the copy of a conversation that comes back", () => {
    const cache = cacheOf();
    for (const name of ["a", "b"]) {
      cache.take(fresh(name));
      cache.answered(name, 7);
    }
    expect(cache.take({ conversation: "a", inputTokens: 1608, sharedTokens: 1533 })).toBe(0);
    expect(cache.promptCount()).toBe(1);
  });

  it("adds nothing for a chat that goes on, and a useless copy for each turn that begins otherwise", () => {
    const cache = cacheOf();
    cache.take(fresh("a"));
    expect(cache.take({ conversation: "a", inputTokens: 2000, sharedTokens: 1533 })).toBe(0);
    expect(cache.take({ conversation: "a", inputTokens: 1900, sharedTokens: 0 })).toBe(2000 * 32 * 1024);
    expect(cache.take({ conversation: "a", inputTokens: 1900, sharedTokens: 0 })).toBe(1900 * 32 * 1024);
  });

  it("says beforehand what a prompt will add, and stays within its limit", () => {
    const prompts = fc.array(
      fc.record({
        conversation: fc.constantFrom("a", "b", "c", "d", "e"),
        inputTokens: fc.integer({ min: 1, max: 4000 }),
        sharedTokens: fc.integer({ min: 0, max: 4000 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(prompts, fc.integer({ min: 1, max: 3 }), (all, slots) => {
        const limitBytes = 300 * MIB;
        const cache = cacheOf(limitBytes, slots);
        for (const prompt of all) {
          const said = cache.wouldTake(prompt);
          expect(cache.take(prompt)).toBe(said);
          expect(cache.promptCount() <= 1 || cache.bytes() <= limitBytes).toBe(true);
        }
      }),
    );
  });

  it("that is switched off keeps nothing", () => {
    const cache = cacheOf(0);
    cache.take(fresh("a"));
    expect(cache.take(fresh("b"))).toBe(0);
  });
});
