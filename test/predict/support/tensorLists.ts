import type { LayerShape, ModelShape } from "../../../src/predict/modelShape.ts";

export interface Entry {
  name: string;
  type: string;
  shape: number[];
}
export type Sized = readonly [string, ...number[]];

/** What the converters leave in f32 although it has two dimensions. */
const IN_F32 = /ffn_gate_inp|ssm_conv1d|ssm_a$|shortconv\.conv/;

/** Tensor lists as `/api/show` gives them: f16 matrices, f32 vectors. */
export function listed(entries: readonly Sized[]): Entry[] {
  return entries.map(([name, ...shape]) => ({
    name,
    type: shape.length > 1 && !IN_F32.test(name) ? "F16" : "F32",
    shape,
  }));
}

/** The tensors of every layer, with the layer's prefix put before their names. */
export function inLayers(count: number, of: (layer: number) => readonly Sized[]): Sized[] {
  return Array.from({ length: count }, (_, layer) =>
    of(layer).map(([name, ...shape]): Sized => [`blk.${layer}.${name}`, ...shape]),
  ).flat();
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

/** The list of a dense model of the Llama, Qwen, Phi or Gemma kind. */
export function denseTensors(model: DenseModel): Entry[] {
  return listed([
    ...embeddings(model),
    ...inLayers(model.layers, () => [
      ["attn_norm.weight", model.embedding],
      ["ffn_norm.weight", model.embedding],
      ...projections(model),
      ["attn_output.weight", model.heads * model.head, model.embedding],
      ["ffn_down.weight", model.ffn, model.embedding],
      ...extras(model),
    ]),
  ]);
}

export function embeddings({ embedding, vocabulary, tied }: Omit<DenseModel, "architecture">): Sized[] {
  const head: Sized[] = tied === true ? [] : [["output.weight", embedding, vocabulary]];
  return [["token_embd.weight", embedding, vocabulary], ["output_norm.weight", embedding], ...head];
}

function projections({ architecture, embedding, heads, keyHeads, head, ffn }: DenseModel): Sized[] {
  if (architecture === "phi3") {
    return [
      ["attn_qkv.weight", embedding, (heads + 2 * keyHeads) * head],
      ["ffn_up.weight", embedding, 2 * ffn],
    ];
  }
  return [
    ["attn_q.weight", embedding, heads * head],
    ["attn_k.weight", embedding, keyHeads * head],
    ["attn_v.weight", embedding, keyHeads * head],
    ["ffn_gate.weight", embedding, ffn],
    ["ffn_up.weight", embedding, ffn],
  ];
}

function extras({ architecture, embedding, heads, keyHeads, head }: DenseModel): Sized[] {
  const norms: Sized[] = [
    ["attn_q_norm.weight", head],
    ["attn_k_norm.weight", head],
  ];
  const posts: Sized[] = [
    ["post_attention_norm.weight", embedding],
    ["post_ffw_norm.weight", embedding],
  ];
  if (architecture === "qwen2") {
    return [
      ["attn_q.bias", heads * head],
      ["attn_k.bias", keyHeads * head],
      ["attn_v.bias", keyHeads * head],
    ];
  }
  if (architecture === "gemma2") return posts;
  if (architecture === "gemma3") return [...norms, ...posts];
  return architecture.startsWith("qwen3") ? norms : [];
}

/** The list that a file with these layers has: what a reader without per-layer metadata has to go by. */
export function tensorsOfShape(shape: ModelShape): Entry[] {
  const embedding = shape.embeddingLength ?? 0;
  return listed([
    ["token_embd.weight", embedding, shape.vocabularySize ?? 0],
    ["output_norm.weight", embedding],
    ...(shape.perLayerInputWidth === undefined
      ? []
      : ([["per_layer_token_embd.weight", shape.perLayerInputWidth, shape.vocabularySize ?? 0]] as Sized[])),
    ...inLayers(shape.layers.length, (layer) => {
      const parts = shape.layers[layer] ?? {};
      return [
        ["attn_norm.weight", embedding],
        ...attentionTensors(parts, embedding),
        ...stateTensors(parts, embedding),
        ...feedForwardTensors(parts, embedding),
      ];
    }),
  ]);
}

function attentionTensors({ attention }: LayerShape, embedding: number): Sized[] {
  if (attention === undefined) return [];
  const { headCount, keyLength, valueLength, keyWidth, valueWidth, latent } = attention;
  const query = headCount * keyLength * (attention.gated ? 2 : 1);
  const output: Sized = ["attn_output.weight", headCount * valueLength, embedding];
  if (latent !== undefined) {
    const rows: Sized[] = [
      ["attn_kv_a_mqa.weight", embedding, latent.rank + latent.ropeLength],
      ["attn_kv_a_norm.weight", latent.rank],
      output,
    ];
    if (latent.queryRank !== undefined) rows.push(["attn_q_a.weight", embedding, latent.queryRank]);
    rows.push(
      latent.absorbed
        ? ["attn_k_b.weight", 128, latent.rank, headCount]
        : ["attn_kv_b.weight", latent.rank, 1],
    );
    return rows;
  }
  if (attention.fused) {
    return [["attn_qkv.weight", embedding, headCount * keyLength + keyWidth + valueWidth], output];
  }
  return [
    ["attn_q.weight", embedding, query],
    ["attn_k.weight", embedding, keyWidth],
    ["attn_v.weight", embedding, valueWidth],
    ["attn_q_norm.weight", keyLength],
    output,
  ];
}

function stateTensors({ recurrent }: LayerShape, embedding: number): Sized[] {
  if (recurrent === undefined) return [];
  const { kind, convolutionElements, innerLength, groupCount, stateLength } = recurrent;
  if (kind === "rwkv") return [["time_mix_key.weight", embedding, embedding]];
  if (kind === "convolution")
    return [["shortconv.conv.weight", convolutionElements / embedding + 1, embedding]];
  const channels = innerLength + (kind === "mamba" ? 0 : 2 * groupCount * stateLength);
  const convolution: Sized = ["ssm_conv1d.weight", convolutionElements / channels + 1, channels];
  // Linear attention has a fused projection that fills no cache.
  return kind === "delta" ? [convolution, ["attn_qkv.weight", embedding, channels]] : [convolution];
}

function feedForwardTensors({ feedForward }: LayerShape, embedding: number): Sized[] {
  if (feedForward === undefined) return [];
  const { length, gated, fused, experts } = feedForward;
  const rows: Sized[] = [];
  if (length > 0) {
    rows.push(
      ["ffn_up.weight", embedding, fused ? 2 * length : length],
      ["ffn_down.weight", length, embedding],
    );
    if (gated && !fused) rows.push(["ffn_gate.weight", embedding, length]);
  }
  if (experts !== undefined) {
    rows.push(["ffn_up_exps.weight", embedding, experts.length, experts.count]);
    rows.push(["ffn_down_exps.weight", experts.length, embedding, experts.count]);
    if (experts.gated) rows.push(["ffn_gate_exps.weight", embedding, experts.length, experts.count]);
    if (experts.sharedLength > 0) rows.push(["ffn_down_shexp.weight", experts.sharedLength, embedding]);
  }
  return rows;
}
