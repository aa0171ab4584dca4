import type { GraphTensor } from "./graphAllocator.ts";
import { attentionGraph } from "./graphAttention.ts";
import { norm, overwriting, result, view } from "./graphBuilder.ts";
import type { GraphContext } from "./graphContext.ts";
import { feedForwardGraph } from "./graphFeedForward.ts";
import { recurrentGraph } from "./graphRecurrent.ts";
import type { LayerShape } from "./modelShape.ts";

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
  /** The sum names what came before first, so it is written over that (LFM2, Jamba). */
  residualFirst: boolean;
}

/** One repeating layer, from the output of the one before to its own. */
export function layerGraph(context: GraphContext, layer: LayerShape, place: LayerPlace): GraphTensor {
  const rows = place.isLast ? context.settings.outputRows : context.settings.tokens;
  const bytes = context.embeddingLength * rows * F32;
  const held = heldBeside(context, place);
  const mixed = mixingGraph(context, layer, place.current);
  if (mixed === undefined) return alone(context, layer, { ...place, bytes, rows });
  const cut = (tensor: GraphTensor): GraphTensor =>
    place.isLast ? result(bytes, tensor, context.outputPlaces) : tensor;
  const sum = (added: GraphTensor, before: GraphTensor): GraphTensor =>
    place.residualFirst ? overwriting(bytes, before, added) : overwriting(bytes, added, before);
  const residual = sum(cut(mixed), cut(place.current));
  if (layer.feedForward === undefined) return residual;
  const normed = norm(residual);
  const fed = feedForwardGraph(context, layer.feedForward, { normed, rows });
  const output = withPerLayerInput(sum(fed, residual), { ...place, bytes, rows });
  return held === undefined ? output : result(bytes, output, held);
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
  current: GraphTensor,
): GraphTensor | undefined {
  const { attention, recurrent } = layer;
  const attended = attention === undefined ? undefined : attentionGraph(context, attention, norm(current));
  const carried = recurrent === undefined ? undefined : recurrentGraph(context, recurrent, norm(current));
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
  const cut = (tensor: GraphTensor): GraphTensor =>
    place.isLast ? result(place.bytes, tensor, context.outputPlaces) : tensor;
  return overwriting(place.bytes, cut(fed), cut(current));
}

function withPerLayerInput(output: GraphTensor, place: Rows): GraphTensor {
  if (place.perLayerInputs === undefined) return output;
  const width = place.perLayerWidth * place.rows * F32;
  const gate = overwriting(width, result(width, output));
  const scaled = overwriting(width, gate, view(place.perLayerInputs, width));
  return overwriting(output.bytes, output, norm(result(output.bytes, scaled)));
}
