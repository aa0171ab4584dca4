/** How one architecture differs from the plain formula. What is absent is plain. */
export interface ArchitectureRule {
  /** Which layers look back over a window only. */
  slides?: SlidingRule;
  /** Which layers carry a state. Without a rule: those without key heads, if there is state metadata at all. */
  recurrent?: "all" | "interval" | "no-heads-no-ffn";
  /** One layer in this many attends, where metadata does not say: 4 unless told. */
  interval?: number;
  encoder?: boolean;
  /** A sparse-attention indexer keeps its own key cache. */
  indexer?: boolean;
  /** Layers from this one on read earlier caches: Gemma 3n. */
  ownCaches?: number;
  /** The one-expert step between mixture layers (Llama 4). */
  interleaved?: boolean;
}

export interface SlidingRule {
  /** One layer in this many sees everything; `array`: only metadata tells; `all`: none does. */
  period: number | "array" | "all";
  /** The dense layer comes first in its group, not last. */
  denseFirst?: boolean;
  /** Window when metadata has none; without it no key means no window. */
  window?: number;
  /** Only models of this many layers slide without the key. */
  layerCount?: number;
}

/** Names that Ollama gave to architectures llama.cpp calls otherwise; it translates them at load. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["gptoss", "gpt-oss"],
  ["olmo3", "olmo2"],
  ["qwen25vl", "qwen2vl"],
  ["glmocr", "glm4"],
  ["glm4moelite", "deepseek2"],
  ["deepseekocr", "deepseek2-ocr"],
  ["nemotron_h_omni", "nemotron_h"],
  ["nemotron_h_moe", "nemotron_h"],
  ["qwen3_5", "qwen35"],
]);

const RULES: ReadonlyMap<string, ArchitectureRule> = new Map<string, ArchitectureRule>([
  ["gemma2", { slides: { period: 2, window: 4096 } }],
  ["gemma3", { slides: { period: 6 } }],
  ["gemma3n", { slides: { period: 5, window: 512 }, ownCaches: 20 }],
  ["gemma4", { slides: { period: "array" } }],
  ["olmo2", { slides: { period: 4 } }],
  ["exaone4", { slides: { period: 4, window: 4096, layerCount: 64 } }],
  ["exaone-moe", { slides: { period: 4 } }],
  ["afmoe", { slides: { period: 4 } }],
  ["mellum", { slides: { period: 4 } }],
  ["plamo3", { slides: { period: 8 } }],
  ["llama4", { slides: { period: 4, window: 8192 }, interleaved: true }],
  ["cohere2", { slides: { period: 4, window: 4096 } }],
  ["cohere2moe", { slides: { period: 4, denseFirst: true } }],
  ["gpt-oss", { slides: { period: 2, window: 128 } }],
  ["smallthinker", { slides: { period: 4, denseFirst: true } }],
  ["laguna", { slides: { period: 4, denseFirst: true } }],
  ["mimo2", { slides: { period: "array" } }],
  ["step35", { slides: { period: "array" } }],
  ["spark2_5", { slides: { period: "array" } }],
  ["maple", { slides: { period: "array" } }],
  ["muse-glimmer", { slides: { period: "array" } }],
  ["granite_swa", { slides: { period: "array" } }],
  ["lfm2", { slides: { period: "all" } }],
  ["mamba", { recurrent: "all" }],
  ["mamba2", { recurrent: "all" }],
  ["falcon-h1", { recurrent: "all" }],
  ["rwkv6", { recurrent: "all" }],
  ["rwkv6qwen2", { recurrent: "all" }],
  ["rwkv7", { recurrent: "all" }],
  ["arwkv7", { recurrent: "all" }],
  ["nemotron_h", { recurrent: "no-heads-no-ffn" }],
  ["qwen3next", { recurrent: "interval" }],
  ["qwen35", { recurrent: "interval" }],
  ["qwen35moe", { recurrent: "interval" }],
  ["minimax-01", { recurrent: "interval", interval: 8 }],
  ["deepseek32", { indexer: true }],
  ["glm-dsa", { indexer: true }],
  ["hy_v4", { indexer: true }],
  ["dots3note", { indexer: true }],
  ["minimax-m3", { indexer: true }],
  ["deepseek4", { slides: { period: "all" }, indexer: true }],
  ...encoders(),
  ...plain(),
]);

/**
 * The name that the tables go by: Ollama's own spellings, and families that are built like another one, are
 * translated.
 */
export function canonicalArchitecture(declared: string): string {
  return ALIASES.get(declared) ?? declared;
}

/**
 * Undefined for what is not in the tables: then the plain formula is used, an upper bound, and the shape says that it
 * is not known.
 */
export function architectureRule(architecture: string): ArchitectureRule | undefined {
  return RULES.get(architecture);
}

/** These run through llama.cpp one slot at a time: Ollama loads them with one slot whatever was set. */
export const SINGLE_SLOT_FAMILIES: ReadonlySet<string> = new Set([
  "mllama",
  "qwen3vl",
  "qwen3vlmoe",
  "qwen35",
  "qwen35moe",
  "qwen3next",
  "lfm2",
  "lfm2moe",
  "nemotron_h",
  "nemotron_h_moe",
  "nemotron_h_omni",
]);

function encoders(): [string, ArchitectureRule][] {
  const names =
    "bert modern-bert nomic-bert nomic-bert-moe jina-bert-v2 jina-bert-v3 neo-bert eurobert gemma-embedding dream llada llada-moe";
  return names.split(" ").map((name) => [name, { encoder: true }]);
}

/** Plain grouped-query attention on every layer, or per-layer heads that metadata and tensors spell out. */
function plain(): [string, ArchitectureRule][] {
  const names = `llama deci mistral3 falcon grok gpt2 gptj gptneox mpt baichuan starcoder starcoder2 refact bloom stablelm
    qwen qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe phi2 phi3 phimoe plamo plamo2 codeshell orion internlm2
    minicpm minicpm3 gemma command-r dbrx olmo olmoe openelm arctic deepseek deepseek2 chatglm glm4 glm4moe bitnet jais
    jais2 mistral4 kimi deepseek2-ocr nemotron exaone granite granitemoe granitehybrid jamba chameleon plm bailingmoe bailingmoe2 bailingmoe3 dots1
    arcee ernie4_5 ernie4_5-moe hunyuan-moe hunyuan-dense smollm3 kimi-linear kimi-k3 grovemoe apertus lfm2moe hunyuan_vl hy_v3 paddleocr maincoder nanbeige talkie graniteswitch
    minimax-m2 seed_oss pangu-embedded rnd1 cogvlm mllama xverse solar qwen4exp t5`;
  return names.split(/\s+/).map((name) => [name, {}]);
}
