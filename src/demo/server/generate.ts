/** One generation from request to last byte: find the model, wait for a runner, compute the prompt, say the answer. */
import type { GenerationEnd } from "../dialects/dialect.ts";
import { loadAnswer } from "../dialects/native.ts";
import type { SimulatedModel } from "../engine/models.ts";
import { fitPrompt } from "../engine/prompt.ts";
import type { Lease } from "../engine/residence.ts";
import { jitter, TIMING_NOISE } from "../random.ts";
import { RequestError } from "./failures.ts";
import type { GenerationRequest } from "./generationRequest.ts";
import type { Engine, GenerationJob } from "./job.ts";
import type { InstalledModel, Library } from "./library.ts";
import { createAnswerWriter, planAnswer, say } from "./say.ts";

/** Without VRAM to go by, Ollama gives every model this window. */
const DEFAULT_CONTEXT_LENGTH = 4096;
const SMALLEST_CONTEXT_LENGTH = 4;
/** Template, sampling set-up and the like: in `total_duration` and nowhere else. */
const OVERHEAD_MS = 1.2;

/** Throws a `RequestError` for what is refused, or the signal's reason. */
export async function generate(engine: Engine, job: GenerationJob): Promise<void> {
  const { request, endpoint } = job;
  const { name, model } = findModel(engine.library, request.model);
  requireCapabilities(model, job);
  if (request.empty && request.keepAliveMs === 0) {
    engine.scheduler.unload(model);
    await answerLoad(engine, job, "unload");
    return;
  }
  const lease = await engine.scheduler.acquire(
    {
      model,
      name,
      options: {
        contextLength: contextLength(model, request.contextLength),
        shift: request.shift,
        others: request.runnerOptions,
      },
      ...(request.keepAliveMs === undefined ? {} : { keepAliveMs: request.keepAliveMs }),
    },
    job.signal,
  );
  try {
    if (request.empty && endpoint !== "messages") await answerLoad(engine, job, "load");
    else await answer(engine, job, lease);
  } finally {
    lease.release();
  }
}

/** Clipped to what the model was trained on, without a word, as Ollama does. */
export function contextLength(model: SimulatedModel, requested = DEFAULT_CONTEXT_LENGTH): number {
  return Math.min(Math.max(requested, SMALLEST_CONTEXT_LENGTH), model.trainedContext);
}

function findModel(library: Library, requested: string): InstalledModel {
  const found = library.find(requested);
  if (found === undefined) throw new RequestError(404, `model '${requested}' not found`);
  return found;
}

function requireCapabilities(model: SimulatedModel, job: GenerationJob): void {
  const { request, endpoint } = job;
  if (!model.capabilities.includes("completion")) {
    const action = endpoint === "generate" || endpoint === "completions" ? "generate" : "chat";
    throw new RequestError(400, `"${request.model}" does not support ${action}`);
  }
  if (
    typeof request.body.suffix === "string" &&
    request.body.suffix !== "" &&
    !model.capabilities.includes("insert")
  ) {
    throw new RequestError(400, `registry.ollama.ai/library/${model.name} does not support insert`);
  }
  if (request.imageCount > 0 && !model.capabilities.includes("vision")) {
    throw new RequestError(
      400,
      '{"error":{"code":400,"message":"Multimodal data provided, but model does not support multimodal requests.","type":"invalid_request_error"}}',
    );
  }
}

async function answerLoad(engine: Engine, job: GenerationJob, reason: "load" | "unload"): Promise<void> {
  const kind = job.endpoint === "generate" ? "generate" : "chat";
  await job.reply.whole(loadAnswer(kind, { model: job.request.model, reason, now: engine.clock.now() }));
}

async function answer(engine: Engine, job: GenerationJob, lease: Lease): Promise<void> {
  const queueMs = await lease.turn(job.signal);
  const { request } = job;
  const window = lease.runner.options.contextLength;
  const fitted = fitPrompt(request.prompt, {
    contextLength: window,
    truncate: request.truncate,
    shift: request.shift,
  });
  if ("tooLong" in fitted) {
    throw new RequestError(
      400,
      tooLongText(request, fitted.tooLong, window),
      request.stream ? "runner" : "api",
    );
  }
  const prefillMs = await computePrompt(engine, job, { lease, tokens: fitted.tokens });
  const planned = planAnswer(engine.random, job);
  const writer = createAnswerWriter(engine, job, planned.pieces.length);
  const said = await say(engine, job, { runner: lease.runner, planned, writer });
  if (said === undefined) return;
  const givesContext = job.endpoint === "generate" && request.body.raw !== true;
  const end: GenerationEnd = {
    text: said.text,
    reason: said.reason,
    promptTokens: fitted.tokens.length,
    outputTokens: said.ids.length,
    totalMs: queueMs + lease.loadMs + prefillMs + said.decodeMs + OVERHEAD_MS,
    loadMs: lease.loadMs,
    prefillMs,
    decodeMs: said.decodeMs,
    ...(givesContext ? { context: [...fitted.tokens, ...said.ids] } : {}),
  };
  await writer.finish(said.text, job.override.withoutFinal === true ? undefined : end);
}

/** llama-server's answer inside Ollama's, or Ollama's own when shifting was forbidden. */
function tooLongText(request: GenerationRequest, tokens: number, window: number): string {
  if (request.truncate) {
    return "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the context length in settings, or use a model with a longer context length";
  }
  const message = `request (${tokens} tokens) exceeds the available context size (${window} tokens), try increasing it`;
  return JSON.stringify({
    error: { code: 400, message, type: "exceed_context_size_error", n_prompt_tokens: tokens, n_ctx: window },
  });
}

/** Only what the slot does not hold already takes time. A client that leaves keeps the part that was computed. */
async function computePrompt(
  engine: Engine,
  job: GenerationJob,
  prompt: { lease: Lease; tokens: number[] },
): Promise<number> {
  const { runner } = prompt.lease;
  const total = prompt.tokens.length;
  const { cachedTokens } = runner.slot.take(prompt.tokens);
  const ms = runner.prefillMs(cachedTokens, total) * jitter(engine.random, TIMING_NOISE) * engine.slowdown();
  const startedAt = engine.clock.monotonic();
  try {
    await engine.clock.work(ms, job.signal);
    return ms;
  } catch (error) {
    const done = Math.min(1, (engine.clock.monotonic() - startedAt) / ms);
    runner.slot.cut(cachedTokens + Math.floor((total - cachedTokens) * done));
    throw error;
  }
}
