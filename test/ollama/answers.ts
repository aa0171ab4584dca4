/** Made-up answers of each dialect, and a reader that takes one whole. */
import { createAnswerReader, type AnswerContext, type ReadAnswer } from "../../src/ollama/answer.ts";

export const LINES = "application/x-ndjson";
const EVENTS = "text/event-stream";
export const JSON_TYPE = "application/json; charset=utf-8";

export const CHAT: AnswerContext = {
  operation: "chat",
  dialect: "ollama",
  method: "POST",
  status: 200,
  contentType: LINES,
};
export const OPENAI: AnswerContext = { ...CHAT, dialect: "openai", contentType: EVENTS };
export const ANTHROPIC: AnswerContext = { ...CHAT, dialect: "anthropic", contentType: EVENTS };
export const RESPONSES: AnswerContext = { ...CHAT, dialect: "responses", contentType: EVENTS };
export const COMPLETIONS: AnswerContext = { ...OPENAI, operation: "generate" };

export function read(
  text: string | Uint8Array,
  context: AnswerContext,
  how: "whole" | "cut" = "whole",
): ReadAnswer {
  const reader = createAnswerReader(context);
  reader.push(typeof text === "string" ? Buffer.from(text) : text);
  return reader.end(how);
}

export function lines(...values: object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

export function events(...values: (object | string)[]): string {
  return values
    .map((value) => {
      const name = typeof value === "object" && "type" in value ? `event: ${String(value.type)}\n` : "";
      return `${name}data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
    })
    .join("");
}

export const piece = (content: string) => ({
  model: "m",
  message: { role: "assistant", content },
  done: false,
});
export const last = {
  model: "m",
  message: { content: "" },
  done: true,
  done_reason: "stop",
  prompt_eval_count: 9,
  eval_count: 2,
};
export const chunk = (content: string, finish: string | null = null) => ({
  model: "m",
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});
