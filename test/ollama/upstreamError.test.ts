import { describe, expect, it } from "vitest";
import { describeUpstreamError, errorBody } from "../../src/ollama/upstreamError.ts";

describe("errors that are Ollama's own words", () => {
  it.each([
    "model 'nope:latest' not found",
    'model "nope" not found, try pulling it first',
    "model requires more system memory (32.9 GiB) than is available (23.0 GiB)",
    "llama runner process has terminated with exit code -1",
    "llama-server process has terminated: signal: killed",
    "an error was encountered while running the model: unexpected EOF",
    "error reading llama-server response: context canceled",
    "error reading llm response: context canceled",
    'Post "http://127.0.0.1:44497/completion": context canceled',
    "request canceled",
    "registry.ollama.ai/library/gemma3:270m does not support tools",
    '"gemma3:270m" does not support thinking',
    "this model does not support embeddings",
    "the input length exceeds the context length",
    "max_tokens is required and must be positive",
    'option "num_ctx" must be of type integer',
    "json: cannot unmarshal string into Go struct field ChatRequest.messages of type []api.Message",
    "ollama cloud is disabled: remote model is unavailable",
    'pull model manifest: Get "https://registry.ollama.ai/v2/library/x/manifests/latest": no such host',
  ])("%s", (text) => {
    expect(describeUpstreamError(text, 500)).toMatchObject({ code: "http-500", message: text });
  });

  it("keep their white space in one line and at most 200 characters", () => {
    const text = `llama-server process has terminated: exit status 1: ggml_aligned_malloc: insufficient memory\n${"x ".repeat(300)}`;
    const { message } = describeUpstreamError(text, 500);
    expect(message).toHaveLength(200);
    expect(message).toContain("insufficient memory x x");
    expect(
      describeUpstreamError("server busy, please try again.  maximum pending requests exceeded", 503),
    ).toEqual({
      code: "http-503",
      message: "server busy, please try again. maximum pending requests exceeded",
    });
  });

  it.each([
    "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details: zebra",
    "an error was encountered while running the model: zebra",
    "error reading llama-server chat response: zebra",
    "llama-server chat error: map[code:500 message:The model produced output that does not match the expected peg-native format: zebra type:server_error]",
  ])("lose what follows them: %s", (text) => {
    const { message } = describeUpstreamError(text, 500);
    expect(message).not.toContain("zebra");
    expect(message).not.toContain("not kept");
  });
});

describe("a prompt that is too long", () => {
  it("is told with the figures that llama-server put into the text", () => {
    const inner = {
      error: {
        code: 400,
        message: "request (1519 tokens) exceeds the available context size (512 tokens), try increasing it",
        type: "exceed_context_size_error",
        n_prompt_tokens: 1519,
        n_ctx: 512,
      },
    };
    expect(describeUpstreamError(JSON.stringify(inner), 400)).toEqual({
      code: "http-400",
      message: "request (1519 tokens) exceeds the available context size (512 tokens)",
      promptTooLong: { promptTokens: 1519, contextLength: 512 },
    });
  });

  it.each([
    "the input length exceeds the context length",
    "the prompt is longer than the context length currently available to the model; shorten the prompt, …",
  ])("is told without figures: %s", (text) => {
    expect(describeUpstreamError(text, 400).promptTooLong).toEqual({});
  });
});

describe("every other error", () => {
  it.each([
    'template: chat:1: executing "chat" at <zebra>',
    'invalid think value: "zebra" (must be …)',
    "zebra model 'x' not found",
    '{"error":{"message":"zebra"}}',
    '{"error":"zebra"',
  ])("could quote the prompt and is not kept: %s", (text) => {
    expect(describeUpstreamError(text, 500)).toEqual({
      code: "http-500",
      message: "Ollama answered 500 with an error that is not kept, because it could quote the prompt.",
    });
  });

  it.each([undefined, ""])("without words says so: %j", (text) => {
    expect(describeUpstreamError(text, 502)).toEqual({
      code: "http-502",
      message: "Ollama answered 502 without saying why.",
    });
  });

  it("in a stream has no status to be named after", () => {
    expect(describeUpstreamError("request canceled", 200).code).toBe("upstream-error");
  });
});

describe("our own errors", () => {
  it("look as Ollama's do in each dialect", () => {
    const error = { status: 502, message: "no Ollama" };
    expect(errorBody("ollama", error)).toBe('{"error":"no Ollama"}');
    expect(errorBody("none", error)).toBe('{"error":"no Ollama"}');
    expect(errorBody("openai", error)).toBe(
      '{"error":{"message":"no Ollama","type":"api_error","param":null,"code":null}}',
    );
    expect(errorBody("anthropic", error)).toBe(
      '{"type":"error","error":{"type":"api_error","message":"no Ollama"}}',
    );
  });

  it.each([
    ["openai", 400, "invalid_request_error"],
    ["responses", 404, "not_found_error"],
    ["openai", 503, "api_error"],
    ["anthropic", 503, "overloaded_error"],
    ["anthropic", 401, "authentication_error"],
    ["anthropic", 500, "api_error"],
  ] as const)("in %s with status %d are of type %s", (dialect, status, type) => {
    expect(JSON.parse(errorBody(dialect, { status, message: "m" })).error.type).toBe(type);
  });

  it("can be of a type of their own", () => {
    expect(JSON.parse(errorBody("openai", { status: 400, message: "m", type: "guard" })).error.type).toBe(
      "guard",
    );
  });
});
