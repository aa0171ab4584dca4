import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitPrompt, type PromptMessage } from "../../src/demo/engine/prompt.ts";
import { textPieces, tokenize } from "../../src/demo/engine/tokens.ts";
import { prose } from "../../src/demo/prose.ts";
import { createRandom } from "../../src/demo/random.ts";

const random = createRandom(7);
const message = (role: string, tokens: number): PromptMessage => ({
  role,
  text: prose(random, tokens),
  imageCount: 0,
});
const limits = (contextLength: number, more = {}) => ({
  contextLength,
  truncate: true,
  shift: true,
  ...more,
});
const fitted = (...args: Parameters<typeof fitPrompt>): number[] => {
  const result = fitPrompt(...args);
  if ("tooLong" in result) throw new Error(`too long: ${result.tooLong}`);
  return result.tokens;
};

describe("tokens", () => {
  it("are pieces that make up the text", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => textPieces(text).join("") === text));
  });

  it("hold some four bytes of English each", () => {
    const text = prose(createRandom(3), 1000);
    expect(tokenize(text)).toHaveLength(1000);
    expect(text.length / 1000).toBeGreaterThan(3);
    expect(text.length / 1000).toBeLessThan(5);
  });

  it("of a very long text are counted without cutting it", () => {
    expect(tokenize("word ".repeat(400_000))).toHaveLength(500_000);
  });
});

describe("fitting a prompt into the window", () => {
  it("adds five tokens a message, one for the start and three for the answer's header", () => {
    const tokens = fitted({ kind: "messages", messages: [message("user", 100)] }, limits(4096));
    expect(tokens).toHaveLength(100 + 5 + 1 + 3);
  });

  it("lets the next turn begin with all of this one and its answer", () => {
    const first = [message("user", 50)];
    const answer = message("assistant", 20);
    const before = fitted({ kind: "messages", messages: first }, limits(4096));
    const after = fitted(
      { kind: "messages", messages: [...first, answer, message("user", 10)] },
      limits(4096),
    );
    expect(after.slice(0, before.length + 20)).toEqual([...before, ...tokenize(answer.text)]);
  });

  it("drops the oldest messages but the system's, just as many as needed", () => {
    const messages = [message("system", 50), ...[1, 2, 3, 4].map(() => message("user", 100))];
    const tokens = fitted({ kind: "messages", messages }, limits(400));
    const without = [messages[0], ...messages.slice(2)].filter((each) => each !== undefined);
    expect(tokens).toEqual(fitted({ kind: "messages", messages: without }, limits(4096)));
  });

  it("cuts one message that is too long to half the window and its kept tokens", () => {
    const tokens = fitted({ kind: "messages", messages: [message("user", 1000)] }, limits(512));
    expect(tokens).toHaveLength(259);
  });

  it("falls into the half cut when the prompt fills the window to the last token", () => {
    const full = { kind: "messages", messages: [message("user", 512 - 9)] } as const;
    expect(fitted(full, limits(512))).toHaveLength(259);
  });

  it.each([{ truncate: false }, { shift: false }])("refuses it when told %o", (more) => {
    const prompt = { kind: "messages", messages: [message("user", 1000)] } as const;
    expect(fitPrompt(prompt, limits(512, more))).toEqual({ tooLong: 1009 });
  });

  it("goes on from the context of an earlier generate, and takes a raw prompt as it is", () => {
    const text = prose(random, 20);
    const raw = fitted({ kind: "text", text, raw: true, imageCount: 0 }, limits(4096));
    expect(raw).toEqual([1, ...tokenize(text)]);
    const context = [1, 2, 3];
    const continued = fitted({ kind: "text", text, raw: false, context, imageCount: 0 }, limits(4096));
    expect(continued.slice(0, 3)).toEqual(context);
  });

  it("counts 768 tokens for a picture", () => {
    const pictured = { role: "user", text: "", imageCount: 2 };
    expect(fitted({ kind: "messages", messages: [pictured] }, limits(4096))).toHaveLength(2 * 768 + 9);
  });
});
