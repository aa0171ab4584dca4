/** Path and method: which operation in which dialect, and what of it is read. */
import type { Dialect, Operation } from "../types.ts";

export interface Endpoint {
  operation: Operation;
  dialect: Dialect;
}

const OTHER: Endpoint = { operation: "other", dialect: "none" };

const POSTED = new Map<string, Endpoint>([
  ["/api/chat", { operation: "chat", dialect: "ollama" }],
  ["/api/generate", { operation: "generate", dialect: "ollama" }],
  ["/api/embed", { operation: "embed", dialect: "ollama" }],
  ["/api/embeddings", { operation: "embed", dialect: "ollama" }],
  ["/v1/chat/completions", { operation: "chat", dialect: "openai" }],
  ["/v1/completions", { operation: "generate", dialect: "openai" }],
  ["/v1/embeddings", { operation: "embed", dialect: "openai" }],
  ["/v1/audio/transcriptions", { operation: "transcribe", dialect: "openai" }],
  ["/v1/responses", { operation: "chat", dialect: "responses" }],
  ["/v1/messages", { operation: "chat", dialect: "anthropic" }],
  ["/api/pull", { operation: "pull", dialect: "ollama" }],
  ["/api/push", { operation: "push", dialect: "ollama" }],
  ["/api/create", { operation: "create", dialect: "ollama" }],
]);

/**
 * What a request asks for. `path` is the raw path without its query. Ollama's router compares the decoded path
 * exactly and answers a trailing or double slash with a redirect, so such paths are `other` here too; an operation
 * exists under POST only, everything else there is a 404 or 405.
 */
export function classify(method: string, path: string): Endpoint {
  return (method === "POST" ? POSTED.get(decodePath(path)) : undefined) ?? OTHER;
}

/** The dialect in which an error made by us has to be worded for whoever asked for `path`. */
export function errorDialect(path: string): "ollama" | "openai" | "anthropic" {
  const decoded = decodePath(path);
  if (decoded === "/v1/messages" || decoded.startsWith("/v1/messages/")) {
    return "anthropic";
  }
  return decoded === "/v1" || decoded.startsWith("/v1/") ? "openai" : "ollama";
}

/**
 * Whether the request's body is JSON worth reading. Blob uploads (`other`) are gigabytes of weights, a transcription
 * is a multipart form with the audio in it.
 */
export function readsBody(operation: Operation): boolean {
  return operation !== "other" && operation !== "transcribe";
}

function decodePath(path: string): string {
  if (!path.includes("%")) {
    return path;
  }
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
