/** Which path does what. What is not here is a 404, and a known path with another method a 405, both in plain text. */
import type { Dialect } from "../dialects/dialect.ts";
import { anthropicMessages } from "../dialects/anthropic.ts";
import { nativeChat, nativeFailure, nativeGenerate } from "../dialects/native.ts";
import { openaiChat, openaiCompletions } from "../dialects/openai.ts";
import { openaiResponses } from "../dialects/responses.ts";
import { QueueFullError } from "../engine/scheduler.ts";
import { parseObject, type JsonObject } from "./body.ts";
import { embed, embeddingFailure, type EmbeddingEndpoint } from "./embeddings.ts";
import { RequestError } from "./failures.ts";
import { generate } from "./generate.ts";
import { readGenerationRequest, type GenerationEndpoint } from "./generationRequest.ts";
import { blobs, copy, listModels, ps, remove, show, status, tags, v1Model, version } from "./information.ts";
import type { Call, Engine } from "./job.ts";
import type { WholeAnswer } from "./reply.ts";
import { transfer, type TransferKind } from "./transfers.ts";

export type Handler = (engine: Engine, call: Call) => Promise<void>;
type Failure = (status: number, message: string) => WholeAnswer;

interface Route {
  path: string | RegExp;
  methods: Record<string, Handler>;
}

const ROUTES: readonly Route[] = [
  { path: "/", methods: reading(async (_engine, call) => await call.reply.whole(RUNNING)) },
  { path: "/api/version", methods: reading(version) },
  { path: "/api/status", methods: { GET: status } },
  { path: "/api/tags", methods: reading(tags) },
  { path: "/api/ps", methods: { GET: ps } },
  { path: "/api/show", methods: { POST: native(show) } },
  { path: "/api/generate", methods: { POST: generation("generate", nativeGenerate) } },
  { path: "/api/chat", methods: { POST: generation("chat", nativeChat) } },
  { path: "/v1/chat/completions", methods: { POST: generation("chat-completions", openaiChat) } },
  { path: "/v1/completions", methods: { POST: generation("completions", openaiCompletions) } },
  { path: "/v1/responses", methods: { POST: generation("responses", openaiResponses) } },
  { path: "/v1/messages", methods: { POST: generation("messages", anthropicMessages) } },
  { path: "/api/embed", methods: { POST: embedding("embed") } },
  { path: "/api/embeddings", methods: { POST: embedding("embeddings") } },
  { path: "/v1/embeddings", methods: { POST: embedding("v1") } },
  { path: "/api/pull", methods: { POST: transferring("pull") } },
  { path: "/api/push", methods: { POST: transferring("push") } },
  { path: "/api/create", methods: { POST: transferring("create") } },
  { path: "/api/copy", methods: { POST: native(copy) } },
  { path: "/api/delete", methods: { DELETE: native(remove) } },
  { path: /^\/api\/blobs\/[^/]+$/u, methods: { HEAD: blobs, POST: blobs } },
  { path: "/v1/models", methods: { GET: listModels } },
  { path: /^\/v1\/models\/[^/]+$/u, methods: { GET: v1Model } },
];

const RUNNING: WholeAnswer = {
  status: 200,
  contentType: "text/plain; charset=utf-8",
  body: "Ollama is running",
};

export function findHandler(method: string, path: string): Handler {
  const route = routeOf(path);
  if (route === undefined) return redirect(method, path) ?? plain(404, "404 page not found");
  const handler = route.methods[method];
  if (handler !== undefined) return handler;
  return plain(405, "405 method not allowed", [["Allow", methodsOf(route)]]);
}

/** The methods of a path, as a `405` names them. */
export function allowedMethods(path: string): string | undefined {
  const route = routeOf(path);
  return route === undefined ? undefined : methodsOf(route);
}

function methodsOf(route: Route): string {
  return Object.keys(route.methods).join(", ");
}

function routeOf(path: string): Route | undefined {
  return ROUTES.find((route) =>
    typeof route.path === "string" ? route.path === path : route.path.test(path),
  );
}

/** A slash too many is answered with the path without it. */
function redirect(method: string, path: string): Handler | undefined {
  const doubled = path.includes("//");
  const location = path.replace(/\/{2,}/gu, "/").replace(/(.)\/$/u, "$1");
  if (location === path || routeOf(location) === undefined) return undefined;
  const isGet = method === "GET";
  const status = isGet && !doubled ? 301 : 307;
  const words = status === 301 ? "Moved Permanently" : "Temporary Redirect";
  return async (_engine, call) =>
    await call.reply.whole({
      status,
      headers: [["Location", location]],
      ...(isGet
        ? { contentType: "text/html; charset=utf-8", body: `<a href="${location}">${words}</a>.\n\n` }
        : {}),
    });
}

function plain(code: number, body: string, headers: [string, string][] = []): Handler {
  return async (_engine, call) =>
    await call.reply.whole({ status: code, headers, contentType: "text/plain", body });
}

function reading(handler: Handler): Record<string, Handler> {
  return { HEAD: handler, GET: handler };
}

function generation(endpoint: GenerationEndpoint, dialect: Dialect): Handler {
  return guarded(dialect.failure, async (engine, call) => {
    const request = readGenerationRequest(endpoint, await readJson(call));
    if (call.override.emptyBody === true) {
      await call.reply.open(dialect.streamHeaders, 0);
      await call.reply.end();
      return;
    }
    const { reply, override, signal } = call;
    await generate(engine, { endpoint, request, dialect, reply, override, signal });
  });
}

function embedding(endpoint: EmbeddingEndpoint): Handler {
  const failure: Failure = (code, message) => embeddingFailure(endpoint, code, message);
  return guarded(failure, async (engine, call) => {
    await embed(engine, call, { endpoint, body: await readJson(call) });
  });
}

function transferring(kind: TransferKind): Handler {
  return native(async (engine, call, body) => await transfer(engine, call, { kind, body }));
}

function native(handler: (engine: Engine, call: Call, body: JsonObject) => Promise<void>): Handler {
  return guarded(nativeFailure, async (engine, call) => {
    await handler(engine, call, await readJson(call));
  });
}

async function readJson(call: Call): Promise<JsonObject> {
  const read = await call.body();
  if ("tooLarge" in read) {
    throw new RequestError(400, "the simulated Ollama takes no more than 256 MiB of JSON", "framework");
  }
  const parsed = parseObject(read.bytes.toString("utf8"));
  if ("problem" in parsed) throw new RequestError(400, parsed.problem, "framework");
  return parsed.value;
}

function guarded(failure: Failure, handler: Handler): Handler {
  return async (engine, call) => {
    try {
      await handler(engine, call);
    } catch (error) {
      if (error instanceof RequestError) await refuse(call, failure(error.status, error.message), error.by);
      else if (error instanceof QueueFullError) await call.reply.whole(failure(503, QUEUE_FULL));
      else throw error;
    }
  };
}

async function refuse(call: Call, answer: WholeAnswer, by: RequestError["by"]): Promise<void> {
  if (by === "framework") {
    const contentType = "application/json; charset=utf-8";
    await call.reply.whole({ ...answer, contentType, body: String(answer.body).trimEnd() });
    return;
  }
  if (by === "api") {
    await call.reply.whole(answer);
    return;
  }
  await call.reply.open([["Content-Type", "application/json"]], 1, answer.status);
  await call.reply.write(String(answer.body));
  await call.reply.end();
}

const QUEUE_FULL = "server busy, please try again.  maximum pending requests exceeded";
