/** Path and method: which operation in which dialect, and what of it is read. */
import type { Dialect, Operation } from "../types.ts";

/**
 * Which part an exchange plays in the statistics. A `probe` asks how Ollama is (clients poll these many times a
 * minute) and would drown the traffic that costs something; a `transfer` moves a model and can run for hours.
 */
type EndpointKind = "inference" | "transfer" | "probe" | "other";

export interface Endpoint {
  operation: Operation;
  dialect: Dialect;
  kind: EndpointKind;
}

const OTHER: Endpoint = { operation: "other", dialect: "none", kind: "other" };
const PROBE: Endpoint = { operation: "other", dialect: "none", kind: "probe" };

const POSTED = new Map<string, Endpoint>([
  ["/api/chat", { operation: "chat", dialect: "ollama", kind: "inference" }],
  ["/api/generate", { operation: "generate", dialect: "ollama", kind: "inference" }],
  ["/api/embed", { operation: "embed", dialect: "ollama", kind: "inference" }],
  ["/api/embeddings", { operation: "embed", dialect: "ollama", kind: "inference" }],
  ["/v1/chat/completions", { operation: "chat", dialect: "openai", kind: "inference" }],
  ["/v1/completions", { operation: "generate", dialect: "openai", kind: "inference" }],
  ["/v1/embeddings", { operation: "embed", dialect: "openai", kind: "inference" }],
  ["/v1/audio/transcriptions", { operation: "transcribe", dialect: "openai", kind: "inference" }],
  ["/v1/responses", { operation: "chat", dialect: "responses", kind: "inference" }],
  ["/v1/messages", { operation: "chat", dialect: "anthropic", kind: "inference" }],
  ["/api/pull", { operation: "pull", dialect: "ollama", kind: "transfer" }],
  ["/api/push", { operation: "push", dialect: "ollama", kind: "transfer" }],
  ["/api/create", { operation: "create", dialect: "ollama", kind: "transfer" }],
  ["/api/show", PROBE],
]);

const PROBED = new Set(["/", "/api/version", "/api/status", "/api/tags", "/api/ps", "/v1/models"]);

/**
 * What a request asks for. `path` is the raw path without its query. Ollama's router compares the decoded path
 * exactly and answers a trailing or double slash with a redirect, so such paths are `other` here too; an operation
 * exists under POST only, everything else there is a 404 or 405.
 */
export function classify(method: string, path: string): Endpoint {
  const decoded = decodePath(path);
  if (method === "POST") {
    return POSTED.get(decoded) ?? OTHER;
  }
  if ((method === "GET" || method === "HEAD") && PROBED.has(decoded)) {
    return PROBE;
  }
  return OTHER;
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
