import { describe, expect, it } from "vitest";

import { guessExchange } from "../../src/predict/guessExchange.ts";
import { learnExchange } from "../../src/predict/guessLearn.ts";
import { createLearned } from "../../src/predict/guessLearned.ts";
import { continuationIsHeld, nextReuseShare } from "../../src/predict/guessReuse.ts";
import type { Exchange } from "../../src/types.ts";

const TOKENS_A_TURN = 200;
const OUTPUT = 50;
const MS_A_TOKEN = 5;

/** A chat of so many turns; `holds` says of each whether the runner still held what came before. Answers the guesses. */
function chat(learned: ReturnType<typeof createLearned>, holds: readonly boolean[]): number[] {
  return holds.map((held, turn) => {
    const inputTokens = TOKENS_A_TURN * (turn + 1);
    const computed = held && turn > 0 ? inputTokens - (TOKENS_A_TURN * turn + OUTPUT - 1) : inputTokens;
    const guess = guessExchange(
      {
        model: "m",
        request: { textBytes: inputTokens * 4, messageCount: 2 * turn + 1, imageCount: 0 },
        contextLength: 100_000,
        loaded: turn > 0,
        queueMs: 0,
      },
      learned,
      0,
    );
    const exchange: Exchange = {
      id: String(turn),
      startedAt: 0,
      operation: "chat",
      dialect: "ollama",
      method: "POST",
      path: "/api/chat",
      model: "m",
      client: {},
      requestBytes: 0,
      responseBytes: 0,
      chunkCount: 0,
      state: { phase: "completed", endedAt: 10_000 },
      usage: {
        inputTokens,
        outputTokens: OUTPUT,
        prefillMs: computed * MS_A_TOKEN,
        decodeMs: 1000,
        provenance: "measured",
      },
      notices: [],
    };
    learnExchange(learned, { guess, exchange, circumstances: { alone: true } });
    return (guess.prediction.prefillMs?.predicted ?? 0) / (inputTokens * MS_A_TOKEN);
  });
}

describe("a runner that computes the whole chat in every turn", () => {
  it("is expected to do so after a few turns, and not before", () => {
    const shares = chat(createLearned(), Array<boolean>(14).fill(false));
    expect(shares[3]).toBeLessThan(0.3);
    for (const share of shares.slice(-3)) {
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1.25);
    }
  });

  it("is believed again once it holds what came before", () => {
    const learned = createLearned();
    const shares = chat(learned, [...Array<boolean>(14).fill(false), ...Array<boolean>(8).fill(true)]);
    expect(shares[14]).toBeGreaterThan(0.8);
    expect(shares.at(-1)).toBeLessThan(0.2);
  });
});

it("a runner that holds what came before is expected to, though one turn in five it does not", () => {
  const shares = chat(
    createLearned(),
    Array.from({ length: 30 }, (_, turn) => turn % 5 !== 4),
  );
  for (const share of shares.slice(8)) {
    expect(share).toBeLessThan(0.35);
  }
});

it("needs several turns in a row to think otherwise", () => {
  const not = { cachedTokens: 0 };
  expect(continuationIsHeld(undefined)).toBe(true);
  expect(continuationIsHeld(nextReuseShare(nextReuseShare(undefined, not), not))).toBe(true);
  const three = nextReuseShare(nextReuseShare(nextReuseShare(undefined, not), not), not);
  expect(continuationIsHeld(three)).toBe(false);
  expect(continuationIsHeld(nextReuseShare(three, { cachedTokens: 10 }))).toBe(true);
});
