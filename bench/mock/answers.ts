/** What the mock answers, in the shape and size of Ollama's own lines. */
import type { Dialect, Order } from "../wire/request.ts";
import { modelOf } from "../wire/request.ts";
import { stampNow } from "../wire/stamp.ts";

export interface ChatAnswer {
  head: string;
  /** One chunk's payload, with the time at which it was made. */
  chunk(): string;
  /** What follows the last chunk. */
  last: string;
}

const CREATED_AT = "2025-01-01T00:00:00.000000000Z";
const TYPES: Record<Dialect, string> = { ollama: "application/x-ndjson", openai: "text/event-stream" };

export function streamedAnswer(dialect: Dialect, order: Order): ChatAnswer {
  const model = modelOf(order);
  const head = [
    "HTTP/1.1 200 OK",
    `Content-Type: ${TYPES[dialect]}`,
    "Date: Wed, 01 Jan 2025 00:00:00 GMT",
    "Transfer-Encoding: chunked",
  ];
  return {
    head: `${head.join("\r\n")}\r\n\r\n`,
    ...(dialect === "ollama" ? nativeLines(model, order.chunkCount) : eventLines(model)),
  };
}

function nativeLines(model: string, chunkCount: number): Pick<ChatAnswer, "chunk" | "last"> {
  const start = `{"model":"${model}","created_at":"${CREATED_AT}","message":{"role":"assistant","content":"`;
  return {
    chunk: () => `${start}${stampNow()}"},"done":false}\n`,
    last: `${start}"},"done":true,"done_reason":"stop",${counts(chunkCount)}}\n`,
  };
}

function eventLines(model: string): Pick<ChatAnswer, "chunk" | "last"> {
  const start = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1735689600,"model":"${model}","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{`;
  return {
    chunk: () => `${start}"role":"assistant","content":"${stampNow()}"},"finish_reason":null}]}\n\n`,
    last: `${start}},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`,
  };
}

/** The body of an answer that is not streamed: its text is as long as all chunks together. */
export function wholeAnswer(dialect: Dialect, order: Order): string {
  const model = modelOf(order);
  const text = "unstamped words... ".repeat(order.chunkCount);
  return dialect === "ollama"
    ? `{"model":"${model}","created_at":"${CREATED_AT}","message":{"role":"assistant","content":"${text}"},"done":true,"done_reason":"stop",${counts(order.chunkCount)}}`
    : `{"id":"chatcmpl-1","object":"chat.completion","created":1735689600,"model":"${model}","system_fingerprint":"fp_ollama","choices":[{"index":0,"message":{"role":"assistant","content":"${text}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":26,"completion_tokens":${order.chunkCount},"total_tokens":${order.chunkCount + 26}}}`;
}

function counts(chunkCount: number): string {
  return `"total_duration":${chunkCount * 10_000_000 + 50_000_000},"load_duration":20000000,"prompt_eval_count":26,"prompt_eval_duration":30000000,"eval_count":${chunkCount},"eval_duration":${chunkCount * 10_000_000}`;
}

/**
 * What Plimsoll asks of its own accord. `models` are loaded: one that answers and is not listed would look like a model
 * that is being loaded all the time.
 */
export function fixedAnswer(method: string, path: string, models: Iterable<string>): string | undefined {
  switch (`${method} ${path}`) {
    case "GET /":
    case "HEAD /":
      return "Ollama is running";
    case "GET /api/version":
      return '{"version":"0.31.1"}';
    case "GET /api/tags":
    case "GET /api/ps":
      return JSON.stringify({
        models: Array.from(models, (name) => ({ name, model: name, ...LOADED_MODEL })),
      });
    case "POST /api/show":
      return JSON.stringify({ details: LOADED_MODEL.details, model_info: {}, capabilities: ["completion"] });
    default:
      return undefined;
  }
}

const LOADED_MODEL = {
  size: 800_000_000,
  digest: "0".repeat(64),
  details: {
    format: "gguf",
    family: "llama",
    families: ["llama"],
    parameter_size: "1B",
    quantization_level: "Q4_K_M",
  },
  expires_at: "2099-01-01T00:00:00Z",
  size_vram: 0,
  context_length: 4096,
};
