import { describe, expect, it } from "vitest";

import type { EstimateSettings } from "../../src/predict/estimateSettings.ts";
import { processBytes } from "../../src/predict/processMemory.ts";
import { repackedBytes, rewroteForTiles } from "../../src/predict/repack.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import { estimateFor, MEBIBYTE, shapeOf } from "./support/estimates.ts";
import { llamaLike } from "./support/knownModels.ts";
import { denseTensors } from "./support/tensorLists.ts";

const DIMENSIONS = { layers: 2, embedding: 256, heads: 4, keyHeads: 4, head: 64, ffn: 512, vocabulary: 1000 };

function settingsOf(shape: ReturnType<typeof shapeOf>, ollamaVersion: string): EstimateSettings {
  return resolveSettings({ shape, ollamaVersion, query: { contextLength: 2048 } });
}

function withTokenizer(tokens: number, tokenizer: Record<string, unknown>) {
  return shapeOf({ ...llamaLike("llama", { ...DIMENSIONS, vocabulary: tokens }), ...tokenizer });
}

const bytePairs = (merges: number) => ({
  "tokenizer.ggml.model": "gpt2",
  "tokenizer.ggml.merges": Array.from({ length: merges }, () => ""),
});

describe("the runner's own memory", () => {
  // Anonymous memory of a runner less weights, cache and output buffer, measured with tokenizers made for it. MiB.
  it.each<[string, string, number, Record<string, unknown>, number]>([
    ["0.33.0", "SentencePiece", 262_144, {}, 50],
    ["0.33.0", "SentencePiece", 32_000, {}, 14.8],
    ["0.33.0", "SentencePiece", 1000, {}, 5.2],
    ["0.33.0", "byte pairs", 50_257, bytePairs(50_000), 22],
    ["0.33.0", "byte pairs", 151_936, bytePairs(20_000), 33.3],
    ["0.33.0", "byte pairs", 151_936, bytePairs(151_387), 50.6],
    ["0.33.0", "byte pairs", 131_072, bytePairs(269_443), 61],
    ["0.33.0", "byte pairs", 128_256, bytePairs(280_147), 64.6],
    ["0.33.0", "byte pairs", 201_088, bytePairs(446_189), 100.3],
    ["0.24.0", "SentencePiece", 262_144, {}, 47.8],
    ["0.24.0", "byte pairs", 151_936, bytePairs(151_387), 46.4],
    ["0.24.0", "byte pairs", 128_256, bytePairs(280_147), 63.2],
  ])(
    "in v%s with %s and %i tokens is what was measured, within 6 MiB",
    (version, _kind, tokens, tokenizer, measured) => {
      const shape = withTokenizer(tokens, tokenizer);
      const pages = version === "0.33.0" ? 14 : 27;
      const heap = processBytes(shape, settingsOf(shape, version)) / MEBIBYTE - pages;
      expect(Math.abs(heap - measured)).toBeLessThan(6);
    },
  );

  it.each([
    ["llama-bpe", 128_256, 280_147],
    ["tekken", 131_072, 269_443],
    ["gpt-4o", 201_088, 446_189],
    ["qwen2", 151_936, 151_387],
    ["deepseek-v3", 129_280, 127_741],
  ])("guesses the merges of %s from its tokens when the list is hidden", (pre, tokens, merges) => {
    const hidden = {
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": pre,
      "tokenizer.ggml.merges": null,
    };
    const { mergeCount } = withTokenizer(tokens, hidden);
    expect(Math.abs((mergeCount ?? 0) / merges - 1)).toBeLessThan(0.06);
  });

  it("is absent without a vocabulary", () => {
    const { [`llama.vocab_size`]: _none, ...metadata } = llamaLike("llama", DIMENSIONS);
    const estimate = estimateFor(shapeOf(metadata), {});
    expect(estimate.processBytes).toBeUndefined();
    expect(estimate.outputBytes).toBeUndefined();
  });
});

describe("matrices laid out anew for a CPU", () => {
  // A tied Q8_0 model of two layers, loaded by a runner built for tiles: 68.00 MiB as they were, 77.48 rewritten.
  const metadata = llamaLike("llama", { ...DIMENSIONS, vocabulary: 262_144 });
  const tensors = denseTensors({ architecture: "llama", ...DIMENSIONS, vocabulary: 262_144, tied: true });
  const inQ8 = tensors.map((tensor) => (tensor.type === "F16" ? { ...tensor, type: "Q8_0" } : tensor));
  const shape = shapeOf(metadata, inQ8);

  it("take what the log says: 145.48 MiB for 69.33 MiB of tensors", () => {
    const total = (shape.weights?.totalBytes ?? 0) + repackedBytes(shape, "amx");
    expect(total / MEBIBYTE).toBeCloseTo(68 + 77.48, 1);
  });

  it("are recognised by the bytes that Ollama takes for a graphics card's", () => {
    expect(rewroteForTiles(shape, Math.round(77.48 * MEBIBYTE))).toBe(true);
    expect(rewroteForTiles(shape, 0)).toBe(false);
    expect(rewroteForTiles(shape, 12 * MEBIBYTE)).toBe(false);
  });

  it("keep a tied embedding twice where its type is rewritten: Q8_0 on ARM, not on x86", () => {
    expect(repackedBytes(shape, "arm")).toBe(shape.weights?.tokenEmbeddingBytes);
    expect(repackedBytes(shape, "x86")).toBe(0);
    const untied = shapeOf(metadata, [
      ...inQ8,
      { name: "output.weight", type: "Q8_0", shape: [256, 262_144] },
    ]);
    expect(repackedBytes(untied, "arm")).toBe(0);
  });

  it("count on the host of a CPU only, and not before llama-server", () => {
    const resident = (more: object, query = {}) => estimateFor(shape, query, more).residentHostBytes ?? 0;
    const copy = shape.weights?.tokenEmbeddingBytes ?? 0;
    expect(resident({ cpu: "arm" }) - resident({})).toBe(copy);
    expect(resident({ cpu: "arm" }, { backend: "cuda" })).toBe(resident({}, { backend: "cuda" }));
    const older = { ollamaVersion: "0.24.0" };
    expect(resident({ ...older, cpu: "arm" })).toBe(resident(older));
  });
});
