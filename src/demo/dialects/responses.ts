/** `/v1/responses`: numbered events whose keys Go sorts, because there they are maps; the whole answer is a struct. */
import { goJson } from "../server/goJson.ts";
import { openaiFailure } from "./openai.ts";
import type { AnswerContext, AnswerFormat, Dialect, GenerationEnd } from "./dialect.ts";

export const openaiResponses: Dialect = {
  streamHeaders: [
    ["Cache-Control", "no-cache"],
    ["Connection", "keep-alive"],
    ["Content-Type", "text/event-stream"],
  ],
  failure: openaiFailure,
  begin: responsesFormat,
};

type Json = Record<string, unknown>;

function responsesFormat(context: AnswerContext): AnswerFormat {
  const responseId = `resp_${sixDigits(context)}`;
  const itemId = `msg_${sixDigits(context)}`;
  const createdAt = Math.floor(context.now() / 1000);
  let sequence = 0;
  const event = (type: string, fields: Json): string => {
    const value = { ...fields, sequence_number: sequence, type };
    sequence += 1;
    return `event: ${type}\ndata: ${goJson(sortKeys(value))}\n\n`;
  };
  const inPart = { content_index: 0, item_id: itemId, output_index: 0 };
  const part = (text: string): Json => ({ type: "output_text", text, annotations: [], logprobs: [] });
  const item = (text: string): Json => ({
    id: itemId,
    type: "message",
    status: "completed",
    role: "assistant",
    content: [part(text)],
  });
  const response = (state: ResponseState): Json => responseObject({ context, responseId, createdAt, state });
  return {
    closingWrites: 4,
    open: () => [
      event("response.created", { response: response({ status: "in_progress" }) }),
      event("response.in_progress", { response: response({ status: "in_progress" }) }),
      event("response.output_item.added", {
        item: { ...item(""), content: [], status: "in_progress" },
        output_index: 0,
      }),
      event("response.content_part.added", { ...inPart, part: part("") }),
    ],
    piece: (text) => event("response.output_text.delta", { ...inPart, delta: text, logprobs: [] }),
    close: (end) => [
      event("response.output_text.done", { ...inPart, text: end.text, logprobs: [] }),
      event("response.content_part.done", { ...inPart, part: part(end.text) }),
      event("response.output_item.done", { item: item(end.text), output_index: 0 }),
      event("response.completed", {
        response: response({ status: "completed", item: item(end.text), usage: usageOf(end) }),
      }),
    ],
    broken: () => [],
    whole: (text, end) => ({
      status: 200,
      contentType: "application/json",
      body: `${goJson(response({ status: "completed", item: item(text), usage: usageOf(end) }))}\n`,
    }),
  };
}

type ResponseState = { status: "in_progress" } | { status: "completed"; item: Json; usage: Json };

/** In the order of Ollama's struct, with the request's own values echoed. */
function responseObject(parts: {
  context: AnswerContext;
  responseId: string;
  createdAt: number;
  state: ResponseState;
}): Json {
  const { context, state } = parts;
  const { body } = context;
  const done = state.status === "completed";
  return {
    id: parts.responseId,
    object: "response",
    created_at: parts.createdAt,
    completed_at: done ? Math.floor(context.now() / 1000) : null,
    status: state.status,
    incomplete_details: null,
    model: context.model,
    previous_response_id: body.previous_response_id ?? null,
    instructions: body.instructions ?? null,
    output: done ? [state.item] : [],
    error: null,
    tools: body.tools ?? [],
    tool_choice: body.tool_choice ?? "auto",
    truncation: body.truncation ?? "disabled",
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    text: body.text ?? { format: { type: "text" } },
    top_p: body.top_p ?? 1,
    presence_penalty: body.presence_penalty ?? 0,
    frequency_penalty: body.frequency_penalty ?? 0,
    top_logprobs: body.top_logprobs ?? 0,
    temperature: body.temperature ?? 1,
    reasoning: body.reasoning ?? null,
    usage: done ? state.usage : null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    store: false,
    background: body.background ?? false,
    service_tier: body.service_tier ?? "default",
    metadata: body.metadata ?? {},
    safety_identifier: body.safety_identifier ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
  };
}

/** Ollama knows neither cached nor reasoning tokens here and says 0 for both. */
function usageOf(end: GenerationEnd | undefined): Json {
  const input = end?.promptTokens ?? 0;
  const output = end?.outputTokens ?? 0;
  return {
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

function sixDigits(context: AnswerContext): number {
  return 100_000 + Math.floor(context.random() * 900_000);
}
