/** Which of Ollama's error texts may be kept, and errors of our own in each dialect's shape. */
import type { AnswerFacts, Dialect, ExchangeError } from "../types.ts";
import { asCount, asObject } from "./lenient.ts";

export type PromptTooLong = NonNullable<AnswerFacts["promptTooLong"]>;

export interface UpstreamError extends ExchangeError {
  promptTooLong?: PromptTooLong;
}

const LONGEST_MESSAGE = 200;

/**
 * Errors of Ollama and its runners whose words are its own. Only what a pattern matches is kept, so a pattern that is
 * open at its end must be one that cannot be followed by request text.
 */
const KNOWN = [
  /^model ['"]?[^'"\n]{0,150}['"]? not found(?:, try pulling it first)?$/,
  /^"?[\w./:@-]{1,150}"? does not support (?:[a-z]+ ?){1,4}$/,
  /^this model does not support [a-z ]{1,40}$/,
  /^This server does not support embeddings\./,
  /^model requires more system memory \([^()\n]{1,20}\) than is available \([^()\n]{1,20}\)/,
  /^model requires [\d.]+ [KMGT]i?B but only [\d.]+ [KMGT]i?B are available/,
  // Said while the runner starts, before it has been given any prompt: its last log lines may stay.
  /^(?:llama-server|llama runner) process (?:has terminated|no longer running)[^]*/,
  /^llama-server reported out-of-memory during startup[^]*/,
  /^timed out waiting for (?:llama-server|llama runner) to start/,
  /^llama-server binary not found/,
  /^unable to (?:load model|allocate \w+ buffer)/,
  /^an error was encountered while running the model(?:: (?:unexpected EOF|CUDA error: [a-z ]{1,60}))?/,
  /^model runner has unexpectedly stopped, this may be due to resource limitations or an internal error/,
  /^error reading (?:llama-server|llm) (?:chat )?response(?:: (?:context canceled|unexpected EOF))?/,
  /^Post "http:\/\/127\.0\.0\.1:\d+\/[\w/]+": (?:context canceled|EOF)$/,
  /The model produced output that does not match the expected [\w-]{1,40} format/,
  /^server busy, please try again\.\s+maximum pending requests exceeded$/,
  /^no slots available after \d+ retries$/,
  /^request canceled$/,
  /^context canceled$/,
  /^unexpected EOF$/,
  /^missing request body$/,
  /^request \(\d+ tokens\) exceeds the available context size \(\d+ tokens\)/,
  /^the input length exceeds the context length$/,
  /^input (?:after truncation )?exceeds maximum context length/,
  /^the prompt is longer than the context length currently available to the model/,
  /this model is missing data required for image input$/,
  /^Multimodal data provided, but model does not support multimodal requests\.$/,
  /^image URLs are not currently supported, please use base64 encoded data instead$/,
  /^this model only supports one image while more than one image requested$/,
  /^option "\w{1,40}" must be of type \w+$/,
  /^json: cannot unmarshal (?:string|number|bool|array|object) into Go (?:struct field [\w.]+|value) of type [\w.[\]*{}]+$/,
  /^(?:model|max_tokens) is required(?: and must be positive)?$/,
  /^invalid model name$/,
  /^raw mode does not support template, system, or context$/,
  /^ollama cloud is disabled: [a-z ]{1,80}$/,
  /^unauthorized$/,
  /^(?:pull|push) model manifest: [^]*/,
  /^couldn't retrieve manifest/,
  /^open [^\n]{1,300}: no such file or directory$/,
  /^max retries exceeded/,
];

/** These say that the prompt did not fit, with or without figures. */
const TOO_LONG =
  /^(?:request \(|the input length exceeds|input (?:after truncation )?exceeds|the prompt is longer than)/;

/**
 * Words an error that came with an answer. `text` is what its `error` field says, `status` the HTTP status. A text that
 * is not known to be Ollama's own could quote the prompt (a template error does), so it is left out.
 */
export function describeUpstreamError(text: string | undefined, status: number): UpstreamError {
  const code = status >= 400 ? `http-${status}` : "upstream-error";
  const { words, promptTooLong } = unwrap(text);
  const message = knownPart(words) ?? unknownError(words, status);
  return promptTooLong === undefined ? { code, message } : { code, message, promptTooLong };
}

/** llama-server's errors arrive as JSON inside the string; that JSON also holds the true size of the prompt. */
function unwrap(text: string | undefined): { words: string | undefined; promptTooLong?: PromptTooLong } {
  const inner = text?.startsWith("{") === true ? innerError(text) : undefined;
  const message = inner?.["message"];
  const words = typeof message === "string" ? message : text;
  if (inner?.["type"] !== "exceed_context_size_error" && !TOO_LONG.test(words ?? "")) {
    return { words };
  }
  const promptTooLong: PromptTooLong = {};
  const promptTokens = asCount(inner?.["n_prompt_tokens"]);
  const contextLength = asCount(inner?.["n_ctx"]);
  if (promptTokens !== undefined) {
    promptTooLong.promptTokens = promptTokens;
  }
  if (contextLength !== undefined) {
    promptTooLong.contextLength = contextLength;
  }
  return { words, promptTooLong };
}

function innerError(text: string): Record<string, unknown> | undefined {
  try {
    const parsed = asObject(JSON.parse(text));
    return asObject(parsed?.["error"]) ?? parsed;
  } catch {
    return undefined;
  }
}

function knownPart(words: string | undefined): string | undefined {
  for (const pattern of KNOWN) {
    const match = pattern.exec(words ?? "");
    if (match !== null) {
      return match[0].replaceAll(/\s+/g, " ").slice(0, LONGEST_MESSAGE);
    }
  }
  return undefined;
}

function unknownError(words: string | undefined, status: number): string {
  return words === undefined || words === ""
    ? `Ollama answered ${status} without saying why.`
    : `Ollama answered ${status} with an error that is not kept, because it could quote the prompt.`;
}

const OPENAI_TYPES = new Map([
  [400, "invalid_request_error"],
  [404, "not_found_error"],
]);

const ANTHROPIC_TYPES = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [529, "overloaded_error"],
]);

/** The JSON body of an error of our own, in the shape that the asking client knows from Ollama. */
export function errorBody(
  dialect: Dialect,
  { status, message, type }: { status: number; message: string; type?: string },
): string {
  switch (dialect) {
    case "ollama":
    case "none":
      return JSON.stringify({ error: message });
    case "openai":
    case "responses":
      return JSON.stringify({
        error: { message, type: type ?? OPENAI_TYPES.get(status) ?? "api_error", param: null, code: null },
      });
    case "anthropic":
      return JSON.stringify({
        type: "error",
        error: { type: type ?? ANTHROPIC_TYPES.get(status) ?? "api_error", message },
      });
  }
}
