/** What a request asks of the model, whichever API it came through. */
import type { Prompt, PromptMessage } from "../engine/prompt.ts";
import { isObject, lowerKeys, type JsonObject } from "./body.ts";
import { RequestError } from "./failures.ts";
import { readKeepAliveMs } from "./keepAlive.ts";

export type GenerationEndpoint =
  | "chat"
  | "generate"
  | "chat-completions"
  | "completions"
  | "responses"
  | "messages";

export interface GenerationRequest {
  model: string;
  stream: boolean;
  prompt: Prompt;
  promptCharacters: number;
  imageCount: number;
  /** No prompt at all: the native API only loads the model then. */
  empty: boolean;
  keepAliveMs?: number;
  maxOutputTokens?: number;
  contextLength?: number;
  truncate: boolean;
  shift: boolean;
  /** `num_gpu` and the like, by which a runner is told from another. */
  runnerOptions: Record<string, number | boolean>;
  includeUsage: boolean;
  body: JsonObject;
}

const RUNNER_OPTIONS = [
  "num_batch",
  "num_gpu",
  "main_gpu",
  "use_mmap",
  "num_thread",
  "draft_num_predict",
] as const;

/** Throws a `RequestError` with Ollama's text for what it refuses. */
export function readGenerationRequest(endpoint: GenerationEndpoint, body: JsonObject): GenerationRequest {
  const model = typeof body.model === "string" ? body.model : "";
  const { prompt, empty } = readPrompt(endpoint, body);
  const native = endpoint === "chat" || endpoint === "generate";
  requireFields(endpoint, body, model);
  const options = native && isObject(body.options) ? body.options : {};
  const keepAliveMs = native ? readKeepAliveMs(body.keep_alive) : undefined;
  const contextLength = wholeOption(options, "num_ctx");
  const maxOutputTokens = native ? wholeOption(options, "num_predict") : outputLimit(body);
  const messages = prompt.kind === "messages" ? prompt.messages : [prompt];
  return {
    model,
    stream: native ? body.stream !== false : body.stream === true,
    prompt,
    promptCharacters: messages.reduce((total, message) => total + message.text.length, 0),
    imageCount: messages.reduce((total, message) => total + message.imageCount, 0),
    empty: native && empty,
    truncate: body.truncate !== false,
    shift: body.shift !== false,
    runnerOptions: runnerOptions(options),
    includeUsage: isObject(body.stream_options) && body.stream_options.include_usage === true,
    body,
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(maxOutputTokens === undefined || maxOutputTokens < 0 ? {} : { maxOutputTokens }),
  };
}

function requireFields(endpoint: GenerationEndpoint, body: JsonObject, model: string): void {
  if (endpoint === "chat" || endpoint === "generate") return;
  if (endpoint === "chat-completions" && Array.isArray(body.messages) && body.messages.length === 0) {
    throw new RequestError(400, "[] is too short - 'messages'", "framework");
  }
  if (model === "") throw new RequestError(400, "model is required");
  if (endpoint === "messages" && !(typeof body.max_tokens === "number" && body.max_tokens > 0)) {
    throw new RequestError(400, "max_tokens is required and must be positive", "framework");
  }
}

function outputLimit(body: JsonObject): number | undefined {
  const limit = body.max_tokens ?? body.max_completion_tokens ?? body.max_output_tokens;
  return typeof limit === "number" ? limit : undefined;
}

function wholeOption(options: JsonObject, name: string): number | undefined {
  const value = options[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw new RequestError(500, `option "${name}" must be of type integer`);
  return Math.trunc(value);
}

function runnerOptions(options: JsonObject): Record<string, number | boolean> {
  const found: Record<string, number | boolean> = {};
  for (const name of RUNNER_OPTIONS) {
    const value = options[name];
    if (typeof value === "number" || typeof value === "boolean") found[name] = value;
  }
  return found;
}

function readPrompt(endpoint: GenerationEndpoint, body: JsonObject): { prompt: Prompt; empty: boolean } {
  if (endpoint === "generate" || endpoint === "completions") {
    const text = plainText(Array.isArray(body.prompt) ? body.prompt[0] : body.prompt);
    const imageCount = Array.isArray(body.images) ? body.images.length : 0;
    const context = Array.isArray(body.context) ? (body.context as unknown[]).filter(isNumber) : [];
    const system = plainText(body.system);
    return {
      prompt: {
        kind: "text",
        text,
        imageCount,
        raw: body.raw === true,
        context,
        ...(system === "" ? {} : { system }),
      },
      empty: text === "" && imageCount === 0,
    };
  }
  const messages =
    endpoint === "responses"
      ? [...instructions(body.instructions), ...readMessages(inputMessages(body.input))]
      : [...instructions(endpoint === "messages" ? body.system : undefined), ...readMessages(body.messages)];
  return { prompt: { kind: "messages", messages }, empty: messages.length === 0 };
}

function inputMessages(input: unknown): unknown {
  return typeof input === "string" ? [{ role: "user", content: input }] : input;
}

function instructions(value: unknown): PromptMessage[] {
  const text = contentText(value);
  return text === "" ? [] : [{ role: "system", text, imageCount: 0 }];
}

function readMessages(value: unknown): PromptMessage[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new RequestError(
      400,
      `json: cannot unmarshal ${typeof value} into Go struct field ChatRequest.messages of type []api.Message`,
    );
  }
  return (value as unknown[]).filter(isObject).map((raw) => {
    const message = lowerKeys(raw);
    const attached = Array.isArray(message.images) ? message.images.length : 0;
    return {
      role: typeof message.role === "string" ? message.role : "user",
      text: contentText(message.content),
      imageCount: attached + parts(message.content).filter(isImagePart).length,
    };
  });
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return parts(content)
    .map((part) => plainText(part.text))
    .join("");
}

function parts(content: unknown): JsonObject[] {
  return Array.isArray(content) ? (content as unknown[]).filter(isObject) : [];
}

function isImagePart(part: JsonObject): boolean {
  return part.type === "image_url" || part.type === "image" || part.type === "input_image";
}

function plainText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
