import type { RecurrentKind, RecurrentShape } from "./modelShape.ts";
import type { ShapeSource } from "./shapeSource.ts";
import type { LayerTensors } from "./shapeTensors.ts";

/** Says of a layer whether it carries a state. */
export type StateTest = (layer: number) => boolean;

/**
 * Which layers carry a state, by metadata alone: the rule of the architecture, else those without key heads, provided
 * there is metadata of a state at all.
 */
export function recurrentByMetadata(source: Omit<ShapeSource, "isRecurrentOnly">): StateTest {
  const { metadata, rule } = source;
  if (stateKind(source) === undefined) return () => false;
  if (rule?.recurrent === "all") return () => true;
  const flags = metadata.perLayer("attention.recurrent_layers");
  if (flags !== undefined) return (layer) => flags(layer) > 0;
  if (rule?.recurrent === "interval") {
    const interval = Math.max(1, metadata.count("full_attention_interval") ?? rule.interval ?? 4);
    return (layer) => (layer + 1) % interval !== 0;
  }
  const keyHeads = metadata.perLayer("attention.head_count_kv") ?? metadata.perLayer("attention.head_count");
  const feedForward = metadata.perLayer("feed_forward_length");
  const withoutHeads: StateTest = (layer) => (keyHeads?.(layer) ?? 0) === 0;
  return rule?.recurrent === "no-heads-no-ffn"
    ? (layer) => withoutHeads(layer) && (feedForward?.(layer) ?? 0) === 0
    : withoutHeads;
}

/** States of every layer; the tensor list decides which have one, because per-layer arrays may be hidden. */
export function recurrentLayers(
  source: Omit<ShapeSource, "isRecurrentOnly">,
  byMetadata: StateTest,
): (RecurrentShape | undefined)[] {
  const kind = stateKind(source);
  return source.layerNumbers.map((layer) => {
    const tensors = source.tensors?.layer(layer);
    const has = tensors === undefined || tensors.size === 0 ? byMetadata(layer) : holdsState(tensors);
    return has ? stateOf(source, kind ?? "mamba2", tensors) : undefined;
  });
}

function holdsState(tensors: LayerTensors): boolean {
  return STATE_TENSORS.some((name) => tensors.has(name));
}

const STATE_TENSORS = [
  "ssm_conv1d.weight",
  "ssm_conv1d_q.weight",
  "shortconv.conv.weight",
  "time_mix_key.weight",
];

function stateKind({
  metadata,
  architecture,
}: Omit<ShapeSource, "isRecurrentOnly">): RecurrentKind | undefined {
  if (metadata.count("wkv.head_size") !== undefined) return "rwkv";
  if (metadata.count("shortconv.l_cache") !== undefined) return "convolution";
  if (metadata.count("kda.head_dim") !== undefined) return "delta";
  if (metadata.count("ssm.state_size") === undefined && metadata.count("ssm.conv_kernel") === undefined) {
    return undefined;
  }
  if (DELTA.has(architecture)) return "delta";
  return MAMBA_1.has(architecture) ? "mamba" : "mamba2";
}

const DELTA: ReadonlySet<string> = new Set(["qwen3next", "qwen35", "qwen35moe", "minimax-01", "bailingmoe3"]);
const MAMBA_1: ReadonlySet<string> = new Set(["mamba", "jamba"]);

/**
 * Elements of the state of one sequence. Mamba and delta nets: R = (kernel − 1)(inner + 2·groups·state), S = state·inner.
 * RWKV: R = shifts·embedding, S = embedding·head. Short convolution: R = embedding·(length − 1). Kimi's delta attention:
 * R = 3(kernel − 1)·heads·head, S = head²·heads.
 */
function stateOf(
  source: Omit<ShapeSource, "isRecurrentOnly">,
  kind: RecurrentKind,
  tensors: LayerTensors | undefined,
): RecurrentShape {
  const { metadata } = source;
  const number = (key: string, fallback = 0): number => metadata.count(key) ?? fallback;
  const embedding = source.embeddingLength ?? 0;
  const shape: RecurrentShape = {
    kind,
    convolutionElements: 0,
    stateElements: 0,
    innerLength: number("ssm.inner_size"),
    stateLength: number("ssm.state_size"),
    groupCount: number("ssm.group_count"),
    headCount: number("ssm.time_step_rank"),
    ...(source.architecture === "qwen3next" && { repeatsKeys: true }),
  };
  if (kind === "rwkv") {
    shape.convolutionElements = number("token_shift_count", 2) * embedding;
    shape.stateElements = embedding * number("wkv.head_size");
  } else if (kind === "convolution") {
    shape.convolutionElements = embedding * Math.max(0, number("shortconv.l_cache") - 1);
  } else if (metadata.count("kda.head_dim") !== undefined) {
    const head = number("kda.head_dim");
    const heads = metadata.perLayer("attention.head_count")?.(0) ?? 0;
    Object.assign(shape, {
      innerLength: head * heads,
      stateLength: head,
      groupCount: heads,
      headCount: heads,
    });
    shape.convolutionElements = 3 * Math.max(0, number("ssm.conv_kernel", 4) - 1) * heads * head;
    shape.stateElements = head * head * heads;
  } else {
    const convolution = tensors?.get("ssm_conv1d.weight");
    const kernel = convolution?.[0] ?? number("ssm.conv_kernel");
    const channels = convolution?.[1] ?? shape.innerLength + 2 * shape.groupCount * shape.stateLength;
    shape.convolutionElements = Math.max(0, kernel - 1) * channels;
    shape.stateElements = shape.stateLength * shape.innerLength;
  }
  return shape;
}
