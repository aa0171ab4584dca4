import { readFileSync } from "node:fs";
import { createAccuracy } from "../../src/predict/accuracy.ts";
import { estimateMemory } from "../../src/predict/estimate.ts";
import { guessExchange } from "../../src/predict/guessExchange.ts";
import { createLearned } from "../../src/predict/guessLearned.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import { quantile } from "../report/stats.ts";
import type { Target } from "../targets/target.ts";
import { eachInTurn, type BenchCase } from "./case.ts";

/** Metadata of real models, as the tests have it. */
const METADATA = new URL("../../test/fixtures/predict/llama-cpp-buffers.json", import.meta.url);
/** One of each class: dense, sliding windows, experts, latent attention, hybrid. */
const MODELS = ["llama-3.1-8b", "gemma-3-27b", "qwen3-30b-a3b", "deepseek-v2-lite-mla", "granite-4-h-tiny"];
const ESTIMATES = 400;
const GUESSES = 2000;
const SUMMARIES = 20;
/** A busy week: as many scores as are kept. */
const SCORES = 20_000;

/** What a prediction costs, in this process and without a socket. */
export const predictCase: BenchCase = {
  name: "predict",
  dialect: "ollama",
  title: "what a prediction costs",
  about: `Estimate: settings resolved and memory added up for one configuration of a model that is known, each time another one. Guess: made when a request has been read, from 40 earlier answers. Accuracy: the summary of ${SCORES} scores.`,
  metrics: [
    { id: "medianUs", label: "median, µs", decimals: 1 },
    { id: "p99Us", label: "p99, µs", decimals: 1 },
  ],
  ownTargets: async () => [
    ...MODELS.map((model) => row(`estimate ${model}`, `estimate, ${model}`)),
    row("guess", "guess on an exchange"),
    row("accuracy", "accuracy of a week"),
  ],
  measure: (targets) =>
    eachInTurn(targets, async ({ name }) => {
      if (name === "guess") {
        return timed(GUESSES, guessing());
      }
      return name === "accuracy"
        ? timed(SUMMARIES, summarising())
        : timed(ESTIMATES, estimating(name.replace("estimate ", "")));
    }),
};

/** Nothing is sent anywhere: a row of the table, not a way from driver to mock. */
function row(name: string, label: string): Target {
  return { name, label, port: 0, fields: [], dialects: ["ollama"] };
}

async function timed(count: number, run: (index: number) => unknown): Promise<Record<string, number>> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const began = process.hrtime.bigint();
    run(index);
    times.push(Number(process.hrtime.bigint() - began) / 1000);
  }
  return { medianUs: quantile(times, 0.5) ?? Number.NaN, p99Us: quantile(times, 0.99) ?? Number.NaN };
}

function estimating(model: string): (index: number) => unknown {
  const { models } = JSON.parse(readFileSync(METADATA, "utf8")) as {
    models: Record<string, { metadata: Record<string, unknown> }>;
  };
  const shape = shapeFromShow({ model_info: models[model]?.metadata });
  return (index) =>
    estimateMemory(
      shape,
      resolveSettings({
        shape,
        query: { contextLength: 2048 + 256 * (index % 100), parallel: 1 + (index % 4) },
      }),
    );
}

function guessing(): (index: number) => unknown {
  const learned = createLearned();
  const settings = { kvCacheType: "f16", deviceRatio: 0 };
  const speed = learned.speed.keep("m", settings);
  for (let turn = 0; turn < 40; turn += 1) {
    speed.decode.learn({ depthTokens: 300 * turn, steps: 100, msPerToken: 40 + turn / 10 });
    speed.prefill.learn(
      { uncachedTokens: 300 + turn, cachedTokens: 300 * turn, ms: 900 + 20 * turn },
      "likely",
    );
  }
  return (index) =>
    guessExchange(
      {
        model: "m",
        settings,
        request: { textBytes: 4000 + 40 * (index % 100), messageCount: 1 + (index % 40), stream: true },
        contextLength: 16_384,
        loaded: true,
        runnerBytes: 6e9,
        kvBytesPerToken: 131_072,
      },
      learned,
      1000 * index,
    );
}

function summarising(): () => unknown {
  const kinds = ["inputTokens", "prefillMs", "firstTokenMs", "decodeTokensPerSecond"] as const;
  const now = Date.UTC(2026, 0, 8);
  const values = Array.from({ length: SCORES }, (_, index) => ({
    kind: kinds[index % kinds.length] ?? "inputTokens",
    model: `model-${index % 5}`,
    at: now - index * 20_000,
    errorRatio: Math.sin(index) / 5,
  }));
  const accuracy = createAccuracy({ now: () => now, values });
  return () => accuracy.summary();
}
