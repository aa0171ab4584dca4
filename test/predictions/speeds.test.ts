import { describe, expect, it } from "vitest";

import { createLearned } from "../../src/predict/guessLearned.ts";
import { cacheEstimate } from "../../src/predict/kvCache.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import type { SettingsQuery } from "../../src/predict/settingsSource.ts";
import { speedOf, speedSettingsOf, type Bandwidths, type Configured } from "../../src/predictions/speeds.ts";
import { readModel } from "../../src/predictions/modelKnowledge.ts";
import type { ShowAnswer } from "../../src/ollama/client.ts";

const MIB = 1024 ** 2;

/** 16 layers of 50 MiB, a tied embedding of 100 MiB. */
const show: ShowAnswer = {
  details: { family: "llama" },
  model_info: {
    "general.architecture": "llama",
    "llama.block_count": 16,
    "llama.context_length": 131_072,
    "llama.embedding_length": 2048,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.feed_forward_length": 12_800,
    "llama.vocab_size": 51_200,
  },
  tensors: [
    { name: "token_embd.weight", type: "I8", shape: [2048, 51_200] },
    ...Array.from({ length: 16 }, (_, layer) => [
      { name: `blk.${layer}.attn_k.weight`, type: "I8", shape: [2048, 512] },
      { name: `blk.${layer}.attn_v.weight`, type: "I8", shape: [2048, 512] },
      { name: `blk.${layer}.ffn_up.weight`, type: "I8", shape: [2048, 24_576] },
    ]).flat(),
  ],
};

function configured(query: SettingsQuery = {}): Configured {
  const { shape } = readModel(show);
  const settings = resolveSettings({ shape, query });
  return { shape, settings, kvBytesPerToken: cacheEstimate(shape, settings).kvBytesPerToken };
}

const host = (bytesPerSecond: number): Bandwidths => ({
  host: { bytesPerSecond, source: "as measured here on 2026-01-31", measured: true },
});

const first = (speed: ReturnType<typeof speedOf>): number =>
  speed?.speed.decodeTokensPerSecond[0]?.value ?? 0;

describe("before the first answer", () => {
  it("follows from the bytes that a token reads and the bandwidth, and says so", () => {
    const speed = speedOf(createLearned(), configured(), host(90e9));
    // 900 MiB at nine tenths of what was measured.
    expect(first(speed)).toBeCloseTo((0.9 * 90e9) / (900 * MIB), 1);
    expect(speed?.assumption).toEqual({
      name: "speed",
      value:
        "what a token reads: 944 MB at 90.0 GB/s (as measured here on 2026-01-31); no answer yet, good for ±30 %",
      provenance: "assumed",
    });
    expect(speed?.speed.provenance).toBe("assumed");
  });

  it("is less from a chip's own figure, which no program reaches", () => {
    const chip: Bandwidths = { host: { bytesPerSecond: 90e9, source: "by its name", measured: false } };
    expect(first(speedOf(createLearned(), configured(), chip))).toBeCloseTo((0.75 * 90e9) / (900 * MIB), 1);
  });

  it("is not known without a bandwidth, nor without a tensor list", () => {
    expect(speedOf(createLearned(), configured(), {})).toBeUndefined();
    const { tensors: _, ...bare } = show;
    const { shape } = readModel(bare);
    expect(speedOf(createLearned(), { ...configured(), shape }, host(90e9))).toBeUndefined();
  });

  it("remembers nothing of what was only asked", () => {
    const learned = createLearned();
    speedOf(learned, { ...configured(), model: "m" }, host(90e9));
    expect(learned.save().speeds).toEqual([]);
    expect(speedOf(learned, { ...configured(), model: "m" }, {})).toBeUndefined();
  });
});

describe("after answers", () => {
  const teach = (learned: ReturnType<typeof createLearned>, model: string, query: SettingsQuery = {}) => {
    const entry = learned.speed.keep(model, speedSettingsOf(configured(query)));
    for (let turn = 0; turn < 8; turn += 1) {
      entry.decode.learn({ depthTokens: 1000 * turn, steps: 100, msPerToken: 50 + turn });
    }
  };

  it("is the model's own, whatever the bandwidth", () => {
    const learned = createLearned();
    teach(learned, "m");
    const speed = speedOf(learned, { ...configured(), model: "m" }, host(90e9));
    expect(first(speed)).toBeCloseTo(20, 1);
    expect(speed?.assumption).toMatchObject({
      value: "fitted to 8 answers of this model with these settings",
      provenance: "predicted",
    });
  });

  it("carries over to another type of cache on the same devices, and survives a restart", () => {
    const learned = createLearned();
    teach(learned, "m");
    const restarted = createLearned({ saved: JSON.parse(JSON.stringify(learned.save())) });
    const q8 = { ...configured({ kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" }), model: "m" };
    const speed = speedOf(restarted, q8, host(90e9));
    expect(first(speed)).toBeCloseTo(20, 1);
    expect(speed?.speed.provenance).toBe("assumed");
  });

  it("tells of other models what this machine reaches, where no bandwidth is known, after a restart too", () => {
    const learned = createLearned();
    learned.speed.describe("m", speedSettingsOf(configured()), {
      reads: [{ bytesPerToken: 2 * 900 * MIB, device: "cpu" }],
    });
    teach(learned, "m");
    const restarted = createLearned({ saved: JSON.parse(JSON.stringify(learned.save())) });
    const speed = speedOf(restarted, { ...configured(), model: "other" }, {});
    expect(first(speed)).toBeCloseTo(40, 0);
    expect(speed?.assumption.value).toContain("with other models");
  });
});
