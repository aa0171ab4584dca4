/** What one object of an answer's stream says, in each dialect. */
import type { Dialect, Usage } from "../types.ts";
import { asName, asObject, type JsonObject } from "./lenient.ts";
import { compatibleUsage, ollamaUsage, stopReason } from "./usage.ts";

/** What one object of a stream says. */
export interface AnswerEvent {
  model?: string;
  /** It carries text, thinking or a tool call. */
  content?: boolean;
  /** It is the dialect's last event. */
  final?: boolean;
  usage?: Usage;
  doneReason?: string;
  /** It is an error; the text as sent, or an empty string. */
  errorText?: string;
  /** Tokens of the whole conversation, as a generate states them at its end: before anything was cut. */
  contextTokens?: number;
  /** Text of the answer in it, to be hashed and forgotten. */
  text?: string | undefined;
  responseId?: string | undefined;
  /** An OpenAI chunk without model and text: what Ollama's /v1 makes of an error whose words it loses. */
  blank?: boolean;
}

type Reader = (value: JsonObject) => AnswerEvent;

const READERS: Record<Dialect, Reader> = {
  ollama: readOllama,
  openai: readOpenai,
  responses: readResponses,
  anthropic: readAnthropic,
  none: () => ({}),
};

/** Reads one parsed line or event of a streamed answer. */
export function readAnswerEvent(value: JsonObject, dialect: Dialect): AnswerEvent {
  const errorText = errorTextOf(value);
  return errorText === undefined ? READERS[dialect](value) : { errorText };
}

/** The words of an error object of any dialect, or undefined if it is none. */
export function errorTextOf(value: JsonObject): string | undefined {
  const { error } = value;
  if (typeof error === "string") {
    return error;
  }
  const described = asObject(error);
  if (described === undefined) {
    return undefined;
  }
  return typeof described["message"] === "string" ? described["message"] : "";
}

/** Lines of generate and chat, and of pull, push and create, whose last one is `{"status":"success"}`. */
function readOllama(value: JsonObject): AnswerEvent {
  const message = asObject(value["message"]) ?? {};
  const content =
    isText(value["response"]) ||
    isText(value["thinking"]) ||
    isText(message["content"]) ||
    isText(message["thinking"]) ||
    isFilled(message["tool_calls"]) ||
    isFilled(value["tool_calls"]);
  const event: AnswerEvent = { model: asName(value["model"]), content, text: textIn(message["content"]) };
  if (value["done"] === true) {
    event.final = true;
    event.usage = ollamaUsage(value);
    event.doneReason = stopReason(value["done_reason"]);
    event.contextTokens = Array.isArray(value["context"]) ? value["context"].length : undefined;
  } else if (value["status"] === "success") {
    event.final = true;
  }
  return event;
}

/** Chunks of /v1/chat/completions and /v1/completions. Their last event, `[DONE]`, is no object. */
function readOpenai(value: JsonObject): AnswerEvent {
  const choice = asObject(Array.isArray(value["choices"]) ? value["choices"][0] : undefined) ?? {};
  const delta = asObject(choice["delta"]) ?? {};
  const content =
    isText(choice["text"]) ||
    isText(delta["content"]) ||
    isText(delta["reasoning"]) ||
    isText(delta["reasoning_content"]) ||
    isFilled(delta["tool_calls"]);
  const doneReason = stopReason(choice["finish_reason"]);
  return {
    model: asName(value["model"]),
    content,
    text: textIn(delta["content"]),
    doneReason,
    usage: compatibleUsage(value["usage"]),
    blank: value["model"] === "" && !content && doneReason === undefined,
  };
}

const RESPONSE_CONTENT = new Set<unknown>([
  "response.output_text.delta",
  "response.reasoning_summary_text.delta",
  "response.reasoning_text.delta",
  "response.function_call_arguments.delta",
]);
const RESPONSE_FINAL = new Set<unknown>(["response.completed", "response.incomplete"]);

/**
 * Events of /v1/responses. Ollama says `completed` even for an answer cut at its length, so no reason is known then;
 * only an `incomplete` one, as cloud models may send it, tells.
 */
function readResponses(value: JsonObject): AnswerEvent {
  const { type } = value;
  const response = asObject(value["response"]) ?? {};
  if (type === "response.failed") {
    return { errorText: errorTextOf(response) ?? "" };
  }
  if (type === "error") {
    return { errorText: typeof value["message"] === "string" ? value["message"] : "" };
  }
  const incomplete = asObject(response["incomplete_details"]);
  return {
    model: asName(response["model"]),
    content: RESPONSE_CONTENT.has(type),
    text: type === "response.output_text.delta" ? textIn(value["delta"]) : undefined,
    responseId: asName(response["id"]),
    final: RESPONSE_FINAL.has(type),
    usage: RESPONSE_FINAL.has(type) ? compatibleUsage(response["usage"]) : undefined,
    doneReason: stopReason(incomplete?.["reason"]),
  };
}

/**
 * Events of /v1/messages. The input count of `message_start` is Ollama's guess (characters / 4) and is not taken; the
 * true counts are in `message_delta`.
 */
function readAnthropic(value: JsonObject): AnswerEvent {
  const type = value["type"];
  if (type === "message_start") {
    return { model: asName(asObject(value["message"])?.["model"]) };
  }
  if (type === "message_delta") {
    const doneReason = stopReason(asObject(value["delta"])?.["stop_reason"]);
    return { usage: compatibleUsage(value["usage"]), doneReason };
  }
  return {
    content: type === "content_block_delta",
    text: textIn(asObject(value["delta"])?.["text"]),
    final: type === "message_stop",
  };
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
