import type { ExpertShape, FeedForwardShape } from "./modelShape.ts";
import type { ShapeSource } from "./shapeSource.ts";
import type { LayerTensors } from "./shapeTensors.ts";

/** llama.cpp has at most this many experts in all: a larger number is broken metadata. */
const MOST_EXPERTS_USED = 512;

/** The feed-forward part of every layer, from the tensor list where there is one, else from metadata. */
export function feedForwardLayers(source: ShapeSource): (FeedForwardShape | undefined)[] {
  const used = Math.min(source.metadata.count("expert_used_count") ?? 0, MOST_EXPERTS_USED);
  return source.layerNumbers.map((layer) => {
    const tensors = source.tensors?.layer(layer);
    return tensors === undefined || tensors.size === 0
      ? fromMetadata(source, layer)
      : fromTensors(source, tensors, used);
  });
}

function fromTensors(source: ShapeSource, tensors: LayerTensors, used: number): FeedForwardShape | undefined {
  const up = tensors.get("ffn_up.weight")?.[1];
  const down = tensors.get("ffn_down.weight")?.[0];
  const length = down ?? up ?? 0;
  const experts = expertsOf(source, tensors, used);
  if (length === 0 && experts === undefined) return undefined;
  return {
    length,
    gated: tensors.has("ffn_gate.weight") || (up ?? 0) > length || experts?.gated === true,
    // One matrix twice as wide as what goes down holds gate and up (Phi-3).
    fused: up !== undefined && up > length,
    ...(experts === undefined ? {} : { experts }),
  };
}

function expertsOf(source: ShapeSource, tensors: LayerTensors, used: number): ExpertShape | undefined {
  const down = tensors.get("ffn_down_exps.weight");
  if (down === undefined || used === 0) return undefined;
  return {
    count: down[2] ?? 0,
    used,
    length: down[0] ?? 0,
    sharedLength: tensors.get("ffn_down_shexp.weight")?.[0] ?? 0,
    gated: tensors.has("ffn_gate_exps.weight") || tensors.has("ffn_gate_up_exps.weight"),
    weightsFirst: source.architecture === "llama4",
  };
}

function fromMetadata(source: ShapeSource, layer: number): FeedForwardShape | undefined {
  const { metadata } = source;
  const length = metadata.perLayer("feed_forward_length")?.(layer) ?? 0;
  if (ATTENTION_OR_STATE_OR_MLP.has(source.architecture) && length === 0) return undefined;
  const experts = layerHasExperts(source, layer) ? expertsFromMetadata(source, length) : undefined;
  if (length === 0 && experts === undefined) return undefined;
  return {
    length: experts === undefined ? length : 0,
    gated: !UNGATED.has(source.architecture),
    fused: FUSED.has(source.architecture),
    ...(experts === undefined ? {} : { experts }),
  };
}

/** A layer of these is one thing only, and its length of 0 says that it is not the feed-forward one. */
const ATTENTION_OR_STATE_OR_MLP: ReadonlySet<string> = new Set(["nemotron_h"]);
const UNGATED: ReadonlySet<string> = new Set(
  `nemotron_h gpt2 gptj gptneox mpt bloom falcon phi2 starcoder starcoder2 nemotron bert nomic-bert apertus arcee
    codeshell jais2 plm`.split(/\s+/),
);
/** One matrix for gate and up projection. */
const FUSED: ReadonlySet<string> = new Set(["phi3", "chatglm", "glm4", "neo-bert", "plamo2", "plamo3"]);

function layerHasExperts(source: ShapeSource, layer: number): boolean {
  const { metadata } = source;
  if ((metadata.count("expert_count") ?? 0) === 0 || (metadata.count("expert_used_count") ?? 0) === 0)
    return false;
  if (layer < (metadata.count("leading_dense_block_count") ?? 0)) return false;
  const step = source.rule?.interleaved === true ? (metadata.count("interleave_moe_layer_step") ?? 1) : 1;
  return step <= 1 || (layer + 1) % step === 0;
}

function expertsFromMetadata(source: ShapeSource, plainLength: number): ExpertShape {
  const { metadata } = source;
  // Mixtral and Granite state the length of an expert as that of the layer.
  const length = metadata.count("expert_feed_forward_length") ?? plainLength;
  const shared =
    metadata.count("expert_shared_feed_forward_length") ??
    (metadata.count("expert_shared_count") ?? 0) * length;
  return {
    count: metadata.count("expert_count") ?? 0,
    used: Math.min(metadata.count("expert_used_count") ?? 0, MOST_EXPERTS_USED),
    length,
    sharedLength: source.rule?.interleaved === true ? length : shared,
    gated: !UNGATED.has(source.architecture),
    weightsFirst: source.architecture === "llama4",
  };
}
