import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAnswerEvent } from "../../src/ollama/answerEvent.ts";
import { isPlainContent } from "../../src/ollama/plainChunk.ts";

/** Text that tries to look like the end of a chunk. */
const text = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        '"',
        ":",
        "\\",
        ",",
        "}",
        "{",
        '"done":false}',
        ',"done":false}',
        '},"finish_reason":null}]}',
        "x",
      ),
    )
    .map((parts) => parts.join("")),
);

function judge(value: object, dialect: "ollama" | "openai") {
  const bytes = Buffer.from(JSON.stringify(value));
  return {
    plain: isPlainContent(bytes, { dialect, name: "" }),
    event: readAnswerEvent({ ...value }, dialect),
  };
}

describe("what is told by its last bytes", () => {
  const toolCalls = fc.constantFrom(undefined, [
    { function: { name: "f", arguments: { content: "", done: true } } },
  ]);

  it("is content, not the end and no error, in every native line", () => {
    const line = fc.oneof(
      fc.record({ model: text, response: text, done: fc.boolean() }),
      fc.record({ model: text, response: text, thinking: text, done: fc.boolean() }),
      fc.record({
        model: text,
        message: fc.record({ role: text, content: text, tool_calls: toolCalls }),
        done: fc.boolean(),
      }),
      fc.record({
        model: text,
        message: fc.record({ role: text, content: text, thinking: text }),
        done: fc.boolean(),
      }),
      fc.record({ error: text }),
      fc.record({ status: text }),
      fc.record({ response: text, done: fc.boolean(), done_reason: text }),
    );
    let plainCount = 0;
    fc.assert(
      fc.property(line, (value) => {
        const { plain, event } = judge(value, "ollama");
        if (plain) {
          plainCount += 1;
          expect(event).toMatchObject({ content: true });
          expect(event.final ?? false).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
    expect(plainCount).toBeGreaterThan(100);
  });

  it("is content, not the end and no error, in every OpenAI chunk", () => {
    const reason = fc.constantFrom(null, null, "stop", "length");
    const choice = fc.oneof(
      fc.record({ index: fc.constant(0), delta: fc.record({ content: text }), finish_reason: reason }),
      fc.record({
        delta: fc.record({ role: fc.constant("assistant"), content: text }),
        finish_reason: reason,
      }),
      fc.record({ delta: fc.record({ content: text, reasoning: text }), finish_reason: reason }),
      fc.record({ text, index: fc.constant(0), finish_reason: reason }),
    );
    const chunk = fc.oneof(
      fc.record({ model: text, choices: fc.tuple(choice) }),
      fc.record({ model: text, choices: fc.tuple(choice), usage: fc.constant({ prompt_tokens: 1 }) }),
      fc.record({ error: fc.record({ message: text }) }),
    );
    let plainCount = 0;
    fc.assert(
      fc.property(chunk, (value) => {
        const { plain, event } = judge(value, "openai");
        if (plain) {
          plainCount += 1;
          expect(event).toMatchObject({ content: true });
          expect(event.doneReason).toBeUndefined();
        }
      }),
      { numRuns: 2000 },
    );
    expect(plainCount).toBeGreaterThan(50);
  });

  it.each([
    ['{"response":"x","done":false}', "ollama", true],
    ['{"message":{"content":"x"},"done":false}', "ollama", true],
    ['{"response":"","done":false}', "ollama", false],
    ['{"message":{"content":""},"done":false}', "ollama", false],
    ['{"response":"a:\\"","done":false}', "ollama", true],
    ['{"response":"x","done":true}', "ollama", false],
    ["", "ollama", false],
    [',"done":false}', "ollama", false],
    ['{"choices":[{"delta":{"content":"x"},"finish_reason":null}]}', "openai", true],
    ['{"choices":[{"delta":{"content":""},"finish_reason":null}]}', "openai", false],
    ['{"choices":[{"delta":{},"finish_reason":null}]}', "openai", false],
    ['{"response":"x","done":false}', "none", false],
  ] as const)("%s in %s: %s", (line, dialect, expected) => {
    expect(isPlainContent(Buffer.from(line), { dialect, name: "" })).toBe(expected);
  });

  it.each([
    ["content_block_delta", "anthropic", true],
    ["message_delta", "anthropic", false],
    ["response.output_text.delta", "responses", true],
    ["response.completed", "responses", false],
    ["", "responses", false],
  ] as const)("the event %s of %s: %s", (name, dialect, expected) => {
    expect(isPlainContent(Buffer.from("{}"), { dialect, name })).toBe(expected);
  });
});
