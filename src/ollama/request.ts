/** What a request's body says, in each dialect, read as Ollama would read it. */
import { zstdDecompressSync } from "node:zlib";
import type { Dialect, Operation, RequestFacts } from "../types.ts";
import { readClues } from "./conversationClues.ts";
import { parseFirstValue } from "./firstValue.ts";
import { asName, asObject, structFields } from "./lenient.ts";
import { measurePrompt } from "./promptSize.ts";
import { readRunnerSettings } from "./runnerSettings.ts";

/** Ollama's own bound on an unpacked zstd body. */
const UNPACKED_LIMIT_BYTES = 20 * 1024 * 1024;
/** Above this a body is forwarded unread. Ollama itself has no bound. */
export const BODY_LIMIT_BYTES = 32 * 1024 * 1024;

export interface RequestContext {
  operation: Operation;
  dialect: Dialect;
  /** The `Content-Encoding` header as sent. */
  contentEncoding?: string;
  /** Bytes a packed body may unpack to; Ollama's own 20 MiB unless given. */
  unpackedLimitBytes?: number;
  /** Given, the body is also read for what tells which conversation it belongs to. */
  salt?: string | undefined;
}

type Fields = Map<string, unknown>;

const STREAMS_BY_DEFAULT = new Set<Operation>(["chat", "generate", "pull", "push", "create"]);

/**
 * What a request body says, without keeping a word of it. Lenient as Ollama is: keys in any case, the last duplicate
 * wins, whatever follows the first JSON value is ignored. Fields of a wrong type are absent. Never throws; a body that
 * cannot be read says why in `unread`.
 */
export function readRequest(bytes: Uint8Array, context: RequestContext): RequestFacts {
  if (bytes.length > BODY_LIMIT_BYTES) {
    return { unread: "too-large" };
  }
  const unpacked = unpack(bytes, context);
  if (typeof unpacked === "string") {
    return { unread: unpacked };
  }
  // The byte order mark is kept because Go takes it for a syntax error.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(unpacked);
  const body = asObject(parseFirstValue(text));
  if (body === undefined) {
    return { unread: isPacked(context.contentEncoding) ? "encoding" : "not-json" };
  }
  try {
    return readFields(structFields(body), context);
  } catch {
    // Whatever a body may hold: its exchange must end, and the thread must live for the others.
    return { unread: "not-json" };
  }
}

/**
 * Ollama unpacks `zstd` on /v1 and nothing else. It ignores every other `Content-Encoding` and takes the bytes as
 * JSON, so that is tried here as well.
 */
function unpack(bytes: Uint8Array, context: RequestContext): Uint8Array | "encoding" | "too-large" {
  if (context.contentEncoding !== "zstd" || context.dialect === "ollama") {
    return bytes;
  }
  const maxOutputLength = Math.min(context.unpackedLimitBytes ?? UNPACKED_LIMIT_BYTES, UNPACKED_LIMIT_BYTES);
  try {
    return zstdDecompressSync(bytes, { maxOutputLength });
  } catch (error) {
    return isTooLarge(error) ? "too-large" : "encoding";
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function isPacked(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && contentEncoding !== "" && contentEncoding !== "identity";
}

function readFields(fields: Fields, context: RequestContext): RequestFacts {
  const { operation, dialect } = context;
  const facts: RequestFacts = { stream: readStream(fields.get("stream"), context) };
  const model = asName(fields.get("model")) ?? asName(fields.get("name"));
  if (model !== undefined) {
    facts.model = model;
  }
  if (operation === "pull" || operation === "push" || operation === "create") {
    return facts;
  }

  Object.assign(facts, measurePrompt(fields, context));
  if (dialect === "ollama") {
    Object.assign(facts, readRunnerSettings(fields));
  } else {
    Object.assign(facts, readCompatibleLimits(fields));
  }
  if (isEmpty(fields, context)) {
    facts.empty = true;
  } else if (context.salt !== undefined) {
    const { salt } = context;
    const conversation = readClues(fields, { operation, dialect, salt });
    if (conversation !== undefined) {
      facts.conversation = conversation;
    }
  }
  return facts;
}

/** The native endpoints stream unless told not to, the others the other way round. Embeddings never stream. */
function readStream(value: unknown, { operation, dialect }: RequestContext): boolean {
  if (!STREAMS_BY_DEFAULT.has(operation)) {
    return false;
  }
  return typeof value === "boolean" ? value : dialect === "ollama";
}

/**
 * Without a prompt or messages Ollama only loads the model, or unloads it when `keep_alive` is 0; images, suffix and
 * `raw` change nothing about that. /v1 refuses an empty chat with 400, but an empty /v1/completions prompt loads.
 */
function isEmpty(fields: Fields, { operation, dialect }: RequestContext): boolean {
  if (operation === "generate") {
    return (fields.get("prompt") ?? "") === "";
  }
  if (operation !== "chat" || dialect !== "ollama") {
    return false;
  }
  const messages = fields.get("messages") ?? [];
  return Array.isArray(messages) && messages.length === 0;
}

function readCompatibleLimits(fields: Fields): RequestFacts {
  const facts: RequestFacts = {};
  for (const name of ["max_tokens", "max_completion_tokens", "max_output_tokens"]) {
    const value = fields.get(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) {
      facts.maxOutputTokens = value;
      break;
    }
  }
  const options = structFields(fields.get("stream_options"));
  if (options.get("include_usage") === true) {
    facts.includeUsage = true;
  }
  return facts;
}
