import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createAnswerReader, type AnswerContext, type ReadAnswer } from "../../src/ollama/answer.ts";

const LINES = "application/x-ndjson";
const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json; charset=utf-8";

const CHAT: AnswerContext = { operation: "chat", dialect: "ollama", method: "POST", status: 200, contentType: LINES };
const OPENAI: AnswerContext = { ...CHAT, dialect: "openai", contentType: EVENTS };
const ANTHROPIC: AnswerContext = { ...CHAT, dialect: "anthropic", contentType: EVENTS };
const RESPONSES: AnswerContext = { ...CHAT, dialect: "responses", contentType: EVENTS };
const COMPLETIONS: AnswerContext = { ...OPENAI, operation: "generate" };

function read(text: string | Uint8Array, context: AnswerContext, how: "whole" | "cut" = "whole"): ReadAnswer {
  const reader = createAnswerReader(context);
  reader.push(typeof text === "string" ? Buffer.from(text) : text);
  return reader.end(how);
}

function lines(...values: object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

function events(...values: (object | string)[]): string {
  return values
    .map((value) => {
      const name = typeof value === "object" && "type" in value ? `event: ${String(value.type)}\n` : "";
      return `${name}data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
    })
    .join("");
}

const piece = (content: string) => ({ model: "m", message: { role: "assistant", content }, done: false });
const last = { model: "m", message: { content: "" }, done: true, done_reason: "stop", prompt_eval_count: 9, eval_count: 2 };
const chunk = (content: string, finish: string | null = null) => ({
  model: "m",
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});

describe("a native stream", () => {
  it("that ends with its last line is complete and measured", () => {
    expect(read(lines(piece("a"), piece("b"), last), CHAT)).toEqual({
      complete: true,
      model: "m",
      contentChunkCount: 2,
      usage: { inputTokens: 9, outputTokens: 2, doneReason: "stop", provenance: "measured" },
    });
  });

  it("may lack the last line end", () => {
    expect(read(lines(piece("a"), last).trimEnd(), CHAT).complete).toBe(true);
  });

  it("that ends without its last line ended early, and its tokens are estimated", () => {
    expect(read(lines(piece("a"), piece("b")), CHAT)).toEqual({
      complete: false,
      model: "m",
      contentChunkCount: 2,
      usage: { outputTokens: 2, provenance: "derived" },
      estimatedUsage: true,
      error: {
        code: "ended-early",
        message: "Ollama ended the answer unfinished; it does so when a model repeats itself or its runner fails.",
      },
    });
  });

  it("that was cut is not complete; whose fault that is, its bytes do not tell", () => {
    const answer = read(lines(piece("a"), piece("b")), CHAT, "cut");
    expect(answer).toMatchObject({ complete: false, usage: { outputTokens: 2 }, estimatedUsage: true });
    expect(answer.error).toBeUndefined();
  });

  it("whose client left after the last line is complete", () => {
    expect(read(lines(piece("a"), last), CHAT, "cut")).toMatchObject({ complete: true });
  });

  it("with an error line after content failed upstream", () => {
    const text = lines(piece("a"), { error: "an error was encountered while running the model: unexpected EOF" });
    expect(read(text, CHAT)).toMatchObject({
      complete: false,
      error: {
        code: "upstream-error",
        message: "an error was encountered while running the model: unexpected EOF",
      },
    });
  });

  it("that holds nothing but an error is an error in disguise", () => {
    expect(read(lines({ error: "request canceled" }), CHAT).error).toEqual({
      code: "error-in-answer",
      message: "request canceled",
    });
  });

  it("without any byte is an empty answer", () => {
    expect(read("", CHAT)).toEqual({
      complete: false,
      contentChunkCount: 0,
      error: { code: "empty-answer", message: "Ollama answered 200 with an empty body." },
    });
    expect(read("", CHAT, "cut").error).toBeUndefined();
  });

  it("counts thinking and tool calls as content, and empty pieces not", () => {
    const text = lines(
      piece(""),
      { model: "m", message: { content: "", thinking: "hm" }, done: false },
      { model: "m", message: { content: "", tool_calls: [{ function: {} }] }, done: false },
      piece(""),
      last,
    );
    expect(read(text, CHAT).contentChunkCount).toBe(2);
  });

  it("tells of each content piece when it comes, and the count so far", () => {
    const counts: number[] = [];
    const reader = createAnswerReader({ ...CHAT, onContent: () => counts.push(reader.contentChunkCount()) });
    for (const value of [piece(""), piece("a"), piece("b"), last]) {
      reader.push(Buffer.from(lines(value)));
    }
    expect(counts).toEqual([1, 2]);
  });

  it("knows that it is complete as soon as the last line has come", () => {
    const reader = createAnswerReader(CHAT);
    reader.push(Buffer.from(lines(piece("a"))));
    expect(reader.complete()).toBe(false);
    reader.push(Buffer.from(lines(last)));
    expect(reader.complete()).toBe(true);
  });

  it("that reached its length says so", () => {
    const answer = read(lines(piece("a"), { ...last, done_reason: "length" }), CHAT);
    expect(answer.finishedByLength).toBe(true);
    expect(read(lines(piece("a"), last), CHAT).finishedByLength).toBeUndefined();
  });

  it("with the token ids of a long context in its last line is read all the same", () => {
    const context = Array.from({ length: 100_000 }, (_, index) => index);
    const { done_reason, ...counts } = last;
    const text = lines(piece("a"), { model: "m", response: "", done_reason, context, ...counts });
    expect(read(text, { ...CHAT, operation: "generate" }).usage?.inputTokens).toBe(9);
  });

  it("whose last line is too long to read is believed by its framing, with estimated tokens", () => {
    const text = lines(piece("a"), { ...last, context: "x".repeat(9 * 1024 * 1024) });
    expect(read(text, CHAT)).toMatchObject({ complete: true, estimatedUsage: true });
    expect(read(text, CHAT).error).toBeUndefined();
    expect(read(text, CHAT, "cut").complete).toBe(false);
  });

  it("with lines that are no JSON leaves them out", () => {
    expect(read(`nonsense\n[1]\n"x"\n${lines(last)}`, CHAT).complete).toBe(true);
  });
});

describe("a native answer in one piece", () => {
  const document: AnswerContext = { ...CHAT, contentType: JSON_TYPE };

  it("is complete when it says that it is done", () => {
    expect(read(JSON.stringify(last), document)).toMatchObject({ complete: true, usage: { outputTokens: 2 } });
  });

  it("ended early when it says that it is not", () => {
    const text = '{"model":"","created_at":"0001-01-01T00:00:00Z","response":"","done":false}';
    expect(read(text, document).error?.code).toBe("ended-early");
  });

  it.each(["load", "unload"] as const)("of reason %s proves the operation and costs nothing", (reason) => {
    const text = JSON.stringify({ model: "m", response: "", done: true, done_reason: reason });
    expect(read(text, document)).toEqual({ complete: true, contentChunkCount: 0, model: "m", operation: reason });
  });

  it("that only shows the rendered prompt is complete", () => {
    const text = JSON.stringify({ model: "m", done: false, _debug_info: { rendered_template: "x" } });
    expect(read(text, document).error).toBeUndefined();
  });

  it("with an error at status 200 is an error in disguise", () => {
    expect(read('{"error":"request canceled"}', document).error?.code).toBe("error-in-answer");
  });

  it("that breaks off in the middle of its JSON ended early", () => {
    expect(read('{"model":"m","response":"hello', document).error?.code).toBe("ended-early");
    expect(read('{"model":"m","response":"hello', document, "cut").error).toBeUndefined();
  });

  it("of 40 MB is read without being held", () => {
    const reader = createAnswerReader({ ...document, operation: "embed" });
    reader.push(Buffer.from('{"model":"m","embeddings":[['));
    const numbers = Buffer.from(`${"0.1234567890123,".repeat(4095)}0.1,`);
    for (let sent = 0; sent < 40_000_000; sent += numbers.length) {
      reader.push(numbers);
    }
    reader.push(Buffer.from('1]],"total_duration":5000000,"prompt_eval_count":7}'));
    expect(reader.end("whole")).toEqual({
      complete: true,
      contentChunkCount: 0,
      model: "m",
      usage: { inputTokens: 7, totalMs: 5, provenance: "measured" },
    });
  });

  it("that is JSON but no object is judged by its framing", () => {
    expect(read("[1]", document)).toEqual({ complete: true, contentChunkCount: 0 });
  });
});

describe("an OpenAI stream", () => {
  const usage = { prompt_tokens: 15, completion_tokens: 2, total_tokens: 17 };

  it("is complete with [DONE], and measured if the client asked for usage", () => {
    const text = events(chunk("a"), chunk("b"), chunk("", "length"), { model: "m", choices: [], usage }, "[DONE]");
    expect(read(text, OPENAI)).toEqual({
      complete: true,
      model: "m",
      contentChunkCount: 2,
      finishedByLength: true,
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
    expect(read(events(early, { model: "m", choices: [], usage }, "[DONE]"), COMPLETIONS).usage?.inputTokens).toBe(15);
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
    expect(read(text, OPENAI)).toMatchObject({ complete: false, model: "m", error: { code: "upstream-error" } });
    expect(read(events({ ...chunk(""), model: "" }), OPENAI).error?.code).toBe("upstream-error");
  });

  it("counts reasoning and tool calls as content", () => {
    const delta = (value: object) => ({ model: "m", choices: [{ delta: value, finish_reason: null }] });
    const text = events(delta({ reasoning: "hm" }), delta({ content: "", tool_calls: [{}] }), delta({}), "[DONE]");
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

  it("of an empty completion is a load", () => {
    const text = JSON.stringify({ model: "m", choices: [{ text: "", finish_reason: "load" }] });
    expect(read(text, { ...document, operation: "generate" }).operation).toBe("load");
  });

  it("of embeddings is measured by its prompt", () => {
    const text = JSON.stringify({ data: [{ embedding: [0.5] }], model: "m", usage: { prompt_tokens: 8, total_tokens: 8 } });
    expect(read(text, { ...document, operation: "embed" })).toEqual({
      complete: true,
      contentChunkCount: 0,
      model: "m",
      usage: { inputTokens: 8, provenance: "measured" },
    });
  });
});

describe("an Anthropic stream", () => {
  const start = { type: "message_start", message: { model: "m", usage: { input_tokens: 9, output_tokens: 0 } } };
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
      finishedByLength: true,
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
    expect(read(text, RESPONSES)).toMatchObject({ complete: true, finishedByLength: true });
  });

  it("that fails or just stops is no success", () => {
    const failed = { type: "response.failed", response: { error: { message: "request canceled" } } };
    expect(read(events(created, delta, failed), RESPONSES).error?.message).toBe("request canceled");
    expect(read(events(created, delta), RESPONSES).error?.code).toBe("ended-early");
  });

  it("in one piece says completed even when it was cut: only counts of zero tell", () => {
    const text = JSON.stringify({ status: "completed", model: "m", usage: { input_tokens: 0, output_tokens: 0 } });
    expect(read(text, { ...RESPONSES, contentType: "application/json" }).error?.code).toBe("ended-early");
  });
});

describe("pull, push and create", () => {
  const pull: AnswerContext = { ...CHAT, operation: "pull" };

  it("end with success, cost no tokens and may take any number of lines", () => {
    const progress = { status: "pulling abc", total: 100, completed: 1 };
    expect(read(lines(progress, progress, { status: "success" }), pull)).toEqual({
      complete: true,
      contentChunkCount: 0,
    });
  });

  it("that end with an error failed upstream", () => {
    const text = lines({ status: "pulling manifest" }, { error: "pull model manifest: no such host" });
    expect(read(text, pull).error).toEqual({
      code: "upstream-error",
      message: "pull model manifest: no such host",
    });
  });

  it("that end without success ended early", () => {
    expect(read(lines({ status: "pulling manifest" }), pull).error?.code).toBe("ended-early");
  });
});

describe("an error status", () => {
  const error = (status: number): AnswerContext => ({ ...CHAT, status, contentType: JSON_TYPE });

  it("names itself and keeps words that are Ollama's own", () => {
    expect(read(`{"error":"model 'nope' not found"}`, error(404))).toEqual({
      complete: true,
      contentChunkCount: 0,
      error: { code: "http-404", message: "model 'nope' not found" },
    });
  });

  it.each(["", "404 page not found", "<html>", '{"error":7}', "[1]"])("without words of Ollama in %j", (text) => {
    expect(read(text, error(502)).error).toEqual({
      code: "http-502",
      message: "Ollama answered 502 without saying why.",
    });
  });

  it("also in the stream form of a remote model's error", () => {
    const text = '{"StatusCode":401,"Status":"401 Unauthorized","error":"unauthorized"}';
    expect(read(text, { ...error(401), contentType: LINES }).error).toEqual({
      code: "http-401",
      message: "unauthorized",
    });
  });

  it("that came compressed keeps its code", () => {
    const context = { ...error(429), contentEncoding: "gzip" };
    expect(read(gzipSync('{"error":"x"}'), context).error?.code).toBe("http-429");
  });

  it("is known before the body is whole", () => {
    expect(read('{"error":"mod', error(404), "cut")).toMatchObject({ complete: false, error: { code: "http-404" } });
  });

  it("of a prompt that is too long comes with its figures", () => {
    const inner = JSON.stringify({ error: { type: "exceed_context_size_error", n_prompt_tokens: 9, n_ctx: 4 } });
    expect(read(JSON.stringify({ error: inner }), error(400)).promptTooLong).toEqual({
      promptTokens: 9,
      contextLength: 4,
    });
  });
});

describe("what is not read", () => {
  it.each([
    [{ ...CHAT, operation: "other", dialect: "none", status: 404, contentType: "text/plain" }, "404 page not found"],
    [{ ...CHAT, operation: "other", dialect: "none" }, ""],
    [{ ...CHAT, contentType: "text/html" }, "<html>"],
    [{ ...CHAT, status: 307, contentType: "text/html" }, ""],
    [{ ...CHAT, operation: "transcribe", dialect: "openai", contentType: "text/plain" }, ""],
    [{ ...CHAT, contentEncoding: "gzip" }, "\u001f\u008b"],
  ] as [AnswerContext, string][])("%j is complete when its framing says so", (context, text) => {
    expect(read(text, context)).toEqual({ complete: true, contentChunkCount: 0 });
    expect(read(text, context, "cut")).toEqual({ complete: false, contentChunkCount: 0 });
  });
});
