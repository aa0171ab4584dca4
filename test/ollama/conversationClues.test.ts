import { describe, expect, it } from "vitest";
import { readRequest, type RequestContext } from "../../src/ollama/request.ts";
import { givenIds } from "../../src/ollama/givenIds.ts";

const chat: RequestContext = { operation: "chat", dialect: "ollama", salt: "s" };

function clues(body: object | string, context: Partial<RequestContext> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readRequest(Buffer.from(text), { ...chat, ...context }).conversation;
}

const hashes = (body: object, context?: Partial<RequestContext>) =>
  clues(body, context)?.messages?.map((message) => [message.role, message.hash]);

describe("what a request says of its conversation", () => {
  it("is nothing without a salt, and other hashes with another", () => {
    const body = { model: "m", messages: [{ role: "user", content: "hello" }] };
    expect(clues(body, { salt: undefined })).toBeUndefined();
    expect(hashes(body)).not.toEqual(hashes(body, { salt: "t" }));
    expect(JSON.stringify(clues(body))).not.toContain("hello");
  });

  it("is the same in every dialect and form", () => {
    const plain = hashes({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hello" },
        { role: "assistant", content: "good day" },
        { role: "user", content: "and?" },
      ],
    });
    expect(plain).toHaveLength(4);
    const parts = {
      messages: [
        { role: "developer", content: [{ type: "text", text: "Be brief." }] },
        { role: "user", content: [{ type: "text", text: " hello\n" }] },
        { role: "assistant", content: "good  day\n", reasoning: "hm", tool_calls: null },
        { Role: "user", Content: "and?" },
      ],
    };
    expect(hashes(parts, { dialect: "openai" })).toEqual(plain);
    const anthropic = {
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "hello" },
            { type: "text", text: "<system-reminder>x" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm" },
            { type: "text", text: "good day" },
          ],
        },
        { role: "user", content: "and?" },
      ],
    };
    expect(hashes(anthropic, { dialect: "anthropic" })).toEqual(plain);
    const responses = {
      instructions: "Be brief.",
      input: [
        { role: "user", content: [{ type: "input_text", text: "hello" }] },
        { type: "reasoning", summary: [] },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "good day" }] },
        { role: "user", content: "and?" },
      ],
    };
    expect(hashes(responses, { dialect: "responses" })).toEqual(plain);
  });

  it("takes results of tools for no words of the user", () => {
    const roles = (body: object, dialect: RequestContext["dialect"]) =>
      clues(body, { dialect })?.messages?.map((message) => message.role);
    const result = { type: "tool_result", tool_use_id: "x", content: "22" };
    expect(
      roles({ messages: [{ role: "user", content: [result, { type: "text", text: "on" }] }] }, "anthropic"),
    ).toEqual(["tool"]);
    expect(
      roles(
        {
          input: [
            { type: "function_call", name: "f" },
            { type: "function_call_output", output: "22" },
          ],
        },
        "responses",
      ),
    ).toEqual(["assistant", "tool"]);
    expect(
      roles(
        {
          messages: [
            { role: "tool", content: "22" },
            { role: "function", content: "x" },
          ],
        },
        "openai",
      ),
    ).toEqual(["tool", "tool"]);
  });

  it("tells images apart, not words about them", () => {
    const seen = (image: string) =>
      clues({ messages: [{ role: "user", content: "what is it?", images: [image] }] })?.messages?.[0];
    expect(seen("AAAA")?.hash).toBe(seen("BBBB")?.hash);
    expect(seen("AAAA")?.media).not.toBe(seen("BBBB")?.media);
    const part = clues(
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:x" } }] }] },
      { dialect: "openai" },
    );
    expect(part?.messages?.[0]).toEqual({ role: "user", length: 0, media: expect.any(String) });
  });

  it("names what a request refers to", () => {
    const responses = clues({ input: "on", previous_response_id: "resp_1" }, { dialect: "responses" });
    expect(responses?.previousResponseId).toBeDefined();
    const generate = { operation: "generate" } as const;
    expect(clues({ prompt: "x", context: [1, 2] }, generate)).toMatchObject({
      purpose: "chat",
      context: expect.any(String),
    });
    expect(clues({ prompt: "x", context: [] }, generate)).toEqual({ purpose: "single" });
    expect(clues({ prompt: "" }, generate)).toBeUndefined();
    expect(clues({ input: "x" }, { operation: "embed" })).toBeUndefined();
  });

  it.each([
    ["no list", { messages: "hello" }],
    ["an object", { messages: { role: "user", content: "x" } }],
    ["a number", { messages: 7 }],
  ])("is nothing where messages are %s", (_, body) => {
    expect(clues({ ...body, model: "m" })?.messages).toBeUndefined();
  });

  it("passes over what is no message", () => {
    const messages = [
      null,
      3,
      "x",
      [],
      {},
      { role: null, content: null },
      { role: "user" },
      { role: "user", content: [null, { type: "text" }, 4, [["deep"]]] },
    ];
    expect(clues({ messages })?.messages).toEqual([
      { role: "user", length: 0 },
      { role: "user", length: 0 },
    ]);
    expect(
      clues(`{"messages":[{"role":"user","content":${"[".repeat(5000)}${"]".repeat(5000)}}]}`)?.messages,
    ).toHaveLength(1);
  });

  it("keeps to the latest of very many messages", () => {
    const messages = Array.from({ length: 20_000 }, (_, index) => ({ role: "user", content: `${index}` }));
    const read = clues({ messages })?.messages;
    expect(read).toHaveLength(16_384);
    expect(read?.at(-1)?.hash).toBe(clues({ messages: messages.slice(-1) })?.messages?.[0]?.hash);
  });
});

describe("givenIds", () => {
  const of = (headers: Record<string, string>) => givenIds((name) => headers[name], "s");

  it("takes the first of the headers in their order", () => {
    const all = {
      "x-litellm-session-id": "d",
      "x-session-id": "c",
      "x-openwebui-chat-id": "b",
      "x-plimsoll-conversation": "a",
    };
    expect(of(all)).toEqual(of({ "x-plimsoll-conversation": "a" }));
    expect(of({ ...all, "x-plimsoll-conversation": "" })).toEqual(of({ "x-openwebui-chat-id": "b" }));
    expect(of({})).toEqual({});
  });

  it("is short and unreadable, whatever is given", () => {
    for (const id of ["x".repeat(1_000_000), "\u0000\u001b[31m\u007f", "secret"]) {
      expect(of({ "x-session-id": id }).givenId).toMatch(/^[\w-]{16}$/);
    }
    expect(of({ "x-openwebui-user-id": "anna" }).userId).toMatch(/^[\w-]{16}$/);
  });
});
