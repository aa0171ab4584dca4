import { describe, expect, it } from "vitest";
import type { AnswerContext } from "../../src/ollama/answer.ts";
import { ANTHROPIC, chunk, COMPLETIONS, events, OPENAI, read, RESPONSES } from "./answers.ts";

describe("an OpenAI stream", () => {
  const usage = { prompt_tokens: 15, completion_tokens: 2, total_tokens: 17 };

  it("is complete with [DONE], and measured if the client asked for usage", () => {
    const text = events(
      chunk("a"),
      chunk("b"),
      chunk("", "length"),
      { model: "m", choices: [], usage },
      "[DONE]",
    );
    expect(read(text, OPENAI)).toEqual({
      complete: true,
      model: "m",
      contentChunkCount: 2,
      usage: { inputTokens: 15, outputTokens: 2, doneReason: "length", provenance: "measured" },
    });
  });

  it("without usage is estimated from its chunks", () => {
    expect(read(events(chunk("a"), chunk("b"), chunk("", "stop"), "[DONE]"), OPENAI)).toMatchObject({
      complete: true,
      estimatedUsage: true,
      usage: { outputTokens: 2, doneReason: "stop", provenance: "derived" },
    });
  });

  it("takes the last usage of a completion, never the zeros before it", () => {
    const zero = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    const early = { model: "m", choices: [{ text: "a", finish_reason: null }], usage: zero };
    expect(
      read(events(early, { model: "m", choices: [], usage }, "[DONE]"), COMPLETIONS).usage?.inputTokens,
    ).toBe(15);
    expect(read(events(early), COMPLETIONS)).toMatchObject({
      error: { code: "ended-early" },
      usage: { outputTokens: 1, provenance: "derived" },
      estimatedUsage: true,
    });
  });

  it("without [DONE] ended early", () => {
    expect(read(events(chunk("a")), OPENAI).error?.code).toBe("ended-early");
  });

  it("whose last chunk names no model failed upstream: /v1 loses the words of an error", () => {
    const text = events(chunk("a"), { ...chunk(""), model: "" });
    expect(read(text, OPENAI)).toMatchObject({
      complete: false,
      model: "m",
      error: { code: "upstream-error" },
    });
    expect(read(events({ ...chunk(""), model: "" }), OPENAI).error?.code).toBe("upstream-error");
  });

  it("whose first chunk has only a role ended early like any other", () => {
    const role = {
      model: "m",
      choices: [{ delta: { role: "assistant", content: "" }, finish_reason: null }],
    };
    expect(read(events(role, chunk("a")), OPENAI).error?.code).toBe("ended-early");
  });

  it("counts reasoning and tool calls as content", () => {
    const delta = (value: object) => ({ model: "m", choices: [{ delta: value, finish_reason: null }] });
    const text = events(
      delta({ reasoning: "hm" }),
      delta({ content: "", tool_calls: [{}] }),
      delta({}),
      "[DONE]",
    );
    expect(read(text, OPENAI).contentChunkCount).toBe(2);
  });

  it("with an error event failed upstream", () => {
    const text = events(chunk("a"), { error: { message: "request canceled", type: "api_error" } });
    expect(read(text, OPENAI).error).toEqual({ code: "upstream-error", message: "request canceled" });
  });
});

describe("an OpenAI answer in one piece", () => {
  const document: AnswerContext = { ...OPENAI, contentType: "application/json" };
  const answer = (finish: string | null, counts: number) => ({
    model: "m",
    choices: [{ message: { content: "x" }, finish_reason: finish }],
    usage: { prompt_tokens: counts, completion_tokens: counts },
  });

  it.each([
    ["stop", 5, undefined],
    [null, 5, undefined],
    ["stop", 0, undefined],
    [null, 0, "ended-early"],
  ])("with finish_reason %j and counts of %d: error %s", (finish, counts, code) => {
    expect(read(JSON.stringify(answer(finish, counts)), document).error?.code).toBe(code);
  });

  it("cut before its first word names no model and ended early", () => {
    expect(read(JSON.stringify({ ...answer(null, 0), model: "" }), document).error?.code).toBe("ended-early");
  });

  it("of an empty completion is a load", () => {
    const text = JSON.stringify({ model: "m", choices: [{ text: "", finish_reason: "load" }] });
    expect(read(text, { ...document, operation: "generate" }).operation).toBe("load");
  });

  it("of embeddings is measured by its prompt", () => {
    const text = JSON.stringify({
      data: [{ embedding: [0.5] }],
      model: "m",
      usage: { prompt_tokens: 8, total_tokens: 8 },
    });
    expect(read(text, { ...document, operation: "embed" })).toEqual({
      complete: true,
      contentChunkCount: 0,
      model: "m",
      usage: { inputTokens: 8, provenance: "measured" },
    });
  });
});

describe("an Anthropic stream", () => {
  const start = {
    type: "message_start",
    message: { model: "m", usage: { input_tokens: 9, output_tokens: 0 } },
  };
  const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } };
  const end = {
    type: "message_delta",
    delta: { stop_reason: "max_tokens" },
    usage: { input_tokens: 19, output_tokens: 12 },
  };

  it("takes the counts of its end, not the guess of its start", () => {
    expect(read(events(start, delta, delta, end, { type: "message_stop" }), ANTHROPIC)).toEqual({
      complete: true,
      model: "m",
      contentChunkCount: 2,
      usage: { inputTokens: 19, outputTokens: 12, doneReason: "max_tokens", provenance: "measured" },
    });
  });

  it("that just stops ended early, without the guessed input count", () => {
    expect(read(events(start, delta), ANTHROPIC)).toMatchObject({
      complete: false,
      error: { code: "ended-early" },
      usage: { outputTokens: 1, provenance: "derived" },
    });
  });

  it("with an error event failed upstream", () => {
    const error = { type: "error", error: { type: "api_error", message: "request canceled" } };
    expect(read(events(start, delta, error), ANTHROPIC).error?.code).toBe("upstream-error");
  });

  it("in one piece without reason and counts ended early", () => {
    const text = JSON.stringify({ model: "m", content: [], usage: { input_tokens: 0, output_tokens: 0 } });
    expect(read(text, { ...ANTHROPIC, contentType: "application/json" }).error?.code).toBe("ended-early");
  });
});

describe("a Responses stream", () => {
  const created = { type: "response.created", response: { model: "m", usage: null, error: null } };
  const delta = { type: "response.output_text.delta", delta: "a" };
  const usage = { input_tokens: 15, output_tokens: 12 };

  it("is complete with response.completed; that it reached a length, Ollama never says", () => {
    const text = events(created, delta, { type: "response.completed", response: { model: "m", usage } });
    expect(read(text, RESPONSES)).toEqual({
      complete: true,
      model: "m",
      contentChunkCount: 1,
      usage: { inputTokens: 15, outputTokens: 12, provenance: "measured" },
    });
  });

  it("may be incomplete for its length", () => {
    const response = { model: "m", usage, incomplete_details: { reason: "max_output_tokens" } };
    const text = events(created, delta, { type: "response.incomplete", response });
    expect(read(text, RESPONSES)).toMatchObject({
      complete: true,
      usage: { doneReason: "max_output_tokens" },
    });
  });

  it("that fails or just stops is no success", () => {
    const failed = { type: "response.failed", response: { error: { message: "request canceled" } } };
    expect(read(events(created, delta, failed), RESPONSES).error?.message).toBe("request canceled");
    expect(read(events(created, delta), RESPONSES).error?.code).toBe("ended-early");
  });

  it("in one piece says completed even when it was cut: only counts of zero tell", () => {
    const text = JSON.stringify({
      status: "completed",
      model: "m",
      usage: { input_tokens: 0, output_tokens: 0 },
    });
    expect(read(text, { ...RESPONSES, contentType: "application/json" }).error?.code).toBe("ended-early");
  });
});
