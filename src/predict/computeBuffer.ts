import { plannedBytes, type GraphTensor } from "./graphAllocator.ts";
import {
  createGraph,
  input,
  norm,
  overwriting,
  result,
  store,
  view,
  type GraphBuilder,
} from "./graphBuilder.ts";
import { createContext, type GraphContext, type GraphSettings } from "./graphContext.ts";
import { layerGraph } from "./graphLayer.ts";
import { layerStyle } from "./graphStyle.ts";
import type { ModelShape } from "./modelShape.ts";

const F32 = 4;
/** Four predictions, the low-rank residual and the active one. */
const ALTUP_EMBEDDINGS = 6;
const ALIGNMENT_BYTES = { device: 128, host: 64 };

/**
 * Bytes of the buffer in which one device computes a batch: llama.cpp's graph of this model, planned as ggml plans it.
 * Equal to its log for attention models; hybrids and per-layer inputs are modelled less finely.
 */
export function computeBufferBytes(shape: ModelShape, settings: GraphSettings): number {
  const graph = createGraph();
  const context = createContext(shape, settings, graph);
  const arrived = arrival(context, shape.deepstackLayerCount ?? 0);
  let current = arrived;
  const layers = shape.graphLayers;
  const perLayerInputs = perLayerInputsGraph(context, shape, current);
  const perLayerWidth = (shape.perLayerInputWidth ?? 0) / Math.max(1, shape.layers.length);
  const heldEmbeddings = shape.architecture === "gemma3n" ? ALTUP_EMBEDDINGS : 0;
  const style = layerStyle(shape.architecture);
  layers.forEach((layer, index) => {
    const isLast = index === layers.length - 1;
    current = layerGraph(context, layer, {
      current,
      isLast,
      perLayerInputs,
      perLayerWidth,
      heldEmbeddings,
      style,
    });
    if (index < (shape.deepstackLayerCount ?? 0) && !isLast) {
      current = overwriting(current.bytes, current, view(arrived, current.bytes));
    }
  });
  // An encoder's answer is its last layer, pooled: it has no logits.
  const logits = shape.encoder ? 0 : F32 * settings.outputRows * (shape.vocabularySize ?? 0);
  graph.expand(result(logits, norm(current)));
  return settings.onDevice
    ? plannedBytes(arrivalsFirst(graph), ALIGNMENT_BYTES.device)
    : plannedBytes(graph.order, ALIGNMENT_BYTES.host);
}

/**
 * Embedded tokens: copied to a device; on the host looked up, beside a place for embeddings given as such. Both are as
 * long as all that an image's features need.
 */
function arrival(context: GraphContext, deepstackLayerCount: number): GraphTensor {
  const own = context.embeddingLength * context.tokenBytes;
  const bytes = own * (1 + deepstackLayerCount);
  const whole = (tensor: GraphTensor): GraphTensor =>
    deepstackLayerCount === 0 ? tensor : view(result(bytes, tensor), own);
  if (context.settings.onDevice) {
    return deepstackLayerCount === 0 ? result(bytes) : view(result(bytes), own);
  }
  const embedded = whole(result(own, input(context.tokenBytes)));
  const given = input(bytes);
  given.kept = true;
  context.graph.expand(embedded);
  context.graph.expand(store(given));
  return embedded;
}

/** The inputs of Gemma 3n's and 4's layers, projected for all of them at once and kept until the last. */
function perLayerInputsGraph(
  context: GraphContext,
  shape: ModelShape,
  embedded: GraphTensor,
): GraphTensor | undefined {
  if (shape.perLayerInputWidth === undefined) return undefined;
  const bytes = shape.perLayerInputWidth * context.tokenBytes;
  const lookedUp = context.settings.onDevice ? result(bytes) : result(bytes, input(context.tokenBytes));
  context.graph.expand(lookedUp);
  const projected = norm(overwriting(bytes, result(bytes, embedded)));
  const inputs = result(bytes, view(overwriting(bytes, projected, lookedUp)));
  context.graph.expand(inputs);
  return inputs;
}

/** On a device everything that comes from the host is copied before the first operation runs. */
function arrivalsFirst(graph: GraphBuilder): GraphTensor[] {
  const arrives = (tensor: GraphTensor): boolean => tensor.sources.length === 0;
  return [...graph.order.filter(arrives), ...graph.order.filter((tensor) => !arrives(tensor))];
}
