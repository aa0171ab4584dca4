import { describe, expect, it } from "vitest";
import { halvesOf, promptCuts, type PromptRead } from "../../src/chats/cutPrompt.ts";

const chat: PromptRead = {
  prompt: { messageCount: 9, imageCount: 0 },
  inputTokens: 480,
  contextLength: 512,
  sent: { best: 600, low: 590, newTokens: 40, anchored: true },
  largestMessageTokens: 60,
};

describe("what is left of a prompt that is too long", () => {
  it.each([
    [512, 259],
    [4096, 2051],
  ])("num_ctx %d leaves %d since v0.30", (contextLength, left) => {
    expect(halvesOf(contextLength)).toContain(left);
  });
});

describe("a chat that does not fit", () => {
  it("lost its oldest messages", () => {
    expect(promptCuts(chat)).toEqual([{ kind: "messages-dropped", tokensLost: 120 }]);
  });

  it("whose rest came to num_ctx by accident lost no more than they were before v0.30", () => {
    expect(promptCuts({ ...chat, inputTokens: 512 })).toEqual([{ kind: "messages-dropped", tokensLost: 88 }]);
  });

  it("and since then half of the rest as well", () => {
    expect(promptCuts({ ...chat, inputTokens: 259 })).toEqual([
      { kind: "messages-dropped", tokensLost: 88 },
      { kind: "truncated", tokensLost: 253 },
    ]);
  });

  it("whose last message alone is too long lost all others, and the middle of that one", () => {
    const sent = { best: 1600, low: 1500, newTokens: 1000, anchored: true };
    expect(promptCuts({ ...chat, inputTokens: 259, sent })).toEqual([
      { kind: "messages-dropped", tokensLost: 600 },
      { kind: "truncated", tokensLost: 741 },
    ]);
  });

  it("is found by a little less than fits, where counts alone leave it open", () => {
    const near = { ...chat, inputTokens: 460, sent: { best: 511, low: 505, newTokens: 40, anchored: true } };
    expect(promptCuts(near)).toEqual([{ kind: "messages-dropped", tokensLost: 51 }]);
    expect(promptCuts({ ...near, reused: true })).toEqual([]);
    expect(promptCuts({ ...near, inputTokens: 250 })).toEqual([]);
  });

  it("makes room for images as large as Ollama takes them to be", () => {
    const images = { ...chat, contextLength: 4096, inputTokens: 2200 };
    const sent = { best: 2900, low: 2850, newTokens: 40, anchored: true };
    expect(promptCuts({ ...images, sent })).toEqual([]);
    const prompt = { messageCount: 9, imageCount: 4 };
    expect(promptCuts({ ...images, sent, prompt })).toEqual([{ kind: "messages-dropped", tokensLost: 700 }]);
  });
});

describe("a single prompt", () => {
  const single: PromptRead = {
    prompt: { messageCount: 1, imageCount: 0 },
    inputTokens: 259,
    contextLength: 512,
  };

  it("is known to the token where the answer lists its own", () => {
    expect(promptCuts({ ...single, exactSentTokens: 1014 })).toEqual([
      { kind: "truncated", tokensLost: 755 },
    ]);
  });

  it("that happens to have as many tokens as half a window is whole", () => {
    expect(promptCuts({ ...single, exactSentTokens: 259 })).toEqual([]);
    expect(promptCuts({ ...single, sent: { best: 250, low: 140, anchored: false } })).toEqual([]);
  });

  it("with an image is never cut in its middle", () => {
    const prompt = { messageCount: 1, imageCount: 1 };
    expect(promptCuts({ ...single, prompt, sent: { best: 1014, low: 700, anchored: false } })).toEqual([]);
  });
});

it("nothing is said of what nothing is known of", () => {
  expect(promptCuts({ ...chat, sent: undefined })).toEqual([]);
  expect(promptCuts({ ...chat, inputTokens: 700 })).toEqual([]);
});
