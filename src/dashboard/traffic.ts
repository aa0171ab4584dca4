import type { Registry } from "@prometheus-io/client";
import { Counter, Histogram } from "@prometheus-io/client";
import type { Exchange, Usage } from "../types.ts";
import type { Labels } from "./labels.ts";

export interface Traffic {
  count(exchange: Exchange): void;
  /** Share of the context in use after the last exchange, by model label. */
  contextUsedRatios: ReadonlyMap<string, number>;
}

const tokenBuckets = [16, 64, 256, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];
const secondsBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
// A cold load of a large model over a slow disk, or a long answer, takes longer than the customary last bucket of 82 s.
const requestBuckets = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
// The buckets OpenTelemetry's GenAI conventions give for the time per output token.
const perTokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

/** Counters and distributions of exchanges. What an exchange does not know is not counted, so that no average is pulled towards 0. */
export function createTraffic(registry: Registry, modelLabel: Labels): Traffic {
  const record = createRecorders(registry);
  const contextUsedRatios = new Map<string, number>();

  return {
    contextUsedRatios,
    count(exchange) {
      const { state, usage } = exchange;
      if (!("endedAt" in state)) return;
      const model =
        state.phase === "completed" ? modelLabel.admit(exchange.model) : modelLabel.known(exchange.model);
      const { operation, dialect } = exchange;
      record.requests.inc({ model, operation, dialect, outcome: state.phase });
      for (const { kind } of exchange.notices) {
        record.notices.inc({ kind });
        if (LOSING.has(kind)) record.truncations.inc({ model, kind });
      }
      record.durations.observe({ model, operation }, seconds(state.endedAt - exchange.startedAt));
      if (state.firstTokenAt !== undefined) {
        record.firstToken.observe({ model }, seconds(state.firstTokenAt - exchange.startedAt));
      }
      if (usage) countUsage(record, model, usage);
      if (exchange.contextTokensUsed !== undefined && exchange.contextLength) {
        contextUsedRatios.set(model, exchange.contextTokensUsed / exchange.contextLength);
      }
    },
  };
}

/** Tokens were lost, and nothing else means that. */
const LOSING = new Set(["truncated", "messages-dropped", "context-shifted"]);

type Recorders = ReturnType<typeof createRecorders>;

function createRecorders(registry: Registry) {
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter<T>({ name, help, labelNames, registers });
  const histogram = <T extends string>(name: string, help: string, labelNames: T[], buckets: number[]) =>
    new Histogram<T>({ name, help, labelNames, buckets, registers });
  const seconds = (name: string, help: string, buckets = secondsBuckets) =>
    histogram(`plimsoll_${name}_seconds`, help, ["model"], buckets);

  return {
    requests: counter("plimsoll_requests_total", "Exchanges that ended.", [
      "model",
      "operation",
      "dialect",
      "outcome",
    ]),
    notices: counter("plimsoll_notices_total", "What befell exchanges, such as truncated.", ["kind"]),
    truncations: counter("plimsoll_truncations_total", "Exchanges of which Ollama silently lost tokens.", [
      "model",
      "kind",
    ]),
    inputTokens: counter("plimsoll_input_tokens_total", "Prompt tokens, cached ones included.", ["model"]),
    cachedTokens: counter("plimsoll_cached_input_tokens_total", "Prompt tokens re-used (derived).", [
      "model",
    ]),
    outputTokens: counter("plimsoll_output_tokens_total", "Generated tokens.", ["model"]),
    requestInput: histogram(
      "plimsoll_request_input_tokens",
      "Prompt tokens of one request.",
      ["model"],
      tokenBuckets,
    ),
    requestOutput: histogram(
      "plimsoll_request_output_tokens",
      "Generated tokens of one request.",
      ["model"],
      tokenBuckets,
    ),
    firstToken: seconds("time_to_first_token", "From the request to the first token."),
    perToken: seconds("time_per_output_token", "Decode time of one token.", perTokenBuckets),
    durations: histogram(
      "plimsoll_request_duration_seconds",
      "From the request to its end.",
      ["model", "operation"],
      requestBuckets,
    ),
    queue: seconds("request_queue_time", "Waiting behind other requests."),
    load: seconds("request_load_time", "Loading the model."),
    prefill: seconds("request_prefill_time", "Reading the prompt."),
    decode: seconds("request_decode_time", "Generating."),
  };
}

function countUsage(record: Recorders, model: string, usage: Usage): void {
  const { inputTokens, cachedInputTokens, outputTokens, decodeMs } = usage;
  if (inputTokens !== undefined) {
    record.inputTokens.inc({ model }, inputTokens);
    record.requestInput.observe({ model }, inputTokens);
  }
  if (cachedInputTokens !== undefined) record.cachedTokens.inc({ model }, cachedInputTokens);
  if (outputTokens !== undefined) {
    record.outputTokens.inc({ model }, outputTokens);
    record.requestOutput.observe({ model }, outputTokens);
  }
  if (decodeMs !== undefined && outputTokens)
    record.perToken.observe({ model }, seconds(decodeMs / outputTokens));
  if (usage.queueMs !== undefined) record.queue.observe({ model }, seconds(usage.queueMs));
  if (usage.loadMs !== undefined) record.load.observe({ model }, seconds(usage.loadMs));
  if (usage.prefillMs !== undefined) record.prefill.observe({ model }, seconds(usage.prefillMs));
  if (decodeMs !== undefined) record.decode.observe({ model }, seconds(decodeMs));
}

function seconds(milliseconds: number): number {
  return Math.max(0, milliseconds) / 1000;
}
