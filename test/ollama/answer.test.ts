import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createAnswerReader, type AnswerContext } from "../../src/ollama/answer.ts";
import { CHAT, JSON_TYPE, last, LINES, lines, piece, read } from "./answers.ts";

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
        message:
          "Ollama ended the answer unfinished; it does so when a model repeats itself or its runner fails.",
      },
    });
  });

  it.each([3, 40_000])("of a generate tells how many tokens its context has: %d", (length) => {
    const context = Array.from({ length }, (_, index) => index);
    const end = { model: "m", response: "", done: true, done_reason: "stop", context };
    expect(read(lines(end), { ...CHAT, operation: "generate" }).contextTokens).toBe(length);
    const whole = { ...CHAT, operation: "generate", contentType: JSON_TYPE } as const;
    expect(read(JSON.stringify(end), whole).contextTokens).toBe(length);
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
    const text = lines(piece("a"), {
      error: "an error was encountered while running the model: unexpected EOF",
    });
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
    expect(answer.usage?.doneReason).toBe("length");
    expect(read(lines(piece("a"), last), CHAT).usage?.doneReason).toBe("stop");
  });

  it("with the token ids of a long context in its last line is read all the same", () => {
    const context = Array.from({ length: 100_000 }, (_, index) => index);
    const { done_reason, ...counts } = last;
    const text = lines(piece("a"), { response: "", done_reason, context, ...counts });
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
    expect(read(JSON.stringify(last), document)).toMatchObject({
      complete: true,
      usage: { outputTokens: 2 },
    });
  });

  it("ended early when it says that it is not", () => {
    const text = '{"model":"","created_at":"0001-01-01T00:00:00Z","response":"","done":false}';
    expect(read(text, document).error?.code).toBe("ended-early");
  });

  it.each(["load", "unload"] as const)("of reason %s proves the operation and costs nothing", (reason) => {
    const text = JSON.stringify({ model: "m", response: "", done: true, done_reason: reason });
    expect(read(text, document)).toEqual({
      complete: true,
      contentChunkCount: 0,
      model: "m",
      operation: reason,
    });
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

  it.each(["", "404 page not found", "<html>", '{"error":7}', "[1]"])(
    "without words of Ollama in %j",
    (text) => {
      expect(read(text, error(502)).error).toEqual({
        code: "http-502",
        message: "Ollama answered 502 without saying why.",
      });
    },
  );

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
    expect(read('{"error":"mod', error(404), "cut")).toMatchObject({
      complete: false,
      error: { code: "http-404" },
    });
  });

  it("of a prompt that is too long comes with its figures", () => {
    const inner = JSON.stringify({
      error: { type: "exceed_context_size_error", n_prompt_tokens: 9, n_ctx: 4 },
    });
    expect(read(JSON.stringify({ error: inner }), error(400)).promptTooLong).toEqual({
      promptTokens: 9,
      contextLength: 4,
    });
  });
});

describe("what is not read", () => {
  it.each([
    [
      { ...CHAT, operation: "other", dialect: "none", status: 404, contentType: "text/plain" },
      "404 page not found",
    ],
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
