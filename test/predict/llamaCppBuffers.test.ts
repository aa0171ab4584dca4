import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { queryOfConfig } from "./support/configs.ts";
import { estimateFor, MEBIBYTE, shapeOf } from "./support/estimates.ts";

interface Logged {
  metadata: Record<string, unknown>;
  /** Caches as MiB, cells and layers, and the MiB of all states. */
  caches: Record<string, [[number, number, number][], number]>;
  cpu: Record<string, number>;
  compute: Partial<Record<"cuda" | "metal" | "cudaFull", Record<string, [number, number]>>>;
}

const { models } = JSON.parse(
  readFileSync(new URL("../fixtures/predict/llama-cpp-buffers.json", import.meta.url), "utf8"),
) as { models: Record<string, Logged> };

/** Attention and mixtures of experts: planned as ggml plans them, so equal to the log. */
const EXACT = new Set(
  `llama-3.1-8b llama-3.2-1b llama-2-7b mistral-nemo-12b qwen2.5-7b qwen3-30b-a3b phi-4 gemma-2-9b gemma-3-270m
   gemma-3-4b gemma-3-27b gpt-oss-20b deepseek-v2-lite-legacy mamba2-2.7b granite-4-h-tiny lfm2-1.2b falcon-h1-7b
   qwen3-next-80b-a3b`.split(/\s+/),
);
/** Recorded with dense layers in place of its experts. */
const STAND_IN = new Set(["jamba-mini"]);

describe.each(Object.entries(models))("%s", (_name, model) => {
  const shape = shapeOf(model.metadata);

  it("takes the bytes, cells and layers of every cache that llama.cpp logs, to 0.01 MiB", () => {
    for (const [config, [caches, stateMebibytes]] of Object.entries(model.caches)) {
      const estimate = estimateFor(shape, queryOfConfig(config));
      const attention = estimate.caches.filter(({ kind }) => kind !== "recurrent");
      expect(
        attention.map(({ cells, layerCount }) => [cells, layerCount]),
        config,
      ).toEqual(caches.map(([, cells, layers]) => [cells, layers]));
      attention.forEach(({ bytes }, index) => {
        expect(Math.abs(bytes / MEBIBYTE - (caches[index]?.[0] ?? 0)), config).toBeLessThanOrEqual(0.01);
      });
      const state = estimate.recurrentStateBytes.hostBytes / MEBIBYTE;
      expect(Math.abs(state - stateMebibytes), config).toBeLessThanOrEqual(0.01);
    }
  });
});

describe.each(Object.entries(models).filter(([name]) => !STAND_IN.has(name)))("%s", (name, model) => {
  const shape = shapeOf(model.metadata);

  it("reserves the compute buffers that llama.cpp reserves", () => {
    for (const backend of ["cuda", "metal"] as const) {
      for (const [config, [device, host]] of Object.entries(model.compute[backend] ?? {})) {
        const { computeBytes } = estimateFor(shape, { ...queryOfConfig(config), backend });
        const allowed = EXACT.has(name) ? 1 : Math.max(1, 0.15 * device);
        const where = `${backend} ${config}`;
        expect(Math.abs(computeBytes.deviceBytes / MEBIBYTE - device), where).toBeLessThanOrEqual(allowed);
        expect(Math.abs(computeBytes.hostBytes / MEBIBYTE - host), where).toBeLessThanOrEqual(1.5);
      }
    }
  });
});

it.each(["llama-3.1-8b", "llama-3.2-1b", "mistral-nemo-12b", "qwen2.5-7b", "gemma-2-9b", "gemma-3-270m"])(
  "%s reserved logits for the whole batch before June 2026, on the device and on a CPU",
  (name) => {
    const model = models[name];
    const shape = shapeOf(model?.metadata ?? {});
    const older = { ollamaVersion: "0.30.0" };
    for (const [config, [device]] of Object.entries(model?.compute.cudaFull ?? {})) {
      const { computeBytes } = estimateFor(shape, { ...queryOfConfig(config), ...older, backend: "cuda" });
      expect(Math.abs(computeBytes.deviceBytes / MEBIBYTE - device), config).toBeLessThanOrEqual(1);
    }
    for (const [config, host] of Object.entries(model?.cpu ?? {})) {
      const { computeBytes } = estimateFor(shape, { ...queryOfConfig(config), ...older });
      expect(Math.abs(computeBytes.hostBytes / MEBIBYTE - host), config).toBeLessThanOrEqual(1);
    }
  },
);
