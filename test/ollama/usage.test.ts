import { describe, expect, it } from "vitest";
import { compatibleUsage, isZeroUsage, ollamaUsage, stopReason } from "../../src/ollama/usage.ts";

const DAY_NS = 24 * 3600 * 1e9;

describe("usage of Ollama's own dialect", () => {
  it("turns nanoseconds into milliseconds without rounding", () => {
    expect(
      ollamaUsage({
        total_duration: 1_620_816_809,
        load_duration: 739_606_825,
        prompt_eval_count: 15,
        prompt_eval_duration: 72_225_534,
        eval_count: 32,
        eval_duration: 647_921_406,
      }),
    ).toEqual({
      inputTokens: 15,
      outputTokens: 32,
      totalMs: 1620.816809,
      loadMs: 739.606825,
      prefillMs: 72.225534,
      decodeMs: 647.921406,
      provenance: "measured",
    });
  });

  it("knows no wait in the queue: the rest of the total is not only that", () => {
    const usage = ollamaUsage({ total_duration: 9e9, load_duration: 1e6, eval_count: 1, eval_duration: 1e6 });
    expect(usage).not.toHaveProperty("queueMs");
  });

  it.each([
    [-9223372036854775808, undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ["5", undefined],
    [101 * DAY_NS, undefined],
    [99 * DAY_NS, 99 * 24 * 3600 * 1000],
    [0, 0],
  ])("a duration of %s ns is %s ms", (nanoseconds, milliseconds) => {
    expect(ollamaUsage({ eval_count: 1, eval_duration: nanoseconds })?.decodeMs).toBe(milliseconds);
  });

  it.each([
    [0, 0],
    [7, 7],
    [-1, undefined],
    [1.5, undefined],
    [2 ** 53, undefined],
    ["7", undefined],
    [null, undefined],
  ])("a count of %j is %s", (count, expected) => {
    expect(ollamaUsage({ total_duration: 1, eval_count: count })?.outputTokens).toBe(expected);
  });

  it("is none when nothing is stated", () => {
    expect(ollamaUsage({ done: true, done_reason: "load" })).toBeUndefined();
  });
});

describe("usage of the other dialects", () => {
  it.each([
    [
      { prompt_tokens: 14, completion_tokens: 8, total_tokens: 22 },
      { inputTokens: 14, outputTokens: 8 },
    ],
    [
      { input_tokens: 19, output_tokens: 12 },
      { inputTokens: 19, outputTokens: 12 },
    ],
    [{ prompt_tokens: 5, total_tokens: 5 }, { inputTokens: 5 }],
    [
      { prompt_tokens: 5, completion_tokens: 0 },
      { inputTokens: 5, outputTokens: 0 },
    ],
    [{ prompt_tokens: -5, completion_tokens: 3 }, { outputTokens: 3 }],
  ])("%j", (value, expected) => {
    expect(compatibleUsage(value)).toEqual({ ...expected, provenance: "measured" });
  });

  it.each([
    { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    { input_tokens: 0, output_tokens: 0 },
    {},
    null,
    undefined,
    "8",
    [],
  ])("%j states nothing", (value) => {
    expect(compatibleUsage(value)).toBeUndefined();
  });

  it("counts of zero are told from no counts", () => {
    expect(isZeroUsage({ prompt_tokens: 0, completion_tokens: 0 })).toBe(true);
    expect(isZeroUsage({ prompt_tokens: 0, completion_tokens: 1 })).toBe(false);
    expect(isZeroUsage({})).toBe(false);
    expect(isZeroUsage(undefined)).toBe(false);
  });
});

describe("why it stopped", () => {
  it.each([
    ["stop", "stop"],
    ["tool_calls", "tool_calls"],
    ["", undefined],
    [null, undefined],
    ["a sentence of the answer", undefined],
    ["x".repeat(41), undefined],
  ])("%j is %s", (value, reason) => {
    expect(stopReason(value)).toBe(reason);
  });
});
