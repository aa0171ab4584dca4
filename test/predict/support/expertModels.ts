import { llamaLike } from "./knownModels.ts";
import { embeddings, inLayers, listed, type Entry, type Sized } from "./tensorLists.ts";

/** Models that are not plain: experts, latent attention, states; with what their files weigh at Q4_K_M. */
export interface ExpertModel {
  name: string;
  metadata: Record<string, unknown>;
  tensors: Entry[];
  tensorBytes: number;
  readGigabytes: number;
  deviceMebibytes: number;
}

const QWEN = {
  layers: 48,
  embedding: 2048,
  heads: 32,
  keyHeads: 4,
  head: 128,
  ffn: 6144,
  vocabulary: 151_936,
};
const COHERE = {
  layers: 32,
  embedding: 4096,
  heads: 32,
  keyHeads: 8,
  head: 128,
  ffn: 14_336,
  vocabulary: 256_000,
};
const DEEPSEEK = {
  layers: 27,
  embedding: 2048,
  heads: 16,
  keyHeads: 1,
  head: 192,
  ffn: 10_944,
  vocabulary: 102_400,
};
const MAMBA = {
  layers: 64,
  embedding: 2560,
  heads: 0,
  keyHeads: 0,
  head: 0,
  ffn: 0,
  vocabulary: 50_280,
  tied: true,
};
const LFM = { layers: 16, embedding: 2048, heads: 32, keyHeads: 8, head: 64, ffn: 8192, vocabulary: 65_536 };

export const EXPERT_MODELS: readonly ExpertModel[] = [
  {
    name: "Qwen3 30B-A3B",
    metadata: {
      ...llamaLike("qwen3moe", QWEN),
      "qwen3moe.expert_count": 128,
      "qwen3moe.expert_used_count": 8,
      "qwen3moe.expert_feed_forward_length": 768,
    },
    tensors: listed([
      ...embeddings(QWEN),
      ...inLayers(48, () => [
        ...attention(QWEN),
        ["attn_q_norm.weight", 128],
        ["attn_k_norm.weight", 128],
        ...experts(2048, 768, 128),
      ]),
    ]),
    tensorBytes: 18_550_716_416,
    readGigabytes: 1.92,
    deviceMebibytes: 17_524,
  },
  {
    name: "DeepSeek V2 Lite",
    metadata: {
      ...llamaLike("deepseek2", DEEPSEEK),
      "deepseek2.attention.key_length": 576,
      "deepseek2.attention.value_length": 512,
      "deepseek2.attention.key_length_mla": 192,
      "deepseek2.attention.value_length_mla": 128,
      "deepseek2.attention.kv_lora_rank": 512,
      "deepseek2.rope.dimension_count": 64,
      "deepseek2.expert_count": 64,
      "deepseek2.expert_used_count": 6,
    },
    tensors: listed([
      ...embeddings(DEEPSEEK),
      ...inLayers(27, (layer) => [
        ["attn_norm.weight", 2048],
        ["ffn_norm.weight", 2048],
        ["attn_q.weight", 2048, 3072],
        ["attn_kv_a_mqa.weight", 2048, 576],
        ["attn_kv_a_norm.weight", 512],
        ["attn_k_b.weight", 128, 512, 16],
        ["attn_v_b.weight", 512, 128, 16],
        ["attn_output.weight", 2048, 2048],
        ...(layer === 0 ? feedForward(2048, 10_944) : [...experts(2048, 1408, 64), ...shared(2048, 2816)]),
      ]),
    ]),
    tensorBytes: 10_363_959_296,
    readGigabytes: 1.612,
    deviceMebibytes: 9771,
  },
  {
    name: "Command R7B",
    metadata: llamaLike("cohere2", COHERE),
    tensors: listed([
      ...embeddings({ ...COHERE, tied: true }),
      ...inLayers(32, () => [
        ...attention(COHERE).filter(([name]) => name !== "ffn_norm.weight"),
        ...feedForward(4096, 14_336),
      ]),
    ]),
    tensorBytes: 5_046_091_776,
    readGigabytes: 5.046,
    deviceMebibytes: 4812,
  },
  {
    name: "Mamba 2.8B",
    metadata: {
      ...llamaLike("mamba", MAMBA),
      "mamba.ssm.conv_kernel": 4,
      "mamba.ssm.inner_size": 5120,
      "mamba.ssm.state_size": 16,
      "mamba.ssm.time_step_rank": 160,
    },
    tensors: listed([
      ...embeddings(MAMBA),
      ...inLayers(64, () => [
        ["attn_norm.weight", 2560],
        ["ssm_in.weight", 2560, 10_240],
        ["ssm_conv1d.weight", 4, 5120],
        ["ssm_conv1d.bias", 5120],
        ["ssm_x.weight", 5120, 192],
        ["ssm_dt.weight", 160, 5120],
        ["ssm_dt.bias", 5120],
        ["ssm_a", 16, 5120],
        ["ssm_d", 5120],
        ["ssm_out.weight", 5120, 2560],
      ]),
    ]),
    tensorBytes: 1_623_412_000,
    readGigabytes: 1.623,
    deviceMebibytes: 1548,
  },
  {
    name: "LFM2 1.2B",
    metadata: {
      ...llamaLike("lfm2", LFM),
      "lfm2.shortconv.l_cache": 3,
      "lfm2.attention.head_count_kv": null,
    },
    tensors: listed([
      ...embeddings({ ...LFM, tied: true }).map(([name, ...size]): Sized => [
        name === "output_norm.weight" ? "token_embd_norm.weight" : name,
        ...size,
      ]),
      ...inLayers(16, (layer) => [
        ...feedForward(2048, 8192),
        ...([2, 5, 8, 10, 12, 14].includes(layer)
          ? [
              ...attention(LFM),
              ...([
                ["attn_q_norm.weight", 64],
                ["attn_k_norm.weight", 64],
              ] as Sized[]),
            ]
          : shortConvolution(2048)),
      ]),
    ]),
    tensorBytes: 728_509_440,
    readGigabytes: 0.729,
    deviceMebibytes: 695,
  },
];

function attention(model: { embedding: number; heads: number; keyHeads: number; head: number }): Sized[] {
  const { embedding, heads, keyHeads, head } = model;
  return [
    ["attn_norm.weight", embedding],
    ["ffn_norm.weight", embedding],
    ["attn_q.weight", embedding, heads * head],
    ["attn_k.weight", embedding, keyHeads * head],
    ["attn_v.weight", embedding, keyHeads * head],
    ["attn_output.weight", heads * head, embedding],
  ];
}

function feedForward(embedding: number, length: number): Sized[] {
  return [
    ["ffn_gate.weight", embedding, length],
    ["ffn_up.weight", embedding, length],
    ["ffn_down.weight", length, embedding],
  ];
}

function experts(embedding: number, length: number, count: number): Sized[] {
  return [
    ["ffn_gate_inp.weight", embedding, count],
    ["ffn_gate_exps.weight", embedding, length, count],
    ["ffn_up_exps.weight", embedding, length, count],
    ["ffn_down_exps.weight", length, embedding, count],
  ];
}

function shared(embedding: number, length: number): Sized[] {
  return [
    ["ffn_gate_shexp.weight", embedding, length],
    ["ffn_up_shexp.weight", embedding, length],
    ["ffn_down_shexp.weight", length, embedding],
  ];
}

function shortConvolution(embedding: number): Sized[] {
  return [
    ["attn_norm.weight", embedding],
    ["ffn_norm.weight", embedding],
    ["shortconv.conv.weight", 3, embedding],
    ["shortconv.in_proj.weight", embedding, 3 * embedding],
    ["shortconv.out_proj.weight", embedding, embedding],
  ];
}
