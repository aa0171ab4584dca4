/** The tensors of a model file, as `/api/show` lists them, with the quantisation rules of llama.cpp's Q4_K_M. */
import type { ModelSpec } from "./models.ts";

export interface Tensor {
  name: string;
  type: TensorType;
  shape: number[];
}

type TensorType = "F32" | "F16" | "Q4_K" | "Q5_0" | "Q6_K" | "Q8_0";

/** Bytes of a block and the elements in it. */
const BLOCKS: Record<TensorType, { bytes: number; elements: number }> = {
  F32: { bytes: 4, elements: 1 },
  F16: { bytes: 2, elements: 1 },
  Q4_K: { bytes: 144, elements: 256 },
  Q5_0: { bytes: 22, elements: 32 },
  Q6_K: { bytes: 210, elements: 256 },
  Q8_0: { bytes: 34, elements: 32 },
};

export function tensorBytes(tensor: Tensor): number {
  const block = BLOCKS[tensor.type];
  return (elementCount(tensor) / block.elements) * block.bytes;
}

export function elementCount(tensor: Tensor): number {
  return tensor.shape.reduce((product, size) => product * size, 1);
}

export function modelTensors(spec: ModelSpec): Tensor[] {
  const layers = Array.from({ length: spec.layers }, (_, layer) =>
    (spec.architecture === "nomic-bert" ? encoderLayer(spec) : decoderLayer(spec, layer)).map((tensor) => ({
      ...tensor,
      name: `blk.${layer}.${tensor.name}`,
    })),
  );
  return [...headTensors(spec), ...layers.flat()];
}

function headTensors(spec: ModelSpec): Tensor[] {
  const table: Tensor = matrix(spec, "token_embd.weight", {
    shape: [spec.embedding, spec.vocabulary],
    precise: spec.tiedEmbedding,
  });
  if (spec.architecture === "nomic-bert") {
    return [
      table,
      vector("token_embd_norm.bias", spec.embedding),
      vector("token_embd_norm.weight", spec.embedding),
      { name: "token_types.weight", type: "F32", shape: [spec.embedding, 2] },
    ];
  }
  const output = matrix(spec, "output.weight", { shape: [spec.embedding, spec.vocabulary], precise: true });
  return [
    ...(spec.tiedEmbedding ? [] : [output]),
    vector("output_norm.weight", spec.embedding),
    ...(spec.architecture === "llama" ? [vector("rope_freqs.weight", spec.headWidth / 2)] : []),
    table,
  ];
}

/** In the order the server lists them: by name. */
function decoderLayer(spec: ModelSpec, layer: number): Tensor[] {
  const keys = spec.keyValueHeads * spec.headWidth;
  const queries = spec.heads * spec.headWidth;
  const precise = keepsMoreBits(layer, spec.layers);
  const isGemma = spec.architecture === "gemma3";
  const bias = (name: string, width: number): Tensor[] =>
    spec.architecture === "qwen2" ? [vector(`${name}.bias`, width)] : [];
  const headNorm = (name: string): Tensor[] => (isGemma ? [vector(`${name}.weight`, spec.headWidth)] : []);
  return [
    ...bias("attn_k", keys),
    matrix(spec, "attn_k.weight", { shape: [spec.embedding, keys] }),
    ...headNorm("attn_k_norm"),
    vector("attn_norm.weight", spec.embedding),
    matrix(spec, "attn_output.weight", { shape: [queries, spec.embedding] }),
    ...bias("attn_q", queries),
    matrix(spec, "attn_q.weight", { shape: [spec.embedding, queries] }),
    ...headNorm("attn_q_norm"),
    ...bias("attn_v", keys),
    matrix(spec, "attn_v.weight", { shape: [spec.embedding, keys], precise }),
    matrix(spec, "ffn_down.weight", { shape: [spec.feedForward, spec.embedding], precise }),
    matrix(spec, "ffn_gate.weight", { shape: [spec.embedding, spec.feedForward] }),
    vector("ffn_norm.weight", spec.embedding),
    matrix(spec, "ffn_up.weight", { shape: [spec.embedding, spec.feedForward] }),
    ...(isGemma
      ? [vector("post_attention_norm.weight", spec.embedding), vector("post_ffw_norm.weight", spec.embedding)]
      : []),
  ];
}

function encoderLayer(spec: ModelSpec): Tensor[] {
  const wide: [number, number] = [spec.embedding, spec.feedForward];
  return [
    matrix(spec, "attn_output.weight", { shape: [spec.embedding, spec.embedding] }),
    vector("attn_output_norm.bias", spec.embedding),
    vector("attn_output_norm.weight", spec.embedding),
    matrix(spec, "attn_qkv.weight", { shape: [spec.embedding, spec.embedding * 3] }),
    matrix(spec, "ffn_down.weight", { shape: [spec.feedForward, spec.embedding] }),
    matrix(spec, "ffn_gate.weight", { shape: wide }),
    matrix(spec, "ffn_up.weight", { shape: wide }),
    vector("layer_output_norm.bias", spec.embedding),
    vector("layer_output_norm.weight", spec.embedding),
  ];
}

function vector(name: string, width: number): Tensor {
  return { name, type: "F32", shape: [width] };
}

/** Rows that do not fill blocks of 256 fall back to a type with blocks of 32. */
function matrix(spec: ModelSpec, name: string, about: { shape: number[]; precise?: boolean }): Tensor {
  const { shape, precise = false } = about;
  if (spec.quantization === "F16") return { name, type: "F16", shape };
  const fillsBlocks = (shape[0] ?? 0) % BLOCKS.Q4_K.elements === 0;
  if (precise) return { name, type: fillsBlocks ? "Q6_K" : "Q8_0", shape };
  return { name, type: fillsBlocks ? "Q4_K" : "Q5_0", shape };
}

/** The first and last eighth and every third layer between, in llama.cpp's whole-number arithmetic. */
function keepsMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.trunc(layers / 8);
  return layer < eighth || layer >= Math.trunc((7 * layers) / 8) || Math.trunc((layer - eighth) % 3) === 2;
}
