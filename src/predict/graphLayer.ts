import type { GraphTensor } from "./graphAllocator.ts";
import { attentionGraph } from "./graphAttention.ts";
import { norm, overwriting, result, view } from "./graphBuilder.ts";
import type { GraphContext } from "./graphContext.ts";
import { feedForwardGraph } from "./graphFeedForward.ts";
import { recurrentGraph } from "./graphRecurrent.ts";
import type { LayerStyle } from "./graphStyle.ts";
import type { FeedForwardShape, LayerShape } from "./modelShape.ts";

const F32 = 4;

export interface LayerPlace {
  current: GraphTensor;
  /** Only the rows whose logits are wanted go on after the last layer's mixing. */
  isLast: boolean;
  /** Inputs of all layers that Gemma 3n and 4 add after each. */
  perLayerInputs?: GraphTensor;
  perLayerWidth: number;
  /** Embeddings per token that are kept beside the layer: the predictions of Gemma 3n's AltUp. */
  heldEmbeddings: number;
  style: LayerStyle;
}

/** One repeating layer, from the output of the one before to its own. */
export function layerGraph(context: GraphContext, layer: LayerShape, place: LayerPlace): GraphTensor {
  const rows = place.isLast ? context.settings.outputRows : context.settings.tokens;
  const bytes = context.embeddingLength * rows * F32;
  if (place.style.parallel !== undefined && layer.feedForward !== undefined) {
    return besideEachOther(context, layer, { ...place, bytes, rows, feedForward: layer.feedForward });
  }
  const { residualFirst, normsAfter } = place.style;
  const held = heldBeside(context, place);
  const mixed = mixingGraph(context, layer, place);
  if (mixed === undefined) return alone(context, layer, { ...place, bytes, rows });
  const cut = cutter(context, { ...place, bytes });
  const sum = (added: GraphTensor, before: GraphTensor, first: boolean): GraphTensor =>
    first ? overwriting(bytes, before, added) : overwriting(bytes, added, before);
  const after = (tensor: GraphTensor): GraphTensor => (normsAfter === true ? norm(tensor) : tensor);
  // The rows of what attention made are picked first, then those of what came before it.
  const picked = cut(mixed);
  const before = cut(place.current);
  const residual = sum(after(picked), before, residualFirst.mixing);
  if (layer.feedForward === undefined) return residual;
  const normed = normsAfter === true ? residual : norm(residual);
  const fed = after(feedForwardGraph(context, layer.feedForward, { normed, rows }));
  const output = withPerLayerInput(sum(fed, residual, residualFirst.feedForward), { ...place, bytes, rows });
  return held === undefined ? output : result(bytes, output, held);
}

/** Only the rows whose logits are wanted go on after the last layer's mixing. */
function cutter(
  context: GraphContext,
  { isLast, bytes }: { isLast: boolean; bytes: number },
): (tensor: GraphTensor) => GraphTensor {
  return (tensor) => (isLast ? result(bytes, tensor, context.outputPlaces) : tensor);
}

/** Attention and feed-forward part side by side, both from the layer's input. */
function besideEachOther(
  context: GraphContext,
  layer: LayerShape,
  place: Rows & { feedForward: FeedForwardShape },
): GraphTensor {
  const { bytes, rows } = place;
  const cut = cutter(context, place);
  const input = norm(place.current);
  const attended =
    layer.attention === undefined ? place.current : attentionGraph(context, layer.attention, input);
  const mixed = cut(attended);
  const before = cut(place.current);
  const normed = place.style.parallel?.reads === "own" ? norm(before) : cut(input);
  const fed = feedForwardGraph(context, place.feedForward, { normed, rows });
  return place.style.parallel?.sum === "attention-first"
    ? overwriting(bytes, overwriting(bytes, fed, mixed), before)
    : overwriting(bytes, overwriting(bytes, fed, before), mixed);
}

function heldBeside(context: GraphContext, place: LayerPlace): GraphTensor | undefined {
  if (place.heldEmbeddings === 0) return undefined;
  const held = result(place.heldEmbeddings * context.embeddingLength * context.tokenBytes, place.current);
  context.graph.expand(held);
  return held;
}

/** Attention, a state, or both side by side; undefined for a layer that has neither. */
function mixingGraph(
  context: GraphContext,
  layer: LayerShape,
  { current, style }: LayerPlace,
): GraphTensor | undefined {
  const { attention, recurrent } = layer;
  const read = (): GraphTensor => (style.normsAfter === true ? current : norm(current));
  const attended = attention === undefined ? undefined : attentionGraph(context, attention, read());
  const carried = recurrent === undefined ? undefined : recurrentGraph(context, recurrent, read());
  if (attended === undefined || carried === undefined) return attended ?? carried;
  return overwriting(attended.bytes, attended, carried);
}

type Rows = LayerPlace & { bytes: number; rows: number };

/** A layer that is nothing but a feed-forward part. */
function alone(context: GraphContext, layer: LayerShape, place: Rows): GraphTensor {
  if (layer.feedForward === undefined) return place.current;
  const { current } = place;
  const fed = feedForwardGraph(context, layer.feedForward, {
    normed: norm(current),
    rows: context.settings.tokens,
  });
  const cut = cutter(context, place);
  return overwriting(place.bytes, cut(fed), cut(current));
}

function withPerLayerInput(output: GraphTensor, place: Rows): GraphTensor {
  if (place.perLayerInputs === undefined) return output;
  const width = place.perLayerWidth * place.rows * F32;
  const gate = overwriting(width, result(width, output));
  const scaled = overwriting(width, gate, view(place.perLayerInputs, width));
  return overwriting(output.bytes, output, norm(result(output.bytes, scaled)));
}
