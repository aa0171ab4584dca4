import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guessExchange } from "../../src/predict/guessExchange.ts";
import { createLearned } from "../../src/predict/guessLearned.ts";
import type { GuessInput } from "../../src/predict/guessTypes.ts";
import { readChat, replay } from "./guessReplay.ts";

const MODEL = "gemma3:270m";

/** All that a chat of 16 turns teaches. */
function taught() {
  const learned = createLearned();
  const chat = readChat("chat-gemma3-270m-v0.33");
  replay({ ...chat, exchanges: chat.exchanges.slice(0, 16) }, { learned });
  return learned;
}

function asking(more: Partial<GuessInput> & { request?: GuessInput["request"] } = {}): GuessInput {
  return {
    model: MODEL,
    request: { textBytes: 10_000, messageCount: 1, imageCount: 0, stream: true },
    contextLength: 8192,
    loaded: true,
    queueMs: 0,
    ...more,
  };
}

describe("a guess", () => {
  it("says of an unknown model only what its bytes tell", () => {
    const { prediction } = guessExchange(asking(), createLearned(), 0);
    expect(Object.keys(prediction)).toEqual(["inputTokens"]);
    expect(prediction.inputTokens?.predicted).toBeGreaterThan(2400);
  });

  it("says nothing of a request that could not be read", () => {
    const input = asking({ request: { unread: "too-large", textBytes: 9, stream: true } });
    expect(guessExchange(input, taught(), 0).prediction).toEqual({});
  });

  it("has every figure with its band once the model is known", () => {
    const { prediction } = guessExchange(asking({ runnerBytes: 4e8 }), taught(), 0);
    expect(Object.keys(prediction)).toHaveLength(6);
    for (const { predicted, low = NaN, high = NaN } of Object.values(prediction)) {
      expect(low).toBeLessThanOrEqual(predicted);
      expect(high).toBeGreaterThanOrEqual(predicted);
      expect(low).toBeGreaterThanOrEqual(0);
    }
  });

  it("expects tokens at the rate of the model, not at 4 bytes each", () => {
    const { prediction } = guessExchange(asking(), taught(), 0);
    // This text has about 7.1 bytes a token.
    expect(prediction.inputTokens?.predicted).toBeGreaterThan(1300);
    expect(prediction.inputTokens?.predicted).toBeLessThan(1500);
  });

  it("says no first token of an answer that does not stream", () => {
    const request = { textBytes: 10_000, messageCount: 1, imageCount: 0, stream: false };
    expect(guessExchange(asking({ request }), taught(), 0).prediction.firstTokenMs).toBeUndefined();
  });

  it("adds the wait and the load", () => {
    const learned = taught();
    learned.keepModel(MODEL).recent.coldLoadMs.add(1500);
    const warm = guessExchange(asking(), learned, 0).prediction.firstTokenMs?.predicted ?? 0;
    const waiting = guessExchange(asking({ queueMs: 4000 }), learned, 0).prediction.firstTokenMs;
    const cold = guessExchange(asking({ loaded: false }), learned, 0).prediction.firstTokenMs;
    expect((waiting?.predicted ?? 0) - warm).toBeCloseTo(4000, 3);
    expect((cold?.predicted ?? 0) - warm).toBeGreaterThan(1490);
    expect((cold?.predicted ?? 0) - warm).toBeLessThan(1510);
  });

  it("says no first token when a load is needed that was never seen", () => {
    expect(guessExchange(asking({ loaded: false }), taught(), 0).prediction.firstTokenMs).toBeUndefined();
  });
});

describe("what the runner holds already", () => {
  const turn17 = { textBytes: 53_600, messageCount: 33, imageCount: 0, stream: true };

  it("costs nothing: a chat's next turn is its new text", () => {
    const request = { ...turn17, messageCount: 33, textBytes: 52_800 };
    const next = guessExchange(asking({ request, contextLength: 32_768 }), taught(), 0);
    const anew = guessExchange(asking({ request, contextLength: 32_768, cachedTokens: 0 }), taught(), 0);
    expect(next.basis.cachedTokens).toBeGreaterThan(7700);
    expect(anew.prediction.prefillMs?.predicted).toBeGreaterThan(
      5 * (next.prediction.prefillMs?.predicted ?? 0),
    );
  });

  it("is nothing any more when the history outgrows the context", () => {
    const request = { ...turn17, textBytes: 56_000 };
    const { basis, prediction } = guessExchange(asking({ request }), taught(), 0);
    expect(basis.cut).toBe(true);
    expect(basis.cachedTokens).toBe(0);
    expect(prediction.inputTokens?.predicted).toBeLessThanOrEqual(8192);
    expect(prediction.prefillMs?.predicted).toBeGreaterThan(10_000);
  });

  it("is what the caller says, if it follows the conversation", () => {
    const { basis } = guessExchange(asking({ cachedTokens: 777 }), taught(), 0);
    expect(basis).toMatchObject({ cachedTokens: 777, certainty: "likely" });
  });

  it("is never all of it", () => {
    const { basis } = guessExchange(asking({ cachedTokens: 1e6 }), taught(), 0);
    expect(basis.cachedTokens).toBe((basis.inputTokens ?? 0) - 1);
  });

  it("is nothing when the model is not loaded", () => {
    const request = { ...turn17, textBytes: 52_800 };
    const { basis } = guessExchange(asking({ request, loaded: false, contextLength: 32_768 }), taught(), 0);
    expect(basis).toMatchObject({ cachedTokens: 0, certainty: "sure" });
  });

  it("the fewer, the longer it takes", () => {
    const learned = taught();
    fc.assert(
      fc.property(fc.nat(1400), fc.nat(1400), (some, more) => {
        const less = guessExchange(asking({ cachedTokens: some }), learned, 0).prediction;
        const most = guessExchange(asking({ cachedTokens: some + more }), learned, 0).prediction;
        for (const kind of ["prefillMs", "firstTokenMs"] as const) {
          expect(less[kind]?.predicted).toBeGreaterThanOrEqual((most[kind]?.predicted ?? 0) * (1 - 1e-9));
        }
      }),
    );
  });
});

describe("whatever comes in", () => {
  const figure = fc.option(
    fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, Number.NaN, Infinity, 1e308)),
    { nil: undefined },
  );
  const broken: fc.Arbitrary<GuessInput> = fc.record({
    model: fc.constantFrom(MODEL, "unknown", "__proto__", ""),
    settings: fc.record({ kvCacheType: fc.string(), deviceRatio: fc.double() }),
    request: fc.record({
      textBytes: figure,
      messageCount: figure,
      imageCount: figure,
      maxOutputTokens: figure,
      stream: fc.boolean(),
    }),
    contextLength: figure,
    loaded: fc.option(fc.boolean(), { nil: undefined }),
    promptCache: fc.boolean(),
    cachedTokens: figure,
    queueMs: figure,
    runnerBytes: figure,
    kvBytesPerToken: figure,
  });

  it("no figure is NaN, negative or infinite", () => {
    const learned = taught();
    learned.speed.describe("unknown", undefined, {
      reads: [{ bytesPerToken: 1e9, bandwidthBytesPerSecond: 1e11, device: "cpu" }],
    });
    fc.assert(
      fc.property(broken, (input) => {
        for (const { predicted, low = 0, high = 0 } of Object.values(
          guessExchange(input, learned, 0).prediction,
        )) {
          expect([predicted, low, high].every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
          expect(low <= predicted && predicted <= high).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

it("takes less than 50 µs", () => {
  const learned = taught();
  for (let other = 0; other < 30; other++) {
    replay({ ...readChat("chat-synthetic-llama-v0.24"), model: `m${other}` }, { learned });
  }
  const times = Array.from({ length: 3000 }, () => {
    const before = performance.now();
    guessExchange(asking({ runnerBytes: 4e8 }), learned, 0);
    return (performance.now() - before) * 1000;
  }).toSorted((left, right) => left - right);
  // The middle: single ones are the collector's and the other processes' on the machine.
  expect(times[1500]).toBeLessThan(50);
});
