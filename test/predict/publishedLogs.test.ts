import { describe, expect, it } from "vitest";

import type { SettingsQuery } from "../../src/predict/settingsSource.ts";
import { cacheMebibytes, estimateFor, MEBIBYTE, shapeOf } from "./support/estimates.ts";
import { llamaLike } from "./support/knownModels.ts";

/** Log lines that people published, with the model and settings they came from. */
const GIBIBYTE = 1024 ** 3;

function dense(architecture: string, layers: number, more: Record<string, unknown> = {}) {
  const [embedding, heads, keyHeads, head, ffn, vocabulary] = DIMENSIONS[architecture] ?? [];
  const metadata = llamaLike(architecture, {
    layers,
    embedding: embedding ?? 0,
    heads: heads ?? 0,
    keyHeads: keyHeads ?? 0,
    head: head ?? 0,
    ffn: ffn ?? 0,
    vocabulary: vocabulary ?? 0,
  });
  return shapeOf({ ...metadata, ...more });
}

const DIMENSIONS: Record<string, number[]> = {
  llama: [4096, 32, 8, 128, 14_336, 128_256],
  qwen2: [3584, 28, 4, 128, 18_944, 152_064],
};

function cache(shape: ReturnType<typeof shapeOf>, query: SettingsQuery): number {
  return cacheMebibytes(estimateFor(shape, query));
}

const quantized = (type: string): SettingsQuery => ({ kvCacheTypeK: type, kvCacheTypeV: type });

describe("attention caches", () => {
  it("Gemma 3 4B at 131072: 2560 MiB full, 174 MiB sliding, 203 MiB of compute", () => {
    const shape = shapeOf({
      ...llamaLike("gemma3", {
        layers: 34,
        embedding: 2560,
        heads: 8,
        keyHeads: 4,
        head: 256,
        ffn: 10_240,
        vocabulary: 262_208,
      }),
      "gemma3.attention.sliding_window": 1024,
    });
    const query = { totalContextLength: 131_072, backend: "cuda", batch: 512, ubatch: 512 } as const;
    const estimate = estimateFor(shape, query);
    expect(estimate.caches.map(({ bytes }) => bytes / MEBIBYTE)).toEqual([2560, 174]);
    expect(Math.abs(estimate.computeBytes.deviceBytes / MEBIBYTE - 203)).toBeLessThanOrEqual(1);
  });

  it("Qwen3 30B-A3B from 40960 to 4096: 3456 MiB less", () => {
    const shape = shapeOf(
      llamaLike("qwen3moe", {
        layers: 48,
        embedding: 2048,
        heads: 32,
        keyHeads: 4,
        head: 128,
        ffn: 6144,
        vocabulary: 151_936,
      }),
    );
    expect(cache(shape, { totalContextLength: 40_960 }) - cache(shape, { totalContextLength: 4096 })).toBe(
      3456,
    );
  });

  it.each([
    ["Qwen2.5 Coder 32B, q8_0", 64, 8 * 128, 32_768, "q8_0", 4352],
    ["a Qwen2.5 7B, f16", 28, 4 * 128, 2048, "f16", 112],
    ["Qwen2.5 3B, f16", 36, 2 * 128, 4096, "f16", 144],
    ["Qwen3 235B-A22B, q8_0", 94, 4 * 128, 16_384, "q8_0", 1598],
    ["Qwen2.5 1.5B at 4k", 28, 2 * 128, 4096, "f16", 112],
    ["Qwen2.5 1.5B at 32k", 28, 2 * 128, 32_768, "f16", 896],
  ])("%s", (_name, layers, width, totalContextLength, type, mebibytes) => {
    const shape = shapeOf(
      llamaLike("qwen2", {
        layers,
        embedding: 2048,
        heads: 16,
        keyHeads: width / 128,
        head: 128,
        ffn: 8192,
        vocabulary: 151_936,
      }),
    );
    expect(cache(shape, { totalContextLength, ...quantized(type) })).toBeCloseTo(mebibytes, 1.9);
  });

  it("DeepSeek R1 with latent attention, q8_0, 32768: 1166.62 MiB", () => {
    const shape = shapeOf({
      ...llamaLike("deepseek2", {
        layers: 61,
        embedding: 7168,
        heads: 128,
        keyHeads: 1,
        head: 576,
        ffn: 18_432,
        vocabulary: 129_280,
      }),
      "deepseek2.attention.kv_lora_rank": 512,
      "deepseek2.attention.key_length_mla": 192,
      "deepseek2.attention.value_length_mla": 128,
      "deepseek2.rope.dimension_count": 64,
    });
    expect(cache(shape, { totalContextLength: 32_768, ...quantized("q8_0") })).toBeCloseTo(1166.62, 1.9);
  });

  it("gpt-oss 20B at 131072: 6144 MiB where every layer keeps all, 3072 + 18 where windows are used", () => {
    const shape = shapeOf({
      ...llamaLike("gpt-oss", {
        layers: 24,
        embedding: 2880,
        heads: 64,
        keyHeads: 8,
        head: 64,
        ffn: 2880,
        vocabulary: 201_088,
      }),
      "gpt-oss.attention.sliding_window": 128,
    });
    const query = { totalContextLength: 131_072, batch: 512, ubatch: 512 };
    expect(cache(shape, { ...query, fullSlidingWindow: true })).toBe(6144);
    expect(cache(shape, query)).toBe(3072 + 18);
  });

  it("Gemma 4 E4B at 4096 with 1024 at once: 64 and 60 MiB, or 64 and 160", () => {
    const shape = shapeOf({
      ...llamaLike("gemma4", {
        layers: 42,
        embedding: 2560,
        heads: 8,
        keyHeads: 2,
        head: 512,
        ffn: 10_240,
        vocabulary: 262_144,
      }),
      "gemma4.attention.key_length_swa": 256,
      "gemma4.attention.value_length_swa": 256,
      "gemma4.attention.sliding_window": 512,
      "gemma4.attention.shared_kv_layers": 18,
      "gemma4.attention.sliding_window_pattern": Array.from({ length: 42 }, (_, layer) => layer % 6 !== 5),
    });
    const query = { totalContextLength: 4096, batch: 1024, ubatch: 1024 };
    const caches = (more: SettingsQuery) =>
      estimateFor(shape, { ...query, ...more }).caches.map(({ bytes }) => bytes / MEBIBYTE);
    expect(caches({})).toEqual([64, 60]);
    expect(caches({ fullSlidingWindow: true })).toEqual([64, 160]);
  });

  it("Gemma 3 270M, slots apart: 1536 and 1024 cells, 24 + 15 MiB a slot", () => {
    const shape = shapeOf({
      ...llamaLike("gemma3", {
        layers: 18,
        embedding: 640,
        heads: 4,
        keyHeads: 1,
        head: 256,
        ffn: 2048,
        vocabulary: 262_144,
      }),
      "gemma3.attention.sliding_window": 512,
    });
    const at = (totalContextLength: number, parallel: number) =>
      cache(shape, { totalContextLength, parallel, batch: 512, ubatch: 512 });
    expect([at(1024, 3), at(1024, 4)]).toEqual([27, 18]);
    expect([1, 2, 4].map((slots) => at(8192, slots))).toEqual([39, 54, 84]);
  });

  it("DeepSeek V4 keeps 4352 cells in the sliding caches of all 43 layers: 182.75 MiB", () => {
    const shape = shapeOf({
      ...llamaLike("deepseek4", {
        layers: 43,
        embedding: 4096,
        heads: 64,
        keyHeads: 1,
        head: 512,
        ffn: 2048,
        vocabulary: 129_280,
      }),
      "deepseek4.attention.value_length": 0,
      "deepseek4.attention.sliding_window": 128,
      "deepseek4.attention.compress_ratios": Array.from({ length: 43 }, () => 0),
      "deepseek4.attention.indexer.key_length": 0,
    });
    const query = { totalContextLength: 131_072, batch: 4096, ubatch: 4096, ...quantized("bf16") };
    const estimate = estimateFor(shape, query);
    expect(estimate.caches).toMatchObject([{ kind: "sliding", cells: 4352, layerCount: 43 }]);
    expect(cacheMebibytes(estimate)).toBe(182.75);
  });
});

describe("states", () => {
  it("Falcon-H1 1.5B at 32768: 768 MiB of cache, 72.98 of state", () => {
    const shape = shapeOf({
      ...llamaLike("falcon-h1", {
        layers: 24,
        embedding: 2048,
        heads: 8,
        keyHeads: 2,
        head: 128,
        ffn: 4096,
        vocabulary: 65_537,
      }),
      "falcon-h1.ssm.conv_kernel": 4,
      "falcon-h1.ssm.inner_size": 3072,
      "falcon-h1.ssm.state_size": 256,
      "falcon-h1.ssm.group_count": 1,
      "falcon-h1.ssm.time_step_rank": 48,
    });
    const { caches } = estimateFor(shape, { totalContextLength: 32_768 });
    expect(caches).toMatchObject([
      { kind: "full", layerCount: 24, bytes: 768 * MEBIBYTE },
      { kind: "recurrent", layerCount: 24 },
    ]);
    expect((caches[1]?.bytes ?? 0) / MEBIBYTE).toBeCloseTo(72.98, 1.9);
  });

  it("Mamba 1.4B: 14.25 MiB, whatever the context", () => {
    const shape = shapeOf({
      "general.architecture": "mamba",
      "mamba.block_count": 48,
      "mamba.embedding_length": 2048,
      "mamba.context_length": 1_048_576,
      "mamba.ssm.conv_kernel": 4,
      "mamba.ssm.inner_size": 4096,
      "mamba.ssm.state_size": 16,
    });
    expect(cache(shape, { totalContextLength: 2048 })).toBe(14.25);
    expect(cache(shape, { totalContextLength: 1_048_576 })).toBe(14.25);
  });

  it("a 64-layer Qwen3.5: 299.25 MiB for two slots, half as much again with a draft of two tokens for one", () => {
    const shape = shapeOf({
      ...llamaLike("qwen35", {
        layers: 64,
        embedding: 5120,
        heads: 24,
        keyHeads: 4,
        head: 256,
        ffn: 17_408,
        vocabulary: 248_320,
      }),
      "qwen35.ssm.conv_kernel": 4,
      "qwen35.ssm.inner_size": 6144,
      "qwen35.ssm.state_size": 128,
      "qwen35.ssm.group_count": 16,
      "qwen35.ssm.time_step_rank": 48,
      "qwen35.full_attention_interval": 4,
    });
    const two = estimateFor(shape, { totalContextLength: 8192, parallel: 2 });
    expect(two.recurrentStateBytes.hostBytes / MEBIBYTE).toBe(299.25);
    const drafted = estimateFor(shape, { totalContextLength: 8192, parallel: 1 }, { draftTokens: 2 });
    expect(drafted.recurrentStateBytes.hostBytes / MEBIBYTE).toBeCloseTo(448.88, 1.9);
  });
});

describe("compute buffers", () => {
  it("Qwen2.5 7B and 3B before June 2026: 304 and 300.75 MiB, with 12 on the host", () => {
    const older = { backend: "cuda", ollamaVersion: "0.30.0", batch: 512, ubatch: 512 } as const;
    const seven = estimateFor(dense("qwen2", 28), { ...older, totalContextLength: 2048 });
    expect(seven.computeBytes.deviceBytes / MEBIBYTE).toBeCloseTo(304, 0);
    const three = shapeOf(
      llamaLike("qwen2", {
        layers: 36,
        embedding: 2048,
        heads: 16,
        keyHeads: 2,
        head: 128,
        ffn: 11_008,
        vocabulary: 151_936,
      }),
    );
    const estimate = estimateFor(three, { ...older, totalContextLength: 4096 });
    expect(Math.abs(estimate.computeBytes.deviceBytes / MEBIBYTE - 300.75)).toBeLessThanOrEqual(1);
    expect(Math.abs(estimate.computeBytes.hostBytes / MEBIBYTE - 12.01)).toBeLessThanOrEqual(1);
  });

  it("Qwen3.6 35B-A3B with 4096 at once before June 2026: 3976 MiB, nearly all of it logits", () => {
    const shape = shapeOf({
      ...llamaLike("qwen35moe", {
        layers: 40,
        embedding: 2048,
        heads: 16,
        keyHeads: 2,
        head: 256,
        ffn: 512,
        vocabulary: 248_320,
      }),
      "qwen35moe.expert_count": 256,
      "qwen35moe.expert_used_count": 8,
      "qwen35moe.expert_feed_forward_length": 512,
      "qwen35moe.ssm.conv_kernel": 4,
      "qwen35moe.ssm.inner_size": 4096,
      "qwen35moe.ssm.state_size": 128,
      "qwen35moe.ssm.time_step_rank": 32,
      "qwen35moe.ssm.group_count": 16,
    });
    const query = { totalContextLength: 150_000, backend: "cuda", batch: 4096, ubatch: 4096 } as const;
    const { computeBytes } = estimateFor(shape, { ...query, ollamaVersion: "0.30.0" });
    expect(Math.abs(computeBytes.deviceBytes / MEBIBYTE / 3976 - 1)).toBeLessThan(0.02);
  });

  it("Qwen3.5 4B at 262144: 1.30 GiB with a q8_0 cache, 0.31 with f16", () => {
    const shape = shapeOf({
      ...llamaLike("qwen35", {
        layers: 32,
        embedding: 2560,
        heads: 16,
        keyHeads: 4,
        head: 256,
        ffn: 9216,
        vocabulary: 248_320,
      }),
      "qwen35.ssm.conv_kernel": 4,
      "qwen35.ssm.inner_size": 4096,
      "qwen35.ssm.state_size": 128,
      "qwen35.ssm.group_count": 16,
      "qwen35.ssm.time_step_rank": 32,
      "qwen35.full_attention_interval": 4,
    });
    const at = (type: string) =>
      estimateFor(shape, {
        totalContextLength: 262_144,
        backend: "cuda",
        batch: 512,
        ubatch: 512,
        ...quantized(type),
      }).computeBytes.deviceBytes / GIBIBYTE;
    expect(Math.abs(at("q8_0") - 1.3)).toBeLessThan(0.02);
    expect(Math.abs(at("f16") - 0.31)).toBeLessThan(0.02);
  });
});

describe("claims that are often repeated", () => {
  const llama = dense("llama", 32);

  it("16k on Llama 3.1 8B is 2 GiB, not one: one is 8k, or nearly 16k in q8_0", () => {
    const gibibytes = (query: SettingsQuery) => cache(llama, query) / 1024;
    expect(gibibytes({ contextLength: 16_384 })).toBe(2);
    expect(gibibytes({ contextLength: 8192 })).toBe(1);
    expect(gibibytes({ contextLength: 16_384, ...quantized("q8_0") })).toBe(1.0625);
    expect(gibibytes({ contextLength: 131_072 })).toBe(16);
    expect(gibibytes({ contextLength: 131_072, ...quantized("q8_0") })).toBe(8.5);
  });

  it("q8_0 saves 46.9 % of the cache and q4_0 71.9 %, not half and three quarters", () => {
    const [f16, q8, q4] = ["f16", "q8_0", "q4_0"].map((type) =>
      cache(llama, { contextLength: 8192, ...quantized(type) }),
    );
    expect(1 - (q8 ?? 0) / (f16 ?? 1)).toBeCloseTo(0.469, 3);
    expect(1 - (q4 ?? 0) / (f16 ?? 1)).toBeCloseTo(0.719, 3);
  });

  it("Qwen2.5 7B at 32k: one slot cannot save what was shown, four can", () => {
    const shape = dense("qwen2", 28);
    const at = (more: SettingsQuery) => {
      const estimate = estimateFor(shape, {
        contextLength: 32_768,
        backend: "metal",
        batch: 512,
        ubatch: 512,
        ollamaVersion: "0.30.0",
        ...more,
      });
      return [cacheMebibytes(estimate) / 1024, estimate.computeBytes.deviceBytes / GIBIBYTE] as const;
    };
    expect(at({ parallel: 1 })[0]).toBe(1.75);
    const [plain, plainCompute] = at({ parallel: 4, unifiedKv: true, flashAttention: false });
    const [quantizedCache] = at({ parallel: 4, ...quantized("q8_0") });
    expect(plain).toBe(7);
    expect(quantizedCache).toBeCloseTo(3.72, 2);
    expect(Math.abs(plainCompute - 7.28)).toBeLessThan(0.1);
  });
});
