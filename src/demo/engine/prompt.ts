/** From messages to the tokens a model reads, and what is lost on the way when they are too many. */
import { KEPT_TOKENS } from "./slot.ts";
import { tokenize } from "./tokens.ts";

export interface PromptMessage {
  role: string;
  text: string;
  imageCount: number;
}

export type Prompt =
  | { kind: "messages"; messages: readonly PromptMessage[] }
  /** `raw` goes in as it is; otherwise the template goes around it. `context` are the tokens of earlier turns. */
  | {
      kind: "text";
      system?: string;
      text: string;
      raw: boolean;
      context?: readonly number[];
      imageCount: number;
    };

export interface PromptLimits {
  contextLength: number;
  truncate: boolean;
  shift: boolean;
}

export type FittedPrompt = { tokens: number[] } | { tooLong: number };

const BEGIN = 1;
const OPEN = 2;
const NEW_LINE = 3;
const CLOSE = 4;
const ROLE_IDS: Record<string, number> = { system: 10, user: 11, assistant: 12, tool: 13 };
const OTHER_ROLE = 14;
const IMAGE = 20;
/** What Ollama counts for a picture when it looks for room. */
const IMAGE_TOKENS = 768;

/**
 * Oldest messages go first, one by one, until the rest fits; system messages and the last one stay. What is still too
 * long is cut to half the window: its first tokens and its end.
 */
export function fitPrompt(prompt: Prompt, limits: PromptLimits): FittedPrompt {
  const tokens = prompt.kind === "messages" ? dropMessages(prompt.messages, limits) : textTokens(prompt);
  if (tokens.length < limits.contextLength) return { tokens };
  if (!limits.truncate || !limits.shift) {
    return tokens.length === limits.contextLength ? { tokens } : { tooLong: tokens.length };
  }
  const kept = limits.contextLength - Math.floor((limits.contextLength - KEPT_TOKENS) / 2);
  return { tokens: [...tokens.slice(0, KEPT_TOKENS), ...tokens.slice(tokens.length - kept + KEPT_TOKENS)] };
}

function dropMessages(messages: readonly PromptMessage[], limits: PromptLimits): number[] {
  const rendered = messages.map((message) => ({ message, tokens: messageTokens(message) }));
  const frame = 1 + answerHeader().length;
  let length = rendered.reduce((total, each) => total + each.tokens.length, frame);
  const last = rendered.at(-1);
  const kept = rendered.filter((each) => {
    if (!limits.truncate || length <= limits.contextLength) return true;
    if (each === last || each.message.role === "system") return true;
    length -= each.tokens.length;
    return false;
  });
  return [BEGIN, ...kept.flatMap((each) => each.tokens), ...answerHeader()];
}

function textTokens(prompt: Prompt & { kind: "text" }): number[] {
  const before = prompt.context ?? [];
  if (prompt.raw) return [BEGIN, ...before, ...tokenize(prompt.text)];
  const system: PromptMessage[] =
    prompt.system === undefined ? [] : [{ role: "system", text: prompt.system, imageCount: 0 }];
  const messages = [...system, { role: "user", text: prompt.text, imageCount: prompt.imageCount }];
  const start = before.length === 0 ? [BEGIN] : before;
  return [...start, ...messages.flatMap(messageTokens), ...answerHeader()];
}

function messageTokens(message: PromptMessage): number[] {
  return [
    ...header(message.role),
    ...Array.from({ length: message.imageCount * IMAGE_TOKENS }, () => IMAGE),
    ...tokenize(message.text),
    CLOSE,
    NEW_LINE,
  ];
}

function answerHeader(): number[] {
  return header("assistant");
}

function header(role: string): number[] {
  return [OPEN, ROLE_IDS[role] ?? OTHER_ROLE, NEW_LINE];
}
