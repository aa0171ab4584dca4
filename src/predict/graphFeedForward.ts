import type { GraphTensor } from "./graphAllocator.ts";
import { overwriting, result, store, view } from "./graphBuilder.ts";
import type { GraphContext } from "./graphContext.ts";
import type { FeedForwardShape } from "./modelShape.ts";

const F32 = 4;

type Experts = NonNullable<FeedForwardShape["experts"]>;

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
  const shared = dense(context, { ...shape, length: sharedLength, gated: shape.experts.gated }, { normed, rows });
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

/** Routing, the chosen experts' gate, up and down, and the sum of their outputs. */
function mixture(context: GraphContext, experts: Experts, from: { normed: GraphTensor; rows: number }): GraphTensor {
  const { graph, embeddingLength } = context;
  const perToken = from.rows * F32;
  const scores = overwriting(experts.count * perToken, result(experts.count * perToken, from.normed));
  const chosen = view(result(experts.count * perToken, scores), experts.used * perToken);
  const weights = result(experts.used * perToken, view(scores), chosen);
  graph.expand(weights);
  const spread = view(from.normed);
  const inner = experts.used * experts.length * perToken;
  const up = result(inner, spread, chosen);
  const active = experts.gated ? result(inner, result(inner, spread, chosen), up) : overwriting(inner, up);
  const outerBytes = experts.used * embeddingLength * perToken;
  const outer = overwriting(outerBytes, result(outerBytes, active, chosen), weights);
  graph.expand(outer);
  const parts = Array.from({ length: experts.used }, () => view(outer, embeddingLength * perToken));
  for (const part of parts) graph.expand(part);
  return parts.slice(1).reduce<GraphTensor>((sum, part) => {
    const next = overwriting(embeddingLength * perToken, sum, part);
    graph.expand(next);
    return next;
  }, parts[0] ?? store());
}
