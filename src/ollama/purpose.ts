import type { Dialect, Operation, Purpose } from "../types.ts";

/** What is asked for stands at the beginning; the chat that it is about may follow at any length. */
const HEAD_LENGTH = 600;

/**
 * What clients ask a model on their own account, by the words of their built-in prompts. Each wants the kind of answer
 * named and the word that only such a prompt has beside it: a person who asks for a title is chatting.
 */
const TASKS: readonly (readonly [Purpose, RegExp])[] = [
  ["autocomplete", /^#+ ?task:?\s+you are an? auto-?completion system/i],
  ["follow-up", /^#+ ?task:?\s[^]{0,80}\bfollow-?up (?:questions|prompts)/i],
  ["title", /^#+ ?task:?\s[^]{0,80}\btitle\b/i],
  ["tags", /^#+ ?task:?\s[^]{0,40}\btags\b/i],
  ["query", /^#+ ?task:?\s[^]{0,160}\b(?:search|retrieval) quer(?:y|ies)/i],
  ["emoji", /^your task is to reflect the speaker's likely facial expression through a fitting emoji/i],
  ["task", /^#+ ?task:?\s[^]{0,80}\b(?:detailed )?prompt for an? image generation task/i],
  ["task", /^available tools:[^]{0,400}\byour task is to choose and return the correct tool/i],
  [
    "title",
    /\b(?:generate|create|write|provide|give|suggest|reply with)\b[^.\n]{0,40}\b(?:concise|short|brief|\d+(?:[- ]\d+)?[- ]words?(?:-or-less)?)\b[^.\n]{0,40}\b(?:title|name)\b[^.\n]{0,60}\b(?:chat|conversation|thread|dialogue)/i,
  ],
  ["title", /^based on the chat history, give this conversation a name/i],
  ["title", /\breply with a title for (?:the|this) chat\b/i],
];

const TITLE_SYSTEM = /^you are an? (?:\w+ ){0,2}title generator\b/i;
const CHAT_HISTORY = /^#+ ?task:?\s[^]*<chat_history>/i;

/** What a chat is for, by its instructions and the last thing that was said in it. */
export function purposeOfChat(system: string | undefined, lastUser: string | undefined): Purpose {
  const head = lastUser?.slice(0, HEAD_LENGTH).trimStart() ?? "";
  const task = TASKS.find(([, pattern]) => pattern.test(head));
  if (task !== undefined) {
    return task[0];
  }
  if (TITLE_SYSTEM.test(system?.slice(0, HEAD_LENGTH).trimStart() ?? "")) {
    return "title";
  }
  return CHAT_HISTORY.test(lastUser?.slice(0, 8 * HEAD_LENGTH) ?? "") ? "task" : "chat";
}

/** Marks that models were trained to fill in between: they stand in prompts of editors only. */
const FILL_IN =
  /<\|?fim[_▁-]?(?:prefix|suffix|middle|begin|hole|end)\|?>|<｜fim▁(?:begin|hole|end)｜>|<PRE>|\[SUFFIX\]|<\|code_(?:prefix|suffix)\|>/;
const EDGE_LENGTH = 4096;
const SHORT_COMPLETION_TOKENS = 512;

/**
 * What a completion without chat messages is for: an editor asks for what belongs between two pieces, or, on the
 * OpenAI path, for a few tokens up to one of its stop words.
 */
export function purposeOfCompletion(
  fields: Map<string, unknown>,
  { dialect }: { operation: Operation; dialect: Dialect },
): Purpose {
  const suffix = fields.get("suffix");
  const prompt = fields.get("prompt");
  const text = typeof prompt === "string" ? prompt : "";
  if (
    (typeof suffix === "string" && suffix !== "") ||
    FILL_IN.test(text.slice(0, EDGE_LENGTH)) ||
    FILL_IN.test(text.slice(-EDGE_LENGTH))
  ) {
    return "autocomplete";
  }
  const most = fields.get("max_tokens");
  const isShort =
    dialect === "openai" &&
    typeof most === "number" &&
    most <= SHORT_COMPLETION_TOKENS &&
    Array.isArray(fields.get("stop"));
  return isShort ? "autocomplete" : "single";
}
