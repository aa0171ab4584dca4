/** `/v1/messages`: the count in the first event is a guess (characters / 4), the true one comes at the end. */
import { goJson } from "../server/goJson.ts";
import type { WholeAnswer } from "../server/reply.ts";
import type { AnswerContext, AnswerFormat, Dialect, GenerationEnd } from "./dialect.ts";

export const anthropicMessages: Dialect = {
  streamHeaders: [
    ["Cache-Control", "no-cache"],
    ["Connection", "keep-alive"],
    ["Content-Type", "text/event-stream"],
  ],
  failure: anthropicFailure,
  begin: messagesFormat,
};

const STOP_REASONS = { stop: "end_turn", length: "max_tokens" } as const;

const ERROR_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  503: "overloaded_error",
};

function anthropicFailure(status: number, message: string): WholeAnswer {
  const error = { type: ERROR_TYPES[status] ?? "api_error", message };
  return {
    status,
    contentType: "application/json",
    body: `${goJson({ type: "error", error, request_id: `req_${hexId(Math.random)}` })}\n`,
  };
}

function messagesFormat(context: AnswerContext): AnswerFormat {
  const message = {
    id: `msg_${hexId(context.random)}`,
    type: "message",
    role: "assistant",
    model: context.model,
  };
  return {
    closingWrites: 3,
    open: () => [
      event({
        type: "message_start",
        message: {
          ...message,
          content: [],
          usage: { input_tokens: Math.floor(context.promptCharacters / 4), output_tokens: 0 },
        },
      }),
      event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    ],
    piece: (text) => event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
    close: (end) => [
      event({ type: "content_block_stop", index: 0 }),
      event({
        type: "message_delta",
        delta: { stop_reason: STOP_REASONS[end.reason] },
        usage: usageOf(end),
      }),
      event({ type: "message_stop" }),
    ],
    broken: () => [],
    whole: (text, end) => ({
      status: 200,
      contentType: "application/json",
      body: `${goJson({
        ...message,
        content: [{ type: "text", text }],
        stop_reason: end === undefined ? undefined : STOP_REASONS[end.reason],
        usage: end === undefined ? { input_tokens: 0, output_tokens: 0 } : usageOf(end),
      })}\n`,
    }),
  };
}

function usageOf(end: GenerationEnd): { input_tokens: number; output_tokens: number } {
  return { input_tokens: end.promptTokens, output_tokens: end.outputTokens };
}

function hexId(random: () => number): string {
  return Array.from({ length: 24 }, () => Math.floor(random() * 16).toString(16)).join("");
}

function event(value: { type: string } & Record<string, unknown>): string {
  return `event: ${value.type}\ndata: ${goJson(value)}\n\n`;
}
