import type { GraphTensor } from "./graphAllocator.ts";
import { norm, overwriting, result, store, view } from "./graphBuilder.ts";
import type { GraphContext } from "./graphContext.ts";
import type { RecurrentShape } from "./modelShape.ts";

const F32 = 4;

/** A layer that carries a state: from its normed input to the output of its last projection. */
export function recurrentGraph(
  context: GraphContext,
  shape: RecurrentShape,
  normed: GraphTensor,
): GraphTensor {
  switch (shape.kind) {
    case "mamba":
      return mamba(context, shape, normed);
    case "mamba2":
      return mamba2(context, shape, normed);
    case "delta":
      return deltaNet(context, shape, normed);
    case "convolution":
      return shortConvolution(context, shape, normed);
    case "rwkv":
      return timeMix(context, shape, normed);
  }
}

/** The state's rows of all sequences, gathered from the cache. */
function gathered(context: GraphContext, elements: number): GraphTensor {
  const rows = result(elements * context.settings.sequences * F32, context.stateCopies);
  context.graph.expand(rows);
  return rows;
}

/** Joins the kept columns with the new ones, keeps the last ones for the next time, and convolves. */
function convolved(
  context: GraphContext,
  shape: RecurrentShape,
  from: { kept: GraphTensor; fresh: GraphTensor; channels: number },
): GraphTensor {
  const { tokenBytes, settings, graph } = context;
  const joinedBytes = shape.convolutionElements * settings.sequences * F32 + from.channels * tokenBytes;
  const joined = result(joinedBytes, view(from.kept), view(from.fresh));
  graph.expand(store(view(joined, shape.convolutionElements * settings.sequences * F32)));
  return result(from.channels * tokenBytes, joined);
}

function scanned(context: GraphContext, shape: RecurrentShape, ...sources: GraphTensor[]): GraphTensor {
  const { tokenBytes, settings, graph, stateCopies } = context;
  const stateBytes = shape.stateElements * settings.sequences * F32;
  const scan = result(shape.innerLength * tokenBytes + stateBytes, ...sources, stateCopies);
  graph.expand(scan);
  graph.expand(store(view(scan, stateBytes)));
  return scan;
}

function mamba(context: GraphContext, shape: RecurrentShape, normed: GraphTensor): GraphTensor {
  const { tokenBytes, embeddingLength } = context;
  const inner = shape.innerLength * tokenBytes;
  const kept = gathered(context, shape.convolutionElements);
  const both = result(2 * inner, view(normed));
  const x = overwriting(
    inner,
    overwriting(
      inner,
      convolved(context, shape, { kept, fresh: view(both, inner), channels: shape.innerLength }),
    ),
  );
  const parameters = result((shape.headCount + 2 * shape.stateLength) * tokenBytes, x);
  const step = overwriting(inner, result(inner, view(parameters, shape.headCount * tokenBytes)));
  const scan = scanned(context, shape, view(x), step, view(parameters, shape.stateLength * tokenBytes));
  const output = overwriting(inner, view(scan, inner), overwriting(inner, x));
  const gated = result(inner, result(inner, view(both, inner)), output);
  return view(result(embeddingLength * tokenBytes, gated));
}

function mamba2(context: GraphContext, shape: RecurrentShape, normed: GraphTensor): GraphTensor {
  const { tokenBytes, embeddingLength } = context;
  const channels = shape.innerLength + 2 * shape.groupCount * shape.stateLength;
  const inner = shape.innerLength * tokenBytes;
  const kept = gathered(context, shape.convolutionElements);
  const all = result((shape.innerLength + channels + shape.headCount) * tokenBytes, view(normed));
  const mixed = convolved(context, shape, { kept, fresh: view(all, channels * tokenBytes), channels });
  const active = overwriting(mixed.bytes, overwriting(mixed.bytes, mixed));
  const step = overwriting(
    shape.headCount * tokenBytes,
    result(shape.headCount * tokenBytes, view(all, shape.headCount * tokenBytes)),
  );
  const scan = scanned(context, shape, view(active, inner), step, view(active, inner));
  const skip = result(inner, view(active, inner));
  const output = overwriting(inner, view(scan, inner), skip);
  const gated = result(inner, result(inner, view(all, inner)), output);
  return result(embeddingLength * tokenBytes, view(norm(view(gated))));
}

function deltaNet(context: GraphContext, shape: RecurrentShape, normed: GraphTensor): GraphTensor {
  const { tokenBytes, embeddingLength, graph } = context;
  const channels = shape.innerLength + 2 * shape.groupCount * shape.stateLength;
  const inner = shape.innerLength * tokenBytes;
  const keyBytes = shape.groupCount * shape.stateLength * tokenBytes;
  const mixed = result(channels * tokenBytes, normed);
  const gate = result(inner, normed);
  const headBytes = shape.headCount * tokenBytes;
  const rates = result(2 * headBytes, normed);
  const beta = view(overwriting(headBytes, result(headBytes, view(rates, headBytes))));
  const decay = view(overwriting(headBytes, result(headBytes, view(rates, headBytes))));
  const kept = gathered(context, shape.convolutionElements);
  const active = convolved(context, shape, { kept, fresh: mixed, channels });
  const state = gathered(context, shape.stateElements);
  const convolvedAll = overwriting(active.bytes, active);
  const repeated = (): GraphTensor => {
    const normedPart = result(keyBytes, view(convolvedAll, keyBytes));
    return shape.repeatsKeys === true ? result(inner, view(normedPart)) : normedPart;
  };
  const scan = scanned(
    context,
    shape,
    view(repeated()),
    view(repeated()),
    view(convolvedAll, inner),
    decay,
    beta,
    view(state),
  );
  graph.expand(scan);
  const normedOutput = norm(view(scan, inner));
  const gated = overwriting(inner, normedOutput, overwriting(inner, view(gate)));
  return view(result(embeddingLength * tokenBytes, view(gated)));
}

function shortConvolution(context: GraphContext, shape: RecurrentShape, normed: GraphTensor): GraphTensor {
  const { tokenBytes, embeddingLength } = context;
  const part = embeddingLength * tokenBytes;
  const all = result(3 * part, view(normed));
  const product = result(part, view(all, part), view(all, part));
  const kept = gathered(context, shape.convolutionElements);
  const mixed = convolved(context, shape, { kept, fresh: product, channels: embeddingLength });
  return result(part, result(part, view(all, part), mixed));
}

/** RWKV's time mix, roughly: five interpolations of the input, of which receptance, key, value, decay and gate come. */
function timeMix(context: GraphContext, shape: RecurrentShape, normed: GraphTensor): GraphTensor {
  const part = context.embeddingLength * context.tokenBytes;
  const kept = gathered(context, shape.convolutionElements);
  const shifted = result(part, normed, view(kept));
  const five = result(5 * part, normed, shifted);
  const parts = Array.from({ length: 5 }, () => result(part, view(five, part)));
  const scan = scanned(context, { ...shape, innerLength: context.embeddingLength }, ...parts.slice(0, 4));
  return result(part, overwriting(part, result(part, view(scan, part)), parts[4] ?? normed));
}
