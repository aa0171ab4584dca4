import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { queryOfConfig } from "./support/configs.ts";
import { estimateFor, MEBIBYTE, shapeOf } from "./support/estimates.ts";

interface Logged {
  metadata: Record<string, unknown>;
  /** Caches as MiB, cells and layers, and the MiB of all states. */
  caches: Record<string, [[number, number, number][], number]>;
  cpu: Record<string, number>;
}

const { models } = JSON.parse(
  readFileSync(new URL("../fixtures/predict/llama-cpp-other-models.json", import.meta.url), "utf8"),
) as { models: Record<string, Logged> };

/** Largest error of a compute buffer whose graph is modelled less finely than to 1 MiB. */
const FAIR = 0.16;
const COARSE: Readonly<Record<string, number>> = {
  // A sparse-attention indexer scores every cell; of models far larger than the machines this is for.
  "glm-dsa": 0.6,
  deepseek32: 0.6,
  "arwkv7-7b": 0.3,
  "smallthinker-4b": 0.25,
  ...Object.fromEntries(
    // The first three are planned as their files are (one projection for query, key and value), which metadata alone is not.
    `phi2 phi3-mini phi3-medium-128k chatglm3-6b gemma3n-e2b gemma4-31b gemma4-31b-kvarr gemma4-e2b deepseek-v3-legacy
     nemotron-3-nano-30b qwen3.5-27b falcon-7b falcon-40b rwkv6-7b rwkv7-2.9b minicpm3-4b
     smallthinker-21b ling-mini-2 plamo2-8b starcoder-1b mimo-v2-flash afmoe arctic maincoder muse-glimmer talkie laguna
     cohere2moe`
      .split(/\s+/)
      .map((name) => [name, FAIR]),
  ),
};
/** Their indexer's cache is listed by itself in the log, and is part of the layer's here. */
const WITH_INDEXER: ReadonlySet<string> = new Set(["glm-dsa", "deepseek32"]);

describe.each(Object.entries(models))("%s", (name, model) => {
  const shape = shapeOf(model.metadata);

  it("is an architecture that is known", () => {
    expect(shape.known).toBe(true);
  });

  it("takes the caches that llama.cpp logs, to 0.01 MiB each", () => {
    for (const [config, [caches, stateMebibytes]] of Object.entries(model.caches)) {
      const estimate = estimateFor(shape, queryOfConfig(config));
      const attention = estimate.caches.filter(({ kind }) => kind !== "recurrent");
      const total = attention.reduce((sum, { bytes }) => sum + bytes, 0) / MEBIBYTE;
      const logged = caches.reduce((sum, [mebibytes]) => sum + mebibytes, 0);
      expect(Math.abs(total - logged), config).toBeLessThanOrEqual(0.01 * Math.max(1, caches.length));
      if (!WITH_INDEXER.has(name)) {
        expect(
          attention.map(({ cells, layerCount }) => [cells, layerCount]),
          config,
        ).toEqual(caches.map(([, cells, layers]) => [cells, layers]));
      }
      const state = estimate.recurrentStateBytes.hostBytes / MEBIBYTE;
      expect(Math.abs(state - stateMebibytes), config).toBeLessThanOrEqual(0.01);
    }
  });

  it("reserves the compute buffer that llama.cpp reserves on a processor", () => {
    for (const [config, mebibytes] of Object.entries(model.cpu)) {
      const allowed = Math.max(1, (COARSE[name] ?? 0) * mebibytes);
      const { computeBytes } = estimateFor(shape, { ...queryOfConfig(config), backend: "cpu" });
      expect(Math.abs(computeBytes.hostBytes / MEBIBYTE - mebibytes), config).toBeLessThanOrEqual(allowed);
    }
  });
});
