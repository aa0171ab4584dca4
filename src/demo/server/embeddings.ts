/** `/api/embed`, the old `/api/embeddings` and `/v1/embeddings`. */
import { nanoseconds, nativeFailure } from "../dialects/native.ts";
import { openaiFailure } from "../dialects/openai.ts";
import type { SimulatedModel } from "../engine/models.ts";
import { tokenId, tokenize } from "../engine/tokens.ts";
import { createRandom } from "../random.ts";
import type { JsonObject } from "./body.ts";
import { RequestError } from "./failures.ts";
import { contextLength } from "./generate.ts";
import { goJson } from "./goJson.ts";
import type { Call, Engine } from "./job.ts";
import { readKeepAliveMs } from "./keepAlive.ts";
import type { WholeAnswer } from "./reply.ts";

export type EmbeddingEndpoint = "embed" | "embeddings" | "v1";

interface Embedded {
  vectors: number[][];
  tokens: number;
  loadMs: number;
  totalMs: number;
}

const NO_EMBEDDINGS = "This server does not support embeddings. Start it with `--embeddings`";

export function embeddingFailure(endpoint: EmbeddingEndpoint, status: number, message: string): WholeAnswer {
  return endpoint === "v1" ? openaiFailure(status, message) : nativeFailure(status, message);
}

/** Throws a `RequestError` for what is refused, or the signal's reason. */
export async function embed(
  engine: Engine,
  call: Call,
  asked: { endpoint: EmbeddingEndpoint; body: JsonObject },
): Promise<void> {
  const { endpoint, body } = asked;
  const requested = typeof body.model === "string" ? body.model : "";
  const found = engine.library.find(requested);
  if (found === undefined)
    throw new RequestError(404, `model "${requested}" not found, try pulling it first`);
  const inputs = readInputs(endpoint === "embeddings" ? body.prompt : body.input);
  const { model } = found;
  if (!model.capabilities.includes("embedding") && inputs.length > 0) {
    throw new RequestError(endpoint === "embeddings" ? 500 : 501, NO_EMBEDDINGS);
  }
  const keepAliveMs = readKeepAliveMs(body.keep_alive);
  const lease = await engine.scheduler.acquire(
    {
      model,
      name: found.name,
      options: { contextLength: contextLength(model), shift: true, others: {} },
      ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
    },
    call.signal,
  );
  try {
    const queueMs = await lease.turn(call.signal);
    const limit = lease.runner.options.contextLength;
    const lengths = inputs.map((input) => tokenize(input).length);
    if (body.truncate === false && lengths.some((length) => length > limit)) {
      throw new RequestError(400, "the input length exceeds the context length");
    }
    const read = lengths.map((length) => Math.min(length, limit));
    const computeMs = read.reduce((total, length) => total + lease.runner.prefillMs(0, length), 0);
    await engine.clock.work(computeMs * engine.slowdown(), call.signal);
    const embedded: Embedded = {
      vectors: inputs.map((input) => vectorOf(model, input)),
      tokens: read.reduce((total, length) => total + length, 0),
      loadMs: lease.loadMs,
      totalMs: lease.loadMs + queueMs + computeMs,
    };
    await call.reply.whole(answerOf(endpoint, requested, embedded, body.encoding_format === "base64"));
  } finally {
    lease.release();
  }
}

function readInputs(value: unknown): string[] {
  const inputs = Array.isArray(value) ? (value as unknown[]) : [value];
  return inputs.filter((input): input is string => typeof input === "string" && input !== "");
}

/** The same text has the same direction on every run. */
function vectorOf(model: SimulatedModel, text: string): number[] {
  const random = createRandom(tokenId(text));
  const raw = Array.from({ length: model.embedding }, () => random() - 0.5);
  const length = Math.hypot(...raw);
  return raw.map((value) => Math.fround(value / length));
}

function answerOf(
  endpoint: EmbeddingEndpoint,
  model: string,
  embedded: Embedded,
  base64: boolean,
): WholeAnswer {
  if (endpoint === "v1") {
    const data = embedded.vectors.map((vector, index) => ({
      object: "embedding",
      embedding: base64 ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector,
      index,
    }));
    const usage = { prompt_tokens: embedded.tokens, total_tokens: embedded.tokens };
    return {
      status: 200,
      contentType: "application/json",
      body: `${goJson({ object: "list", data, model, usage })}\n`,
    };
  }
  const counted = embedded.vectors.length > 0;
  const body = {
    model,
    embeddings: embedded.vectors,
    total_duration: counted ? nanoseconds(embedded.totalMs) : undefined,
    load_duration: counted ? nanoseconds(embedded.loadMs) : undefined,
    prompt_eval_count: counted ? embedded.tokens : undefined,
  };
  return {
    status: 200,
    contentType: "application/json; charset=utf-8",
    body: goJson(endpoint === "embeddings" ? { embedding: embedded.vectors[0] ?? [] } : body),
  };
}
