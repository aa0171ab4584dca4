import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createAccuracy,
  scoredOfExchange,
  scoredOfLoad,
  summariseAccuracy,
  type ScoredValue,
} from "../../src/predict/accuracy.ts";
import type { Exchange } from "../../src/types.ts";
import { readChat, replay, exchangeOf } from "./guessReplay.ts";

const DAY = 24 * 3600 * 1000;
const NOW = 100 * DAY;

const scored = (errorRatio: number, more: Partial<ScoredValue> = {}): ScoredValue => ({
  kind: "totalBytes",
  model: "m",
  at: NOW - DAY,
  errorRatio,
  ...more,
});

describe("the summary", () => {
  it("has the middle and the 90th percentile of sizes, and the middle of signs", () => {
    const values = [0.1, -0.2, 0.3, -0.4, 0.5].map((error) => scored(error));
    const { overall } = summariseAccuracy(values, NOW);
    expect(overall.totalBytes?.n).toBe(5);
    expect(overall.totalBytes?.medianErrorRatio).toBeCloseTo(0.3, 9);
    expect(overall.totalBytes?.p90ErrorRatio).toBeCloseTo(0.46, 9);
    expect(overall.totalBytes?.biasRatio).toBeCloseTo(0.1, 9);
  });

  it("tells models and kinds apart", () => {
    const { overall, models } = summariseAccuracy(
      [
        scored(0.1, { model: "b" }),
        scored(0.3, { model: "a" }),
        scored(-0.5, { model: "a", kind: "kvCacheBytes" }),
      ],
      NOW,
    );
    expect(Object.keys(overall).toSorted()).toEqual(["kvCacheBytes", "totalBytes"]);
    expect(models.map(({ model }) => model)).toEqual(["a", "b"]);
    expect(models[0]?.scores.totalBytes?.medianErrorRatio).toBe(0.3);
    expect(models[0]?.scores.kvCacheBytes?.biasRatio).toBe(-0.5);
  });

  it("is of the last 7 days", () => {
    const values = [scored(0.1), scored(0.9, { at: NOW - 8 * DAY }), scored(0.9, { at: NOW + 1 })];
    expect(summariseAccuracy(values, NOW)).toMatchObject({
      from: NOW - 7 * DAY,
      to: NOW,
      overall: { totalBytes: { n: 1 } },
    });
  });

  it("of nothing has no score", () => {
    expect(summariseAccuracy([], NOW)).toMatchObject({ overall: {}, models: [] });
    expect(summariseAccuracy([scored(Number.NaN), scored(Infinity)], NOW).overall).toEqual({});
  });

  it("never has a NaN and never a 90th percentile below the middle", () => {
    const value = fc.record({ error: fc.double(), model: fc.string(), at: fc.double() });
    fc.assert(
      fc.property(fc.array(value), (all) => {
        const values = all.map(({ error, model, at }) => scored(error, { model, at }));
        for (const score of Object.values(summariseAccuracy(values, NOW, Infinity).overall)) {
          expect(score.p90ErrorRatio).toBeGreaterThanOrEqual(score.medianErrorRatio);
          expect(Number.isFinite(score.biasRatio)).toBe(true);
        }
      }),
    );
  });
});

describe("kept over time", () => {
  it("starts from what the store has and goes on", () => {
    const accuracy = createAccuracy({ now: () => NOW, values: [scored(0.1)] });
    accuracy.add([scored(0.3)]);
    expect(accuracy.summary().overall.totalBytes).toMatchObject({ n: 2, medianErrorRatio: 0.2 });
  });

  it("is bounded: the oldest give way", () => {
    const accuracy = createAccuracy({ now: () => NOW });
    accuracy.add(Array.from({ length: 30_000 }, (_, index) => scored(index < 10_000 ? 5 : 0.1)));
    expect(accuracy.summary().overall.totalBytes).toMatchObject({ n: 20_000, biasRatio: 0.1 });
  });
});

describe("what is scored", () => {
  it("of an exchange is what has an error", () => {
    const chat = readChat("chat-gemma3-270m-v0.33");
    const last = replay(chat).at(-1);
    const exchange = last === undefined ? undefined : exchangeOf(last.recorded, chat);
    const values = exchange === undefined ? [] : scoredOfExchange({ ...exchange, prediction: last?.scored });
    expect(values.map(({ kind }) => kind)).toEqual([
      "inputTokens",
      "prefillMs",
      "firstTokenMs",
      "decodeTokensPerSecond",
      "contextTokensUsed",
      "runnerBytes",
    ]);
    expect(values[0]).toMatchObject({ model: chat.model, at: last?.recorded.endedMs });
  });

  it("of an open exchange, or one without a prediction, is nothing", () => {
    const exchange: Exchange = {
      id: "e",
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
      state: { phase: "completed", endedAt: 5 },
      notices: [],
    };
    expect(scoredOfExchange(exchange)).toEqual([]);
    const prediction = { inputTokens: { predicted: 1, actual: 2, errorRatio: -0.5 } };
    expect(scoredOfExchange({ ...exchange, prediction, state: { phase: "waiting" } })).toEqual([]);
  });

  it("of a load is each part that was predicted and measured", () => {
    const parts = [
      { kind: "totalBytes" as const, predictedBytes: 110, actualBytes: 100 },
      { kind: "kvCacheBytes" as const, predictedBytes: 110, actualBytes: 0 },
    ];
    const values = scoredOfLoad({ model: "m", at: 5, parts });
    expect(values).toEqual([{ kind: "totalBytes", model: "m", at: 5, errorRatio: 0.1 }]);
  });
});
