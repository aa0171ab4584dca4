/** Asks Ollama itself: `/api/version`, `ps`, `show`, `tags`, each with a time limit. */
import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { createJsonSketch } from "./jsonSketch.ts";
import { asCount, asName, asObject, type JsonObject } from "./lenient.ts";

/** One loaded model as `/api/ps` claims it. The sizes are Ollama's own book-keeping, not measurements. */
export interface PsModel {
  name: string;
  digest?: string;
  sizeBytes?: number;
  deviceBytes?: number;
  /** Of one slot. Ollama before v0.10 does not say. */
  contextLength?: number;
  /** Absent when Ollama does not say, and for a model that stays. */
  expiresAt?: number;
  /** It was loaded with a negative `keep_alive` and never expires. */
  keptForever?: boolean;
}

interface TaggedModel {
  name: string;
  digest?: string;
  /** On disk, all layers. */
  sizeBytes?: number;
  modifiedAt?: number;
}

/** An `/api/show` answer, as sent but for long lists: of those the first 1024 plain values are kept. */
export interface ShowAnswer extends JsonObject {
  modelfile?: string;
  model_info?: JsonObject;
  tensors?: unknown[];
}

export interface OllamaClient {
  version(): Promise<string>;
  ps(): Promise<PsModel[]>;
  show(model: string, options?: { verbose?: boolean }): Promise<ShowAnswer>;
  tags(): Promise<TaggedModel[]>;
}

export type OllamaProblem = "unreachable" | "timeout" | "not-ollama" | "refused";

/** Why a question to Ollama has no answer. `refused`: it answered `status`, for an unknown model 404. */
export class OllamaError extends Error {
  readonly problem: OllamaProblem;
  readonly status: number | undefined;

  constructor(problem: OllamaProblem, message: string, status?: number) {
    super(message);
    this.name = "OllamaError";
    this.problem = problem;
    this.status = status;
  }

  /** What to do about it, a sentence; none where waiting is all there is. */
  get fix(): string | undefined {
    if (this.problem === "unreachable") {
      return "Start it (ollama serve, or its app), or name where it is with --upstream.";
    }
    return this.problem === "not-ollama" ? "Name Ollama's own address with --upstream." : undefined;
  }
}

const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;
/**
 * Per-layer lists have some hundred values, the tokenizer's of a verbose show some hundred thousand each: those are
 * left out while they pass, because parsing them would hold up the streams. Tensors are objects and all stay.
 */
const KEPT = { textBytes: 64 * 1024, listItems: 1024, listObjects: 100_000, sketchBytes: 16 * 1024 * 1024 };
/** Ollama writes "for ever" as the longest time Go knows, about 292 years ahead. */
const FOREVER_MS = 100 * 365 * 24 * 3600 * 1000;

export interface OllamaClientOptions {
  url: string;
  /** For a whole question, from the connection to the last byte. */
  timeoutMs?: number;
  now?: () => number;
}

/**
 * Asks Ollama what it has and what it runs. None of these questions loads a model or keeps one loaded. Each can be
 * slow (`/api/ps` waits for a lock while a runner is stopped), so each has a time limit; they reject with an
 * `OllamaError`.
 */
export function createOllamaClient(options: OllamaClientOptions): OllamaClient {
  const { timeoutMs = 3000, now = Date.now } = options;
  const ask = (path: string, body?: object): Promise<JsonObject> =>
    fetchObject(new URL(path, options.url), { timeoutMs, body });

  return {
    async version() {
      const { version } = await ask("/api/version");
      if (typeof version !== "string") {
        throw notOllama(options.url, "/api/version names no version");
      }
      return version;
    },
    async ps() {
      const models = listOf(await ask("/api/ps"), options.url);
      return models.flatMap((model) => psModel(model, now()));
    },
    show: (model, { verbose = false } = {}) => ask("/api/show", { model, verbose }),
    async tags() {
      const models = listOf(await ask("/api/tags"), options.url);
      return models.flatMap(taggedModel);
    },
  };
}

/** With no models Ollama answers an empty list, older ones `null`. */
function listOf({ models }: JsonObject, url: string): JsonObject[] {
  if (models !== null && !Array.isArray(models)) {
    throw notOllama(url, "it lists no models");
  }
  return (models ?? []).map(asObject).filter((entry: JsonObject | undefined) => entry !== undefined);
}

function psModel(entry: JsonObject, now: number): PsModel[] {
  const name = asName(entry["name"]) ?? asName(entry["model"]);
  if (name === undefined) {
    return [];
  }
  const expiresAt = timeOf(entry["expires_at"]);
  const keptForever = expiresAt !== undefined && expiresAt > now + FOREVER_MS;
  return [
    {
      name,
      digest: asName(entry["digest"]),
      sizeBytes: asCount(entry["size"]),
      deviceBytes: asCount(entry["size_vram"]),
      // A zero is what Go writes for "not known": no model has a context of 0.
      contextLength: asCount(entry["context_length"]) || undefined,
      ...(keptForever ? { keptForever } : { expiresAt }),
    },
  ];
}

function taggedModel(entry: JsonObject): TaggedModel[] {
  const name = asName(entry["name"]) ?? asName(entry["model"]);
  return name === undefined
    ? []
    : [
        {
          name,
          digest: asName(entry["digest"]),
          sizeBytes: asCount(entry["size"]),
          modifiedAt: timeOf(entry["modified_at"]),
        },
      ];
}

/** Epoch milliseconds of a timestamp; Go's zero time (year 1) is none. */
function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return time > 0 ? time : undefined;
}

async function fetchObject(
  url: URL,
  { timeoutMs, body }: { timeoutMs: number; body?: object | undefined },
): Promise<JsonObject> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await send(url, body, signal);
    const value = asObject(await readSketch(response, url));
    if ((response.statusCode ?? 0) >= 400) {
      throw new OllamaError(
        "refused",
        `Ollama at ${url.origin} answered ${response.statusCode} to ${url.pathname}`,
        response.statusCode,
      );
    }
    if (value === undefined) {
      throw notOllama(url.origin, `${url.pathname} is no JSON object`);
    }
    return value;
  } catch (error) {
    throw asProblem(error, { url, timeoutMs, timedOut: signal.aborted });
  }
}

function send(url: URL, body: object | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      // Says in Ollama's log whose questions these are.
      "User-Agent": "plimsoll",
      ...(text !== undefined && {
        "Content-Type": "application/json",
        "Content-Length": Buffer.byteLength(text),
      }),
    };
    // No pool: an idle connection kept open would have to be closed by someone.
    const sent = request(url, { method: text === undefined ? "GET" : "POST", headers, signal, agent: false });
    sent.on("response", resolve);
    sent.on("error", reject);
    sent.end(text);
  });
}

async function readSketch(response: IncomingMessage, url: URL): Promise<unknown> {
  const sketch = createJsonSketch(KEPT);
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_LIMIT_BYTES) {
      throw notOllama(url.origin, `${url.pathname} answered more than ${ANSWER_LIMIT_BYTES} bytes`);
    }
    sketch.push(chunk);
  }
  return sketch.value();
}

function notOllama(url: string, why: string): OllamaError {
  return new OllamaError("not-ollama", `What answers at ${url} is not Ollama: ${why}`);
}

function asProblem(
  error: unknown,
  { url, timeoutMs, timedOut }: { url: URL; timeoutMs: number; timedOut: boolean },
): OllamaError {
  if (error instanceof OllamaError) {
    return error;
  }
  if (timedOut) {
    return new OllamaError(
      "timeout",
      `Ollama at ${url.origin} did not answer ${url.pathname} within ${timeoutMs} ms`,
    );
  }
  const { code = "", message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  if (code.startsWith("HPE_")) {
    return notOllama(url.origin, "it does not speak HTTP");
  }
  return new OllamaError("unreachable", `Ollama does not answer at ${url.origin} (${code || message})`);
}
