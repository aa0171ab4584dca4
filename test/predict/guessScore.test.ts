import { describe, expect, it } from "vitest";
import { decodeRateOf, scoreExchange } from "../../src/predict/guessScore.ts";
import type { Guess } from "../../src/predict/guessTypes.ts";
import type { Exchange } from "../../src/types.ts";
import { exchangeOf } from "./guessReplay.ts";

const EXCHANGE = exchangeOf(
  {
    messageCount: 1,
    textBytes: 4000,
    startedMs: 1000,
    firstTokenMs: 2000,
    endedMs: 9000,
    inputTokens: 1000,
    prefillMs: 1900,
    outputTokens: 101,
    decodeMs: 5000,
    loadMs: 2,
  },
  { model: "m", contextLength: 8192 },
);

function guessed(madeAt = 1010): Guess {
  return {
    madeAt,
    input: { model: "m", request: {} },
    prediction: {
      inputTokens: { predicted: 1100, low: 900, high: 1300 },
      prefillMs: { predicted: 950 },
      firstTokenMs: { predicted: 2000 },
      decodeTokensPerSecond: { predicted: 25 },
      contextTokensUsed: { predicted: 1101 },
      runnerBytes: { predicted: 110 },
    },
    basis: { cachedTokens: 0, certainty: "sure", cut: false, returned: false, displacedTokens: 0 },
  };
}

describe("after the end", () => {
  it("each figure has what happened and (predicted − actual) ÷ actual", () => {
    expect(scoreExchange(guessed(), EXCHANGE, { runnerBytes: 100 })).toEqual({
      inputTokens: { predicted: 1100, low: 900, high: 1300, actual: 1000, errorRatio: 0.1 },
      prefillMs: { predicted: 950, actual: 1900, errorRatio: -0.5 },
      firstTokenMs: { predicted: 2000, actual: 2000, errorRatio: 0 },
      decodeTokensPerSecond: { predicted: 25, actual: 20, errorRatio: 0.25 },
      contextTokensUsed: { predicted: 1101, actual: 1101, errorRatio: 0 },
      runnerBytes: { predicted: 110, actual: 100, errorRatio: 0.1 },
    });
  });

  it("what was not predicted is not scored", () => {
    const guess = { ...guessed(), prediction: { prefillMs: { predicted: 1900 } } };
    expect(Object.keys(scoreExchange(guess, EXCHANGE))).toEqual(["prefillMs"]);
  });

  it("the guess itself stays as it was", () => {
    const guess = guessed();
    scoreExchange(guess, EXCHANGE);
    expect(guess).toEqual(guessed());
  });
});

describe("nothing is scored", () => {
  it.each([
    ["of a guess made after the first token", 3001, EXCHANGE],
    [
      "of a guess made after the end",
      9001,
      { ...EXCHANGE, state: { phase: "completed", endedAt: 9000 } } satisfies Exchange,
    ],
    [
      "while the exchange is open",
      1010,
      { ...EXCHANGE, usage: undefined, state: { phase: "waiting" } } satisfies Exchange,
    ],
  ])("%s", (_, madeAt, exchange) => {
    const scored = scoreExchange(guessed(madeAt), exchange, { runnerBytes: 100 });
    expect(scored).toEqual(guessed().prediction);
  });
});

describe("of an exchange that went wrong", () => {
  it("only the first token is scored, if it came", () => {
    const state = { phase: "cancelled" as const, firstTokenAt: 3000, endedAt: 4000 };
    const scored = scoreExchange(guessed(), { ...EXCHANGE, state, usage: undefined });
    expect(scored.firstTokenMs?.errorRatio).toBe(0);
    expect(scored.inputTokens?.actual).toBeUndefined();
  });

  it("a count of chunks is not a count of tokens", () => {
    const usage = { outputTokens: 101, provenance: "derived" as const };
    expect(scoreExchange(guessed(), { ...EXCHANGE, usage }).decodeTokensPerSecond?.actual).toBeUndefined();
  });

  it("an actual of 0 is shown and has no error", () => {
    const usage = { inputTokens: 0, provenance: "measured" as const };
    expect(scoreExchange(guessed(), { ...EXCHANGE, usage }).inputTokens).toEqual({
      predicted: 1100,
      low: 900,
      high: 1300,
      actual: 0,
    });
  });

  it("the wait of an answer that does not stream is not its first token", () => {
    const scored = scoreExchange(guessed(), { ...EXCHANGE, stream: false });
    expect(scored.firstTokenMs?.actual).toBeUndefined();
  });
});

it.each([
  [{ outputTokens: 101, decodeMs: 5000 }, 20],
  [{ outputTokens: 7, decodeMs: 300 }, undefined],
  [{ outputTokens: 101, decodeMs: 0 }, undefined],
  [{ outputTokens: 101, decodeMs: -5 }, undefined],
  [{ outputTokens: 101, decodeMs: Number.NaN }, undefined],
  [{ outputTokens: 101 }, undefined],
  [{ decodeMs: 5000 }, undefined],
])("the rate of %j is %s", (answer, rate) => {
  expect(decodeRateOf(answer)).toBe(rate);
});
