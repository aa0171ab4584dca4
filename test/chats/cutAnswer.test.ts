import { describe, expect, it } from "vitest";
import { answerCut, type AnswerRead } from "../../src/chats/cutAnswer.ts";

const answer: AnswerRead = {
  inputTokens: 13,
  outputTokens: 320,
  contextLength: 256,
  doneReason: "length",
  maxOutputTokens: 320,
  llamaServer: true,
};

describe("an answer longer than its window", () => {
  it("shifted it, by half of what may be forgotten", () => {
    // "n_left = 250, n_discard = 125", and 207 cells at the end
    expect(answerCut(answer)).toEqual({ kind: "context-shifted", tokensLost: 125 });
  });

  it("shifted it as often as it took", () => {
    const cut = answerCut({ ...answer, outputTokens: 600 });
    const tokensLost = cut?.kind === "context-shifted" ? cut.tokensLost : 0;
    expect(13 + 600 - 1 - tokensLost).toBeLessThan(256);
    expect(tokensLost % 125).toBe(0);
  });
});

describe("an answer that ended because the window was full", () => {
  it.each([
    [
      "gemma3 on v0.33, whose window cannot be shifted",
      { inputTokens: 11, outputTokens: 4085, contextLength: 4096 },
    ],
    ["shift:false on v0.24", { inputTokens: 23, outputTokens: 234, llamaServer: false }],
    [
      "a prompt cut to all of it",
      { inputTokens: 256, outputTokens: 0, maxOutputTokens: 8, llamaServer: false },
    ],
  ])("%s", (_, facts) => {
    expect(answerCut({ ...answer, maxOutputTokens: 5000, ...facts })).toEqual({ kind: "context-full" });
  });
});

describe("is neither", () => {
  it.each([
    [
      "an answer of the length that was asked for",
      { inputTokens: 156, outputTokens: 100, maxOutputTokens: 100 },
    ],
    ["one that stopped by itself", { outputTokens: 100, doneReason: "stop" }],
    ["one cut by a limit in the Modelfile", { outputTokens: 100, maxOutputTokens: undefined }],
  ])("%s", (_, facts) => {
    expect(answerCut({ ...answer, ...facts })).toBeUndefined();
  });
});
