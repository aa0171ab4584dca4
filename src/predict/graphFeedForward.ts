import type { GraphTensor } from "./graphAllocator.ts";
import { overwriting, result, view } from "./graphBuilder.ts";
import type { GraphContext } from "./graphContext.ts";
import type { ExpertShape, FeedForwardShape } from "./modelShape.ts";

const F32 = 4;

/** The feed-forward part of one layer over `rows` tokens. */
export function feedForwardGraph(
  context: GraphContext,
  shape: FeedForwardShape,
  from: { normed: GraphTensor; rows: number },
): GraphTensor {
  const { normed, rows } = from;
  if (shape.experts === undefined) return dense(context, shape, from);
  const mixed = mixture(context, shape.experts, from);
  const sharedLength = shape.experts.sharedLength + shape.length;
  if (sharedLength === 0) return mixed;
  const shared = dense(
    context,
    { ...shape, length: sharedLength, gated: shape.experts.gated },
    { normed, rows },
  );
  return overwriting(mixed.bytes, mixed, shared);
}

function dense(
  context: GraphContext,
  shape: FeedForwardShape,
  from: { normed: GraphTensor; rows: number },
): GraphTensor {
  const bytes = shape.length * from.rows * F32;
  const output = context.embeddingLength * from.rows * F32;
  if (shape.fused) return result(output, result(bytes, result(2 * bytes, from.normed)));
  if (!shape.gated) return result(output, overwriting(bytes, result(bytes, from.normed)));
  const gate = result(bytes, from.normed);
  return result(output, result(bytes, gate, result(bytes, from.normed)));
}

/** The chosen weights, divided by their sum. */
function normalized(weights: GraphTensor, rows: number): GraphTensor {
  const flat = view(weights);
  const sum = overwriting(rows * F32, result(rows * F32, flat));
  return view(overwriting(weights.bytes, flat, sum));
}

/** Routing, the chosen experts' gate, up and down, and the sum of their outputs. */
function mixture(
  context: GraphContext,
  experts: ExpertShape,
  from: { normed: GraphTensor; rows: number },
): GraphTensor {
  const { graph, embeddingLength } = context;
  const perToken = from.rows * F32;
  const scores = overwriting(experts.count * perToken, result(experts.count * perToken, from.normed));
  const chosen = view(result(experts.count * perToken, scores), experts.used * perToken);
  const weights = normalized(result(experts.used * perToken, view(scores), chosen), from.rows);
  graph.expand(weights);
  const spread = spreadInput(context, experts, { ...from, weights });
  const inner = experts.used * experts.length * perToken;
  const up = result(inner, spread, chosen);
  const active = experts.gated ? result(inner, result(inner, spread, chosen), up) : overwriting(inner, up);
  const outerBytes = experts.used * embeddingLength * perToken;
  const down = result(outerBytes, active, chosen);
  const outer = experts.weightsFirst ? down : overwriting(outerBytes, down, weights);
  graph.expand(outer);
  return summed(context, outer, { count: experts.used, bytes: embeddingLength * perToken });
}

function spreadInput(
  context: GraphContext,
  experts: ExpertShape,
  from: { normed: GraphTensor; rows: number; weights: GraphTensor },
): GraphTensor {
  const spread = view(from.normed);
  if (!experts.weightsFirst) return spread;
  const bytes = experts.used * context.embeddingLength * from.rows * F32;
  return overwriting(bytes, result(bytes, spread), from.weights);
}

/** Adds up the outputs of the experts, one at a time. */
function summed(
  context: GraphContext,
  outer: GraphTensor,
  parts: { count: number; bytes: number },
): GraphTensor {
  const views = Array.from({ length: parts.count }, () => view(outer, parts.bytes));
  for (const part of views) context.graph.expand(part);
  const [first = outer, ...rest] = views;
  if (rest.length === 0) return result(parts.bytes, first);
  return rest.reduce((sum, part) => {
    const next = overwriting(parts.bytes, sum, part);
    context.graph.expand(next);
    return next;
  }, first);
}
