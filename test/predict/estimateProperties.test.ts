import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { estimateMemory } from "../../src/predict/estimate.ts";
import { SettingsProblem } from "../../src/predict/estimateSettings.ts";
import type { ModelShape } from "../../src/predict/modelShape.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import type { SettingsQuery } from "../../src/predict/settingsSource.ts";
import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import { ShapeProblem } from "../../src/predict/shapeProblem.ts";
import type { MemoryEstimate } from "../../src/types.ts";
import { estimateFor, shapeOf } from "./support/estimates.ts";
import { KNOWN_MODELS, llamaLike } from "./support/knownModels.ts";
import { tensorsOfShape } from "./support/tensorLists.ts";

const { models } = JSON.parse(
  readFileSync(new URL("../fixtures/predict/llama-cpp-buffers.json", import.meta.url), "utf8"),
) as { models: Record<string, { metadata: Record<string, unknown> }> };

const SHAPES: readonly ModelShape[] = [
  ...Object.values(models).map(({ metadata }) => metadata),
  ...KNOWN_MODELS.map(({ metadata }) => metadata),
].map((metadata) => shapeOf(metadata, tensorsOfShape(shapeOf(metadata))));

const shapes = fc.constantFrom(...SHAPES);
const contexts = fc.integer({ min: 1, max: 262_144 });
const slots = fc.integer({ min: 1, max: 16 });
const backends = fc.constantFrom("cpu", "cuda", "metal" as const);
const versions = fc.constantFrom("0.24.0", "0.30.0", "0.33.0");
/** v0.30.0 alone reserves gigabytes of logits, around which ggml's plan has gaps that a longer mask may fill. */
const withoutGaps = fc.constantFrom("0.24.0", "0.33.0");
const FROM_FEW_BITS: readonly string[] = ["q4_0", "q5_0", "q8_0", "f16", "f32"];

function caches({ kvCacheBytes, recurrentStateBytes }: MemoryEstimate): number {
  return [kvCacheBytes, recurrentStateBytes].reduce(
    (sum, part) => sum + part.hostBytes + part.deviceBytes,
    0,
  );
}

function parts(estimate: MemoryEstimate): number {
  const { weightsBytes, computeBytes, outputBytes = 0, processBytes = 0 } = estimate;
  const weights = (weightsBytes?.hostBytes ?? 0) + (weightsBytes?.deviceBytes ?? 0);
  return (
    weights +
    caches(estimate) +
    computeBytes.hostBytes +
    computeBytes.deviceBytes +
    outputBytes +
    processBytes
  );
}

function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe("bytes never fall", () => {
  it("when the context rises", () => {
    fc.assert(
      fc.property(
        shapes,
        contexts,
        contexts,
        fc.record({ parallel: slots, backend: backends }),
        withoutGaps,
        (shape, a, b, query, ollamaVersion) => {
          const at = (contextLength: number) =>
            estimateFor(shape, { ...query, contextLength }, { ollamaVersion });
          const [low, high] = [at(Math.min(a, b)), at(Math.max(a, b))];
          expect(caches(high)).toBeGreaterThanOrEqual(caches(low));
          expect(high.totalBytes).toBeGreaterThanOrEqual(low.totalBytes ?? Infinity);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("when slots are added", () => {
    fc.assert(
      fc.property(shapes, contexts, slots, slots, backends, (shape, contextLength, a, b, backend) => {
        const at = (parallel: number) => estimateFor(shape, { backend, contextLength, parallel });
        const [few, many] = [at(Math.min(a, b)), at(Math.max(a, b))];
        expect(caches(many)).toBeGreaterThanOrEqual(caches(few));
        expect(many.totalBytes).toBeGreaterThanOrEqual(few.totalBytes ?? Infinity);
      }),
      { numRuns: 400 },
    );
  });

  it("of the caches when a number takes more bits", () => {
    const types = fc.integer({ min: 0, max: FROM_FEW_BITS.length - 1 });
    fc.assert(
      fc.property(shapes, contexts, slots, types, types, (shape, contextLength, parallel, a, b) => {
        const at = (index: number) => {
          const type = FROM_FEW_BITS[index] ?? "f16";
          return caches(
            estimateFor(shape, { contextLength, parallel, kvCacheTypeK: type, kvCacheTypeV: type }),
          );
        };
        expect(at(Math.max(a, b))).toBeGreaterThanOrEqual(at(Math.min(a, b)));
      }),
      { numRuns: 400 },
    );
  });

  it("of the total on a CPU when a number takes more bits", () => {
    fc.assert(
      fc.property(shapes, contexts, (shape, contextLength) => {
        const totals = ["q4_0", "q8_0", "f16"].map(
          (type) =>
            estimateFor(shape, { contextLength, kvCacheTypeK: type, kvCacheTypeV: type }).totalBytes ?? 0,
        );
        expect(totals).toEqual(totals.toSorted((a, b) => a - b));
      }),
      { numRuns: 400 },
    );
  });
});

const queries: fc.Arbitrary<SettingsQuery> = fc.record(
  {
    contextLength: contexts,
    totalContextLength: contexts,
    parallel: slots,
    kvCacheTypeK: fc.constantFrom(...FROM_FEW_BITS),
    batch: fc.integer({ min: 1, max: 4096 }),
    ubatch: fc.integer({ min: 1, max: 4096 }),
    flashAttention: fc.boolean(),
    unifiedKv: fc.boolean(),
    fullSlidingWindow: fc.boolean(),
    offloadedLayers: fc.integer({ min: 0, max: 100 }),
    backend: backends,
  },
  { requiredKeys: [] },
);

describe("parts and places", () => {
  it("parts sum to the total, which is finite", () => {
    fc.assert(
      fc.property(shapes, queries, (shape, query) => {
        const estimate = estimateFor(shape, query);
        expect(estimate.totalBytes).toBe(parts(estimate));
        expect(caches(estimate)).toBe(estimate.caches.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(estimate.residentHostBytes).toBeLessThanOrEqual(estimate.totalBytes ?? 0);
        for (const number of numbersIn(estimate)) expect(number).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  it("host and device together hold the same caches however many layers are offloaded", () => {
    fc.assert(
      fc.property(shapes, queries, fc.nat(100), fc.nat(100), (shape, query, a, b) => {
        const at = (offloadedLayers: number) =>
          estimateFor(shape, { ...query, backend: "cuda", offloadedLayers });
        const [left, right] = [at(a), at(b)];
        expect(caches(left)).toBe(caches(right));
        expect(left.caches).toEqual(right.caches);
        if (a <= b) expect(left.kvCacheBytes.deviceBytes).toBeLessThanOrEqual(right.kvCacheBytes.deviceBytes);
      }),
      { numRuns: 300 },
    );
  });

  it("a draft model adds its own parts and takes nothing away", () => {
    fc.assert(
      fc.property(shapes, shapes, contexts, (shape, draft, contextLength) => {
        const own = estimateFor(shape, { contextLength });
        const both = estimateFor(shape, { contextLength }, { draft });
        expect(both.totalBytes).toBe(parts(both));
        expect(both.totalBytes).toBeGreaterThan(own.totalBytes ?? 0);
        expect(caches(both)).toBeGreaterThanOrEqual(caches(own));
      }),
      { numRuns: 200 },
    );
  });
});

/** Sensible and senseless values for a key of the metadata. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    0,
    -1,
    1.5,
    Number.NaN,
    Infinity,
    -Infinity,
    1e9,
    2 ** 53,
    1e300,
    "",
    "12",
    true,
    [],
    {},
    [null],
    [-1],
    [0, 1],
    ["x"],
  ),
  fc.integer({ min: -10, max: 1_000_000 }),
  fc.array(fc.integer({ min: -2, max: 100 }), { maxLength: 40 }),
  fc.anything(),
);

const KEYS = `block_count embedding_length context_length feed_forward_length vocab_size attention.head_count
  attention.head_count_kv attention.key_length attention.value_length attention.key_length_mla attention.kv_lora_rank
  attention.sliding_window attention.sliding_window_pattern attention.shared_kv_layers attention.key_length_swa
  attention.indexer.key_length attention.compress_ratios attention.recurrent_layers rope.dimension_count expert_count
  expert_used_count expert_feed_forward_length expert_shared_count leading_dense_block_count nextn_predict_layers
  ssm.conv_kernel ssm.inner_size ssm.state_size ssm.time_step_rank ssm.group_count full_attention_interval
  shortconv.l_cache wkv.head_size token_shift_count kda.head_dim interleave_moe_layer_step
  embedding_length_per_layer_input pooling_type`.split(/\s+/);

const ARCHITECTURES =
  `llama gemma2 gemma3 gemma3n gemma4 gpt-oss deepseek2 deepseek4 qwen3next qwen35 jamba mamba mamba2
  nemotron_h lfm2 falcon-h1 granitehybrid rwkv6 kimi-linear llama4 bert phi3 minimax-01 brandnew`.split(
    /\s+/,
  );

const brokenMetadata = fc
  .tuple(fc.constantFrom(...ARCHITECTURES), fc.dictionary(fc.constantFrom(...KEYS), odd, { maxKeys: 6 }))
  .map(([architecture, broken]) => ({
    ...llamaLike(architecture, {
      layers: 5,
      embedding: 256,
      heads: 8,
      keyHeads: 2,
      head: 32,
      ffn: 512,
      vocabulary: 900,
    }),
    ...Object.fromEntries(Object.entries(broken).map(([key, value]) => [`${architecture}.${key}`, value])),
  }));

const oddTensors = fc.oneof(
  fc.constant(undefined),
  fc.anything(),
  fc.array(
    fc.record({
      name: fc.constantFrom(
        "token_embd.weight",
        "output.weight",
        "blk.0.attn_k.weight",
        "blk.0.attn_qkv.weight",
        "blk.1.ssm_conv1d.weight",
        "blk.4.ffn_down_exps.weight",
        "blk.2.attn_kv_a_mqa.weight",
        "blk.9999.x",
        "v.blk.0.w",
      ),
      type: fc.constantFrom("F16", "Q4_K", "Q8_0", "odd"),
      shape: fc.array(fc.oneof(fc.nat(5000), fc.constantFrom(0, 1e12, -1, 1.5)), { maxLength: 5 }),
    }),
    { maxLength: 12 },
  ),
);

describe("broken metadata", () => {
  it("gives finite numbers from 0 up, or a problem with a name, and nothing else", () => {
    fc.assert(
      fc.property(
        brokenMetadata,
        oddTensors,
        queries,
        versions,
        (metadata, tensors, query, ollamaVersion) => {
          try {
            const shape = shapeFromShow({ model_info: metadata, tensors });
            const estimate = estimateMemory(shape, resolveSettings({ shape, query, ollamaVersion }));
            for (const number of numbersIn(estimate)) {
              expect(Number.isFinite(number)).toBe(true);
              expect(number).toBeGreaterThanOrEqual(0);
            }
          } catch (error) {
            if (!(error instanceof ShapeProblem) && !(error instanceof SettingsProblem)) throw error;
            expect(error.message.length).toBeLessThan(400);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("is a problem with a name for anything that is no answer of /api/show", () => {
    fc.assert(
      fc.property(fc.anything(), (show) => {
        expect(() => shapeFromShow(show)).toThrow(ShapeProblem);
      }),
    );
  });
});
