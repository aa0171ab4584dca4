import { zstdCompressSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRequest, type RequestContext } from "../../src/ollama/request.ts";

const CHAT: RequestContext = { operation: "chat", dialect: "ollama" };
const GENERATE: RequestContext = { operation: "generate", dialect: "ollama" };
const OPENAI: RequestContext = { operation: "chat", dialect: "openai" };
const ANTHROPIC: RequestContext = { operation: "chat", dialect: "anthropic" };
const RESPONSES: RequestContext = { operation: "chat", dialect: "responses" };

/** Names that mean something in one dialect or another. */
const KEYS =
  "messages content Prompt system images options num_ctx keep_alive stream input tools type text stream_options max_tokens __proto__ suffix shift".split(
    " ",
  );

function read(body: unknown, context: RequestContext) {
  return readRequest(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), context);
}

describe("a native chat", () => {
  it("tells model, context, limits and what the model has to read", () => {
    const facts = read(
      {
        model: "gemma3:270m",
        messages: [
          { role: "system", content: "Be short." },
          { role: "user", content: "Größe?", images: ["aGk=", "aGk="] },
        ],
        options: { num_ctx: 8192, num_predict: 32, temperature: 0 },
        keep_alive: "10m",
      },
      CHAT,
    );
    expect(facts).toEqual({
      model: "gemma3:270m",
      stream: true,
      messageCount: 2,
      imageCount: 2,
      textBytes: 9 + 8,
      requestedContextLength: 8192,
      maxOutputTokens: 32,
      runnerOptions: { num_ctx: 8192 },
      keepAliveSeconds: 600,
    });
  });

  it("counts tool calls, tool results and tool definitions as text, earlier thinking not", () => {
    const tools = [{ type: "function", function: { name: "f" } }];
    const call = [{ function: { name: "f", arguments: { city: "Rome" } } }];
    const facts = read(
      {
        tools,
        messages: [
          { role: "assistant", content: "", thinking: "long thoughts", tool_calls: call },
          { role: "tool", content: "sunny" },
        ],
      },
      CHAT,
    );
    expect(facts.textBytes).toBe(JSON.stringify(tools).length + JSON.stringify(call).length + 5);
  });

  it("lists every option whose change reloads the runner, and no other", () => {
    const options = {
      num_ctx: 4096,
      num_batch: 512,
      num_gpu: -1,
      main_gpu: 0,
      use_mmap: false,
      num_thread: 8,
      draft_num_predict: 4,
      temperature: 1,
      seed: 7,
    };
    const facts = read({ messages: [{ content: "x" }], options, shift: false, truncate: false }, CHAT);
    expect(facts.runnerOptions).toEqual({
      num_ctx: 4096,
      num_batch: 512,
      num_gpu: -1,
      main_gpu: 0,
      use_mmap: false,
      num_thread: 8,
      draft_num_predict: 4,
      shift: false,
    });
  });
});

describe("keys", () => {
  it("match in any case, and the last one in the document wins", () => {
    expect(
      read('{"Model":"a","STREAM":false,"mOdEl":"b","Messages":[{"Content":"hi"}]}', CHAT),
    ).toMatchObject({
      model: "b",
      stream: false,
      textBytes: 2,
    });
    expect(read('{"model":"a","model":"b"}', CHAT).model).toBe("b");
  });

  it("fold the long s as Go does", () => {
    expect(read('{"ſtream":false}', CHAT).stream).toBe(false);
  });

  it("inside options match exactly, for Ollama ignores others there", () => {
    expect(read({ options: { Num_Ctx: 1 } }, CHAT).requestedContextLength).toBeUndefined();
  });

  it("may be `name` where `model` is empty", () => {
    expect(read('{"model":"","name":"gemma3"}', { operation: "pull", dialect: "ollama" })).toEqual({
      model: "gemma3",
      stream: true,
    });
  });
});

describe("the body", () => {
  it.each([" trailing garbage", '{"model":"second"}', "\n]"])(
    "ends with its first value: %j follows",
    (rest) => {
      const body = `{"model":"a","messages":[{"content":"} ] \\" \\\\"}]}${rest}`;
      expect(read(body, CHAT)).toMatchObject({ model: "a", messageCount: 1 });
    },
  );

  it.each(["", "{", '{"model":"a"', "[1]", "null", '"text"', "7", "\uFEFF{}", "}{"])(
    "%j is not JSON to read",
    (body) => {
      expect(read(body, CHAT)).toEqual({ unread: "not-json" });
    },
  );

  it("of more than 32 MiB is not read", () => {
    expect(readRequest(new Uint8Array(32 * 1024 * 1024 + 1), CHAT)).toEqual({ unread: "too-large" });
  });

  it("with broken UTF-8 is read as Go reads it", () => {
    const body = Buffer.concat([Buffer.from('{"model":"a'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(readRequest(body, CHAT).model).toBe("a\uFFFD");
  });

  it("takes wrong types for absent", () => {
    const facts = read(
      { model: 7, stream: "yes", messages: "x", options: [1], keep_alive: {}, tools: 3, shift: null },
      CHAT,
    );
    expect(facts).toEqual({ stream: true, messageCount: 1, imageCount: 0, textBytes: 1 });
  });

  it("cannot reach the prototype of anything", () => {
    const body =
      '{"__proto__":{"model":"evil","polluted":1},"constructor":{"prototype":{"polluted":1}},"options":{"__proto__":{"num_ctx":9}}}';
    expect(read(body, CHAT)).toEqual({
      stream: true,
      messageCount: 0,
      imageCount: 0,
      textBytes: 0,
      empty: true,
    });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("nested a hundred thousand deep neither throws nor counts", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect(read(`{"model":"a","tools":${deep},"messages":[{"content":${deep}}]}`, CHAT).model).toBe("a");
  });

  it("never makes the reader throw, and no text of it comes back", () => {
    const word = "zebra-prompt";
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(null, true, word, -1, 0, Number.POSITIVE_INFINITY, 2.5),
        fc.array(tie("value"), { maxLength: 3 }),
        tie("object"),
      ),
      object: fc.dictionary(fc.constantFrom(...KEYS), tie("value")),
    })).object;
    const operations = fc.constantFrom("chat", "generate", "embed", "pull", "create", "other" as const);
    const dialects = fc.constantFrom("ollama", "openai", "responses", "anthropic", "none" as const);
    fc.assert(
      fc.property(json, operations, dialects, (body, operation, dialect) => {
        const facts = read(body, { operation, dialect });
        expect(JSON.stringify(facts)).not.toContain("zebra");
        for (const value of Object.values(facts)) {
          expect(Number.isNaN(value)).toBe(false);
        }
      }),
    );
  });
});

describe("streaming", () => {
  it.each([
    [{}, CHAT, true],
    [{ stream: null }, CHAT, true],
    [{ stream: false }, CHAT, false],
    [{}, OPENAI, false],
    [{ stream: true }, OPENAI, true],
    [{}, { operation: "pull", dialect: "ollama" } as RequestContext, true],
    [{ stream: true }, { operation: "embed", dialect: "ollama" } as RequestContext, false],
  ])("%j under %j streams: %s", (body, context, expected) => {
    expect(read(body, context).stream).toBe(expected);
  });
});

describe("load and unload", () => {
  it.each([
    [{ model: "a" }, GENERATE, true],
    [{ prompt: "" }, GENERATE, true],
    [{ prompt: null }, GENERATE, true],
    [{ prompt: "", images: ["aGk="], suffix: "x", raw: true }, GENERATE, true],
    [{ prompt: "x" }, GENERATE, undefined],
    [{ prompt: 5 }, GENERATE, undefined],
    [{ prompt: "" }, { operation: "generate", dialect: "openai" } as RequestContext, true],
    [{}, CHAT, true],
    [{ messages: [] }, CHAT, true],
    [{ messages: [{ content: "" }] }, CHAT, undefined],
    [{ messages: "x" }, CHAT, undefined],
    [{ messages: [] }, OPENAI, undefined],
    [{ input: "" }, { operation: "embed", dialect: "ollama" } as RequestContext, undefined],
  ])("%j under %j only loads: %s", (body, context, empty) => {
    expect(read(body, context).empty).toBe(empty);
  });

  it.each([
    [0, 0],
    ["0", 0],
    ["0s", 0],
    [1e-10, 0],
    ["5m", 300],
    [90, 90],
    [1.5, 1.5],
    [-1, -1],
    [-0.5, -1],
    ["-5m", -1],
    ["5", undefined],
    ["for ever", undefined],
    [null, undefined],
    [true, undefined],
  ])("keep_alive %j keeps %s seconds", (keepAlive, seconds) => {
    expect(read({ keep_alive: keepAlive }, CHAT).keepAliveSeconds).toBe(seconds);
  });
});

describe("limits", () => {
  it.each([
    [{ options: { num_predict: 40 } }, CHAT, 40],
    [{ options: { num_predict: -1 } }, CHAT, undefined],
    [{ max_tokens: 5 }, CHAT, undefined],
    [{ max_tokens: 12 }, OPENAI, 12],
    [{ max_completion_tokens: 13 }, OPENAI, 13],
    [{ max_tokens: 12, max_completion_tokens: 13 }, OPENAI, 12],
    [{ max_output_tokens: 14 }, RESPONSES, 14],
    [{ max_tokens: 15 }, ANTHROPIC, 15],
    [{ max_tokens: null }, ANTHROPIC, undefined],
    [{ options: { num_predict: 9 } }, OPENAI, undefined],
  ])("%j under %j allows %s tokens", (body, context, tokens) => {
    expect(read(body, context).maxOutputTokens).toBe(tokens);
  });

  it.each([
    [2048.9, 2048],
    ["4096", undefined],
    [null, undefined],
    [-5, undefined],
    [0, undefined],
  ])("num_ctx %j asks for %s", (value, length) => {
    expect(read({ options: { num_ctx: value } }, CHAT).requestedContextLength).toBe(length);
  });

  it("num_ctx beyond numbers is absent", () => {
    expect(read('{"options":{"num_ctx":1e999}}', CHAT).runnerOptions).toBeUndefined();
  });

  it("usage in a stream is asked for by stream_options", () => {
    expect(read({ stream_options: { include_usage: true } }, OPENAI).includeUsage).toBe(true);
    expect(read({ stream_options: { include_usage: "yes" } }, OPENAI).includeUsage).toBeUndefined();
  });
});

describe("the other dialects", () => {
  it("OpenAI: content parts and images", () => {
    const parts = [
      { type: "text", text: "what is it" },
      { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } },
    ];
    const messages = [
      { role: "system", content: "short" },
      { role: "user", content: parts },
    ];
    expect(read({ messages }, OPENAI)).toMatchObject({ messageCount: 2, imageCount: 1, textBytes: 15 });
  });

  it("Anthropic: system blocks, tool use and tool results; thinking is not read again", () => {
    const body = {
      system: [{ type: "text", text: "abc" }],
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { data: "aGk=" } },
            { type: "text", text: "de" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "…" },
            { type: "tool_use", input: { a: 1 } },
          ],
        },
        { role: "user", content: [{ type: "tool_result", content: [{ type: "text", text: "f" }] }] },
      ],
    };
    const textBytes = 3 + 2 + '{"a":1}'.length + 1;
    expect(read(body, ANTHROPIC)).toMatchObject({ messageCount: 3, imageCount: 1, textBytes });
  });

  it("Responses: instructions and an input of text or items", () => {
    expect(read({ input: "hello", instructions: "abc" }, RESPONSES)).toMatchObject({
      messageCount: 1,
      textBytes: 8,
    });
    const input = [
      {
        role: "user",
        content: [
          { type: "input_text", text: "ab" },
          { type: "input_image", image_url: "data:" },
        ],
      },
      { type: "function_call", name: "f", arguments: '{"x":1}' },
      { type: "function_call_output", output: "sun" },
      { type: "reasoning", content: [{ text: "hidden" }] },
    ];
    expect(read({ input }, RESPONSES)).toMatchObject({
      messageCount: 4,
      imageCount: 1,
      textBytes: 2 + 7 + 3,
    });
  });

  it("embeddings: text or a list of texts", () => {
    const embed: RequestContext = { operation: "embed", dialect: "ollama" };
    expect(read({ input: ["ab", "cde"] }, embed).textBytes).toBe(5);
    expect(read({ prompt: "abcd" }, embed).textBytes).toBe(4);
    expect(read({ input: [1, 2, 3] }, { operation: "embed", dialect: "openai" }).textBytes).toBe(0);
  });
});

describe("a compressed body", () => {
  const json = Buffer.from(JSON.stringify({ model: "a", messages: [{ content: "hi" }] }));

  it("is unpacked when it is zstd on /v1, as Ollama does", () => {
    const facts = readRequest(zstdCompressSync(json), { ...OPENAI, contentEncoding: "zstd" });
    expect(facts).toMatchObject({ model: "a", textBytes: 2 });
  });

  it.each([
    [zstdCompressSync(json), { ...CHAT, contentEncoding: "zstd" }],
    [gzipSync(json), { ...OPENAI, contentEncoding: "gzip" }],
    [Buffer.from("no zstd"), { ...OPENAI, contentEncoding: "zstd" }],
  ])("is not read otherwise", (bytes, context) => {
    expect(readRequest(bytes, context)).toEqual({ unread: "encoding" });
  });

  it("that only says so is plain JSON, for Ollama ignores the header", () => {
    expect(readRequest(json, { ...CHAT, contentEncoding: "gzip" }).model).toBe("a");
  });

  it("may not unpack to more than 20 MiB", () => {
    const bomb = zstdCompressSync(Buffer.alloc(21 * 1024 * 1024, " "));
    expect(bomb.length).toBeLessThan(10_000);
    expect(readRequest(bomb, { ...OPENAI, contentEncoding: "zstd" })).toEqual({ unread: "too-large" });
  });
});

describe("what is new in a turn", () => {
  const answered = { role: "assistant", content: "an answer" };

  it.each([
    [
      "ollama",
      CHAT,
      { messages: [{ role: "user", content: "a" }, answered, { role: "user", content: "bcd" }] },
    ],
    [
      "openai",
      OPENAI,
      { messages: [answered, { role: "tool", content: "b" }, { role: "user", content: "cd" }] },
    ],
    [
      "anthropic",
      ANTHROPIC,
      { messages: [answered, { role: "user", content: [{ type: "text", text: "bcd" }] }] },
    ],
    [
      "responses",
      RESPONSES,
      {
        input: [
          { type: "function_call", arguments: "{}" },
          { type: "function_call_output", output: "bcd" },
        ],
      },
    ],
  ])("is the text after the last answer: %s", (_, context, body) => {
    expect(read(body, context).newTextBytes).toBe(3);
  });

  it("is nothing after an answer that the model is to go on with", () => {
    expect(read({ messages: [{ role: "user", content: "a" }, answered] }, CHAT).newTextBytes).toBe(0);
  });

  it("is not told where nothing was answered yet", () => {
    expect(read({ messages: [{ role: "user", content: "a" }] }, CHAT)).not.toHaveProperty("newTextBytes");
  });
});
