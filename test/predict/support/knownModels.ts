/** Metadata of models as their publishers state it, with what llama.cpp v0.5.0 allocates for them. MiB. */
export interface KnownModel {
  name: string;
  metadata: Record<string, unknown>;
  /** Bytes one token takes in the full caches: f16, q8_0, q4_0. */
  perToken: [number, number, number];
  /** Caches and states at 8k, 32k, 128k in f16, then 128k in q8_0 and q4_0. */
  cacheMebibytes: [number, number, number, number, number];
  /** Device buffers: 8k, 32k, 128k, 8k without flash attention, 32k with q8_0, 128k on Metal; host at 8k and 128k. Absent: not published. */
  computeMebibytes?: (number | undefined)[];
  /** How far a buffer may be off: hybrids are modelled less finely. */
  toleranceRatio?: number;
}

export const KNOWN_MODELS: readonly KnownModel[] = [
  {
    name: "Llama 3.2 3B",
    metadata: llamaLike("llama", {
      layers: 28,
      embedding: 3072,
      heads: 24,
      keyHeads: 8,
      head: 128,
      ffn: 8192,
      vocabulary: 128_256,
    }),
    perToken: [114_688, 60_928, 32_256],
    cacheMebibytes: [896, 3584, 14_336, 7616, 4032],
  },
  {
    name: "Llama 3.3 70B",
    metadata: llamaLike("llama", {
      layers: 80,
      embedding: 8192,
      heads: 64,
      keyHeads: 8,
      head: 128,
      ffn: 28_672,
      vocabulary: 128_256,
    }),
    perToken: [327_680, 174_080, 92_160],
    cacheMebibytes: [2560, 10_240, 40_960, 21_760, 11_520],
    computeMebibytes: [224, 248, 344, 1108, 248, 720, 40, 160],
  },
  {
    name: "Mistral 7B v0.3",
    metadata: llamaLike("llama", {
      layers: 32,
      embedding: 4096,
      heads: 32,
      keyHeads: 8,
      head: 128,
      ffn: 14_336,
      vocabulary: 32_768,
    }),
    perToken: [131_072, 69_632, 36_864],
    cacheMebibytes: [1024, 4096, 16_384, 8704, 4608],
    computeMebibytes: [116, 140, 236, 564, 192, 680, 24, 144],
  },
  {
    name: "Qwen3 8B",
    metadata: llamaLike("qwen3", {
      layers: 36,
      embedding: 4096,
      heads: 32,
      keyHeads: 8,
      head: 128,
      ffn: 12_288,
      vocabulary: 151_936,
    }),
    perToken: [147_456, 78_336, 41_472],
    cacheMebibytes: [1152, 4608, 18_432, 9792, 5184],
    computeMebibytes: [104, 128, 224, 564, 192, 680, 24, 144],
  },
  {
    name: "Qwen3.5 35B-A3B",
    metadata: {
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
      "qwen35moe.expert_shared_feed_forward_length": 512,
      "qwen35moe.ssm.conv_kernel": 4,
      "qwen35moe.ssm.inner_size": 4096,
      "qwen35moe.ssm.state_size": 128,
      "qwen35moe.ssm.time_step_rank": 32,
      "qwen35moe.ssm.group_count": 16,
      "qwen35moe.full_attention_interval": 4,
    },
    perToken: [20_480, 10_880, 5760],
    cacheMebibytes: [222.81, 702.81, 2622.81, 1422.81, 782.81],
    computeMebibytes: [76, 100, 196, undefined, 148, 428, 16, 136],
    toleranceRatio: 0.15,
  },
  {
    name: "Gemma 3 1B",
    metadata: gemma3({
      layers: 26,
      embedding: 1152,
      heads: 4,
      keyHeads: 1,
      head: 256,
      ffn: 6912,
      window: 512,
    }),
    perToken: [4096, 2176, 1152],
    cacheMebibytes: [54, 150, 534, 283.69, 150.19],
  },
  {
    name: "Gemma 3 12B",
    metadata: gemma3({
      layers: 48,
      embedding: 3840,
      heads: 16,
      keyHeads: 8,
      head: 256,
      ffn: 15_360,
      window: 1024,
    }),
    perToken: [65_536, 34_816, 18_432],
    cacheMebibytes: [992, 2528, 8672, 4607, 2439],
  },
  {
    name: "gpt-oss 120B, as Ollama names it",
    metadata: {
      ...llamaLike("gptoss", {
        layers: 36,
        embedding: 2880,
        heads: 64,
        keyHeads: 8,
        head: 64,
        ffn: 2880,
        vocabulary: 201_088,
      }),
      "gptoss.attention.sliding_window": 128,
      "gptoss.expert_count": 128,
      "gptoss.expert_used_count": 4,
    },
    perToken: [36_864, 19_584, 10_368],
    cacheMebibytes: [315, 1179, 4635, 2462.34, 1303.59],
  },
  {
    name: "Command R7B",
    metadata: {
      ...llamaLike("cohere2", {
        layers: 32,
        embedding: 4096,
        heads: 32,
        keyHeads: 8,
        head: 128,
        ffn: 14_336,
        vocabulary: 256_000,
      }),
      "cohere2.attention.sliding_window": 4096,
    },
    perToken: [32_768, 17_408, 9216],
    cacheMebibytes: [688, 1456, 4528, 2405.5, 1273.5],
  },
  {
    name: "DeepSeek R1",
    metadata: deepseekR1({
      "attention.head_count_kv": 1,
      "attention.key_length": 576,
      "attention.value_length": 512,
      "attention.key_length_mla": 192,
      "attention.value_length_mla": 128,
    }),
    perToken: [70_272, 37_332, 19_764],
    cacheMebibytes: [549, 2196, 8784, 4666.5, 2470.5],
    computeMebibytes: [386, 410, 506, 2442, 410, 778, 36, 156],
    toleranceRatio: 0.15,
  },
  {
    name: "DeepSeek R1, files older than April 2025",
    metadata: deepseekR1({
      "attention.head_count_kv": 128,
      "attention.key_length": 192,
      "attention.value_length": 128,
    }),
    perToken: [4_997_120, 2_654_720, 1_405_440],
    cacheMebibytes: [39_040, 156_160, 624_640, 331_840, 175_680],
  },
  {
    name: "Granite 4 H Small",
    metadata: {
      ...llamaLike("granitehybrid", {
        layers: 40,
        embedding: 4096,
        heads: 32,
        keyHeads: 8,
        head: 128,
        ffn: 768,
        vocabulary: 100_352,
      }),
      "granitehybrid.attention.head_count_kv": Array.from({ length: 40 }, (_, layer) =>
        layer % 10 === 5 ? 8 : 0,
      ),
      "granitehybrid.expert_count": 72,
      "granitehybrid.expert_used_count": 10,
      "granitehybrid.ssm.conv_kernel": 4,
      "granitehybrid.ssm.inner_size": 8192,
      "granitehybrid.ssm.state_size": 128,
      "granitehybrid.ssm.time_step_rank": 128,
      "granitehybrid.ssm.group_count": 1,
    },
    perToken: [16_384, 8704, 4608],
    cacheMebibytes: [275.48, 659.48, 2195.48, 1235.48, 723.48],
  },
  {
    name: "Mamba 2.8B",
    metadata: {
      "general.architecture": "mamba",
      "mamba.block_count": 64,
      "mamba.embedding_length": 2560,
      "mamba.context_length": 1_048_576,
      "mamba.attention.head_count": 0,
      "mamba.feed_forward_length": 0,
      "mamba.vocab_size": 50_280,
      "mamba.ssm.conv_kernel": 4,
      "mamba.ssm.inner_size": 5120,
      "mamba.ssm.state_size": 16,
      "mamba.ssm.time_step_rank": 160,
    },
    perToken: [0, 0, 0],
    cacheMebibytes: [23.75, 23.75, 23.75, 23.75, 23.75],
    computeMebibytes: [60, 60, 60, 60, 60, 60, 10, 10],
  },
];

interface Dimensions {
  layers: number;
  embedding: number;
  heads: number;
  keyHeads: number;
  head: number;
  ffn: number;
  vocabulary: number;
}

export function llamaLike(architecture: string, dimensions: Dimensions): Record<string, unknown> {
  const key = (name: string): string => `${architecture}.${name}`;
  return {
    "general.architecture": architecture,
    [key("block_count")]: dimensions.layers,
    [key("embedding_length")]: dimensions.embedding,
    [key("context_length")]: 131_072,
    [key("feed_forward_length")]: dimensions.ffn,
    [key("vocab_size")]: dimensions.vocabulary,
    [key("attention.head_count")]: dimensions.heads,
    [key("attention.head_count_kv")]: dimensions.keyHeads,
    [key("attention.key_length")]: dimensions.head,
    [key("attention.value_length")]: dimensions.head,
  };
}

function gemma3(dimensions: Omit<Dimensions, "vocabulary"> & { window: number }): Record<string, unknown> {
  return {
    ...llamaLike("gemma3", { ...dimensions, vocabulary: 262_144 }),
    "gemma3.attention.sliding_window": dimensions.window,
  };
}

function deepseekR1(lengths: Record<string, number>): Record<string, unknown> {
  const prefixed = Object.fromEntries(
    Object.entries(lengths).map(([name, value]) => [`deepseek2.${name}`, value]),
  );
  return {
    "general.architecture": "deepseek2",
    "deepseek2.block_count": 61,
    "deepseek2.embedding_length": 7168,
    "deepseek2.context_length": 163_840,
    "deepseek2.feed_forward_length": 18_432,
    "deepseek2.vocab_size": 129_280,
    "deepseek2.attention.head_count": 128,
    "deepseek2.attention.kv_lora_rank": 512,
    "deepseek2.attention.q_lora_rank": 1536,
    "deepseek2.rope.dimension_count": 64,
    "deepseek2.expert_count": 256,
    "deepseek2.expert_used_count": 8,
    "deepseek2.expert_feed_forward_length": 2048,
    "deepseek2.expert_shared_count": 1,
    "deepseek2.leading_dense_block_count": 3,
    ...prefixed,
  };
}
