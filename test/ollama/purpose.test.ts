import { describe, expect, it } from "vitest";
import { purposeOfChat, purposeOfCompletion } from "../../src/ollama/purpose.ts";

const history = "\n### Chat History:\n<chat_history>\nUSER: hi\nASSISTANT: hello\n</chat_history>";

describe("purposeOfChat", () => {
  it.each([
    [
      "title",
      `### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.${history}`,
    ],
    [
      "tags",
      `### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.${history}`,
    ],
    [
      "follow-up",
      `### Task:\nSuggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next.${history}`,
    ],
    [
      "query",
      `### Task:\nAnalyze the chat history to determine the necessity of generating search queries, in the given language.${history}`,
    ],
    ["autocomplete", "### Task:\nYou are an autocompletion system. Continue the text in `<text>`."],
    [
      "emoji",
      "Your task is to reflect the speaker's likely facial expression through a fitting emoji. Message: hi",
    ],
    ["task", `### Task:\nDo something that nobody here has heard of.${history}`],
    ["title", "Generate a concise 3-7 word title for this conversation, omitting punctuation."],
    ["title", "Provide a concise, 5-word-or-less title for the conversation, using its same language."],
    ["title", "Based on the chat history, give this conversation a name.\nKeep it short."],
  ])("knows a %s", (purpose, text) => {
    expect(purposeOfChat(undefined, text)).toBe(purpose);
  });

  it.each([
    "hi",
    "",
    "Write a title for my novel about a conversation on a train.",
    "### Task:\nRespond to the user query using the provided context, incorporating inline citations.\n<context>x</context>",
    "Please tag these photos and suggest follow-up questions.",
    "# Task: sort a list in Python",
  ])("takes %j for what a person says", (text) => {
    expect(purposeOfChat("You are a helpful assistant.", text)).toBe("chat");
  });

  it("knows a program by its instructions", () => {
    expect(purposeOfChat("You are a title generator. You output ONLY a thread title.", "fix my code")).toBe(
      "title",
    );
  });

  it("is quick with long text that almost fits", () => {
    const text = `### Task:\n${"generate a title tag ".repeat(50_000)}`;
    const started = performance.now();
    purposeOfChat(text, text);
    expect(performance.now() - started).toBeLessThan(50);
  });
});

describe("purposeOfCompletion", () => {
  const purpose = (fields: object, dialect: "ollama" | "openai" = "ollama") =>
    purposeOfCompletion(new Map(Object.entries(fields)), { operation: "generate", dialect });

  it.each([
    [{ prompt: "def a(", suffix: "return a" }],
    [{ prompt: "<|fim_prefix|>def a(<|fim_suffix|>return a<|fim_middle|>", raw: true }],
    [{ prompt: "<fim_prefix>x<fim_suffix>y<fim_middle>" }],
    [{ prompt: "<PRE> x <SUF>y <MID>" }],
    [{ prompt: "<｜fim▁begin｜>x<｜fim▁hole｜>y<｜fim▁end｜>" }],
    [{ prompt: `${"x".repeat(100_000)}[SUFFIX]y[PREFIX]x` }],
  ])("knows an editor", (fields) => {
    expect(purpose(fields)).toBe("autocomplete");
  });

  it("takes other prompts for one of a kind", () => {
    expect(purpose({ prompt: "Why is the sky blue?", suffix: "" })).toBe("single");
    expect(purpose({ prompt: 3, suffix: null })).toBe("single");
    expect(purpose({ prompt: "x", max_tokens: 100 }, "openai")).toBe("single");
    expect(purpose({ prompt: "x", max_tokens: 100, stop: ["\n"] }, "openai")).toBe("autocomplete");
  });
});
