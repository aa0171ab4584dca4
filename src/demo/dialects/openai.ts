/** `/v1/chat/completions` and `/v1/completions`. Usage in a stream only for who asked; ids that repeat, as Ollama's do. */
import { goJson } from "../server/goJson.ts";
import type { WholeAnswer } from "../server/reply.ts";
import type { AnswerContext, AnswerFormat, Dialect, GenerationEnd } from "./dialect.ts";

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

const FINGERPRINT = "fp_ollama";
const STREAM_HEADERS = [["Content-Type", "text/event-stream"]] as const;
const NO_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

export const openaiChat: Dialect = {
  streamHeaders: STREAM_HEADERS,
  failure: openaiFailure,
  begin: chatFormat,
};

export const openaiCompletions: Dialect = {
  streamHeaders: STREAM_HEADERS,
  failure: openaiFailure,
  begin: completionsFormat,
};

export function openaiFailure(status: number, message: string): WholeAnswer {
  const type = status === 400 ? "invalid_request_error" : status === 404 ? "not_found_error" : "api_error";
  return {
    status,
    contentType: "application/json",
    body: `${goJson({ error: { message, type, param: null, code: null } })}\n`,
  };
}

function chatFormat(context: AnswerContext): AnswerFormat {
  const head = answerHead(context, "chatcmpl");
  const chunk = (part: Record<string, unknown>, model = context.model): string =>
    event({ ...head("chat.completion.chunk", model), ...part });
  const choice = (delta: Record<string, unknown>, reason: string | null): Record<string, unknown> => ({
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  let first = true;
  return {
    closingWrites: 1,
    open: () => [],
    piece: (text) => {
      const role = first ? { role: "assistant" } : {};
      first = false;
      return chunk(choice({ ...role, content: text }, null));
    },
    close: (end) => [
      chunk(choice({}, end.reason)) +
        (context.includeUsage ? chunk({ choices: [], usage: usageOf(end) }) : "") +
        DONE,
    ],
    broken: () => [chunk(choice({ content: "" }, null), "")],
    whole: (text, end) => ({
      status: 200,
      contentType: "application/json",
      body: `${goJson({
        ...head("chat.completion", context.model),
        choices: [
          { index: 0, message: { role: "assistant", content: text }, finish_reason: end?.reason ?? null },
        ],
        usage: end === undefined ? NO_USAGE : usageOf(end),
      })}\n`,
    }),
  };
}

function completionsFormat(context: AnswerContext): AnswerFormat {
  const head = answerHead(context, "cmpl");
  const { id, object, created, model, system_fingerprint } = head("text_completion", context.model);
  const chunk = (choices: unknown[], usage: Usage): string =>
    event({
      id,
      object,
      created,
      choices,
      model,
      system_fingerprint,
      usage: context.includeUsage ? usage : undefined,
    });
  const choice = (text: string, reason: string | null): Record<string, unknown> => ({
    text,
    index: 0,
    finish_reason: reason,
  });
  return {
    closingWrites: 1,
    open: () => [],
    piece: (text) => chunk([choice(text, null)], NO_USAGE),
    close: (end) => [
      chunk([choice("", end.reason)], NO_USAGE) +
        (context.includeUsage ? chunk([], usageOf(end)) : "") +
        DONE,
    ],
    broken: () => [chunk([choice("", null)], NO_USAGE)],
    whole: (text, end) => ({
      status: 200,
      contentType: "application/json",
      body: `${goJson({
        id,
        object,
        created,
        model,
        system_fingerprint,
        choices: [choice(text, end?.reason ?? null)],
        usage: end === undefined ? NO_USAGE : usageOf(end),
      })}\n`,
    }),
  };
}

const DONE = "data: [DONE]\n\n";

/** Made once, so that all chunks of an answer share id and time. */
function answerHead(context: AnswerContext, prefix: string) {
  const id = `${prefix}-${Math.floor(context.random() * 999)}`;
  const created = Math.floor(context.now() / 1000);
  return (object: string, model: string) => ({ id, object, created, model, system_fingerprint: FINGERPRINT });
}

function usageOf(end: GenerationEnd): Usage {
  return {
    prompt_tokens: end.promptTokens,
    completion_tokens: end.outputTokens,
    total_tokens: end.promptTokens + end.outputTokens,
  };
}

function event(value: unknown): string {
  return `data: ${goJson(value)}\n\n`;
}
