import type { TensorShape } from "../../../src/predict/modelShape.ts";

type Entry = { name: string; type: string; shape: number[] };

/** Tensor lists as `/api/show` gives them: f16 matrices, f32 vectors. */
export function listed(entries: readonly (readonly [string, ...number[]])[]): Entry[] {
  return entries.map(([name, ...shape]) => ({ name, type: shape.length > 1 ? "F16" : "F32", shape }));
}

export function asTensors(entries: readonly Entry[]): TensorShape[] {
  return entries.map(({ name, type, shape }) => ({ name, type, dimensions: shape }));
}

export interface DenseModel {
  architecture: string;
  layers: number;
  embedding: number;
  heads: number;
  keyHeads: number;
  head: number;
  ffn: number;
  vocabulary: number;
  tied?: boolean;
}

/** The list of a dense model of the Llama, Qwen or Gemma kind. */
export function denseTensors(model: DenseModel): Entry[] {
  const { embedding, heads, keyHeads, head, ffn, vocabulary, architecture } = model;
  const of = (layer: number): [string, ...number[]][] => [
    [`blk.${layer}.attn_norm.weight`, embedding],
    [`blk.${layer}.ffn_norm.weight`, embedding],
    [`blk.${layer}.attn_q.weight`, embedding, heads * head],
    [`blk.${layer}.attn_k.weight`, embedding, keyHeads * head],
    [`blk.${layer}.attn_v.weight`, embedding, keyHeads * head],
    [`blk.${layer}.attn_output.weight`, heads * head, embedding],
    [`blk.${layer}.ffn_gate.weight`, embedding, ffn],
    [`blk.${layer}.ffn_up.weight`, embedding, ffn],
    [`blk.${layer}.ffn_down.weight`, ffn, embedding],
    ...extras(architecture, `blk.${layer}.`, model),
  ];
  return listed([
    ["token_embd.weight", embedding, vocabulary],
    ["output_norm.weight", embedding],
    ...(model.tied === true ? [] : [["output.weight", embedding, vocabulary] as [string, number, number]]),
    ...Array.from({ length: model.layers }, (_, layer) => of(layer)).flat(),
  ]);
}

function extras(architecture: string, prefix: string, model: DenseModel): [string, ...number[]][] {
  const { embedding, heads, keyHeads, head } = model;
  const biases: [string, number][] = [
    [`${prefix}attn_q.bias`, heads * head],
    [`${prefix}attn_k.bias`, keyHeads * head],
    [`${prefix}attn_v.bias`, keyHeads * head],
  ];
  const norms: [string, number][] = [
    [`${prefix}attn_q_norm.weight`, head],
    [`${prefix}attn_k_norm.weight`, head],
  ];
  const posts: [string, number][] = [
    [`${prefix}post_attention_norm.weight`, embedding],
    [`${prefix}post_ffw_norm.weight`, embedding],
  ];
  if (architecture === "qwen2") return biases;
  if (architecture === "gemma2") return posts;
  if (architecture === "gemma3") return [...norms, ...posts];
  return architecture.startsWith("qwen3") ? norms : [];
}
