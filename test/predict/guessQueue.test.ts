import { describe, expect, it } from "vitest";
import { guessQueueMs, type Ahead } from "../../src/predict/guessQueue.ts";

const NOW = 100_000;

function ahead(more: Partial<Ahead> = {}, outputTokens: number | undefined = 200): Ahead {
  return {
    startedAt: NOW - 1000,
    guess: {
      madeAt: NOW - 1000,
      input: { model: "m", request: {} },
      prediction: { prefillMs: { predicted: 3000 }, decodeTokensPerSecond: { predicted: 20 } },
      basis: {
        outputTokens,
        cachedTokens: 0,
        certainty: "sure",
        cut: false,
        returned: false,
        displacedTokens: 0,
      },
    },
    ...more,
  };
}
const decoding = ahead({ firstTokenAt: NOW - 500, outputTokens: 150 });

describe("the wait for a slot", () => {
  it.each<[string, Ahead[], number, number | undefined]>([
    ["is nothing when none is ahead", [], 1, 0],
    ["is nothing when a slot is free", [decoding], 2, 0],
    ["is the rest of the answer ahead: 50 tokens at 20 a second", [decoding], 1, 2500],
    ["is the rest of its prompt and its answer", [ahead()], 1, 2000 + 10_000],
    ["adds up behind several", [decoding, decoding], 1, 5000],
    ["is that of the slot that is free first", [decoding, ahead()], 2, 2500],
    [
      "ends at once when the answer is longer than expected",
      [ahead({ firstTokenAt: 1, outputTokens: 900 })],
      1,
      0,
    ],
    ["is not known behind an exchange without a guess", [{ startedAt: 0 }], 1, undefined],
  ])("%s", (_, before, slots, expected) => {
    expect(guessQueueMs(before, { slots, now: NOW })).toBe(expected);
  });

  it.each([0, -3, Number.NaN, Infinity])("takes %d slots for one", (slots) => {
    expect(guessQueueMs([decoding], { slots, now: NOW })).toBe(2500);
  });
});
