import type { GraphTensor } from "./graphAllocator.ts";
import { overwriting, result, store, view } from "./graphBuilder.ts";
import type { CacheInputs, GraphContext } from "./graphContext.ts";
import { latentProjections } from "./graphLatent.ts";
import type { AttentionShape } from "./modelShape.ts";

/** Query, key and value of one layer, ready for the cache; without keys the layer reads an earlier one's cache. */
export interface Projections {
  query: GraphTensor;
  key?: GraphTensor;
  value?: GraphTensor;
  gate?: GraphTensor;
}

/** Self-attention of one layer, from its normed input to the output of its last projection. */
export function attentionGraph(
  context: GraphContext,
  shape: AttentionShape,
  normed: GraphTensor,
): GraphTensor {
  const inputs = context.cache(shape.sliding ? "sliding" : "full");
  const projected =
    shape.latent === undefined
      ? plainProjections(context, shape, normed)
      : latentProjections(context, shape, normed);
  const rotated = rotate(projected, inputs);
  intoCache(context, rotated, inputs);
  const attended = attend(context, shape, { query: rotated.query, inputs });
  context.graph.expand(attended);
  let output =
    inputs?.valueRotation === undefined
      ? attended
      : view(result(attended.bytes, inputs.valueRotation, view(attended)));
  if (rotated.gate !== undefined) {
    output = overwriting(output.bytes, output, overwriting(output.bytes, result(output.bytes, rotated.gate)));
  }
  return result(context.embeddingLength * context.tokenBytes, output);
}

function plainProjections(context: GraphContext, shape: AttentionShape, normed: GraphTensor): Projections {
  const { tokenBytes, positions } = context;
  const queryBytes = shape.headCount * shape.keyLength * tokenBytes;
  const [keyBytes, valueBytes] = [shape.keyWidth * tokenBytes, shape.valueWidth * tokenBytes];
  // Turning makes new tensors: llama.cpp does not write them over the projections.
  const turned = (tensor: GraphTensor): GraphTensor =>
    shape.turned ? result(tensor.bytes, tensor, positions) : tensor;
  if (shape.fused) {
    const all = result(queryBytes + keyBytes + valueBytes, normed);
    return {
      query: turned(view(all, queryBytes)),
      value: view(all, valueBytes),
      key: turned(view(all, keyBytes)),
    };
  }
  const projected = result(queryBytes * (shape.gated ? 2 : 1), normed);
  const query = turned(view(projected, queryBytes));
  const gate = shape.gated ? view(projected, queryBytes) : undefined;
  if (shape.sharesCache) return { query, gate };
  return {
    query,
    gate,
    key: turned(view(result(keyBytes, normed))),
    value: view(result(valueBytes, normed)),
  };
}

function rotate(projected: Projections, inputs: CacheInputs | undefined): Projections {
  const { keyRotation, valueRotation } = inputs ?? {};
  const turned = (tensor: GraphTensor, matrix: GraphTensor): GraphTensor =>
    view(result(tensor.bytes, matrix, view(tensor)));
  return {
    gate: projected.gate,
    query: keyRotation === undefined ? projected.query : turned(projected.query, keyRotation),
    key: projected.key && keyRotation ? turned(projected.key, keyRotation) : projected.key,
    value: projected.value && valueRotation ? turned(projected.value, valueRotation) : projected.value,
  };
}

/** Adds the projections in the order llama.cpp does, which decides where they lie, and writes them to the cache. */
function intoCache(context: GraphContext, projected: Projections, inputs: CacheInputs | undefined): void {
  const { graph } = context;
  const { query, key, value } = projected;
  const windowed = context.cache("sliding") !== undefined;
  graph.expand(query);
  for (const tensor of windowed ? [key, value] : [value, key]) if (tensor !== undefined) graph.expand(tensor);
  if (inputs === undefined) return;
  if (key !== undefined) graph.expand(store(view(key), inputs.keyPlaces));
  if (value !== undefined && inputs.valuePlaces !== undefined) {
    graph.expand(store(view(value), inputs.valuePlaces));
  }
}

function attend(
  context: GraphContext,
  shape: AttentionShape,
  from: { query: GraphTensor; inputs: CacheInputs | undefined },
): GraphTensor {
  const { tokenBytes, settings } = context;
  const mask = from.inputs === undefined ? [] : [from.inputs.mask];
  const cells = shape.sliding ? settings.cells.sliding : settings.cells.full;
  const query = view(view(from.query));
  const absorbed = shape.latent?.absorbed === true ? shape.latent : undefined;
  const headLength = absorbed?.rank ?? shape.valueLength;
  const bytes = shape.headCount * headLength * tokenBytes;
  if (settings.flashAttention) {
    const copy = settings.copiesCache
      ? 2 * cells * settings.streams * (shape.keyWidth + shape.valueWidth)
      : 0;
    const attended = result(bytes + copy, query, ...mask);
    return unpacked(context, shape, view(attended, bytes));
  }
  const scores = result(shape.headCount * cells * tokenBytes, query);
  const weighted = result(bytes, overwriting(scores.bytes, scores, ...mask));
  if (absorbed === undefined) return result(bytes, view(weighted));
  const unpackedBytes = shape.headCount * shape.valueLength * tokenBytes;
  return result(unpackedBytes, view(result(unpackedBytes, weighted)));
}

/** Latent attention's result is unpacked to the width of the heads. */
function unpacked(context: GraphContext, shape: AttentionShape, attended: GraphTensor): GraphTensor {
  if (shape.latent?.absorbed !== true) return attended;
  const bytes = shape.headCount * shape.valueLength * context.tokenBytes;
  return view(result(bytes, view(result(bytes, view(attended)))));
}
