import type { GraphTensor } from "./graphAllocator.ts";
import { overwriting, result, view } from "./graphBuilder.ts";
import type { GraphContext } from "./graphContext.ts";
import type { Projections } from "./graphAttention.ts";
import type { AttentionShape, LatentShape } from "./modelShape.ts";

/** Query, key and value of latent attention: compressed (one key for all heads) or unpacked to plain heads. */
export function latentProjections(
  context: GraphContext,
  shape: AttentionShape,
  normed: GraphTensor,
): Projections {
  const latent = shape.latent;
  if (latent === undefined) throw new TypeError("latentProjections needs a latent shape");
  const { tokenBytes, positions } = context;
  const queryBytes = shape.headCount * shape.keyLength * tokenBytes;
  const query = result(queryBytes, firstStep(context, latent, normed));
  const ropeBytes = shape.headCount * latent.ropeLength * tokenBytes;
  const turned = result(ropeBytes, view(query, ropeBytes), positions);
  const compressed = result((latent.rank + latent.ropeLength) * tokenBytes, normed);
  const keyTurned = result(
    latent.ropeLength * tokenBytes,
    view(compressed, latent.ropeLength * tokenBytes),
    positions,
  );
  const rankBytes = latent.rank * tokenBytes;
  const keys = result(rankBytes, view(compressed, rankBytes));
  const plain = { query: view(query, queryBytes - ropeBytes), turned, keys, keyTurned };
  return latent.absorbed ? absorbed(context, shape, plain) : legacy(context, shape, plain);
}

interface Halves {
  query: GraphTensor;
  turned: GraphTensor;
  keys: GraphTensor;
  keyTurned: GraphTensor;
}

function firstStep(context: GraphContext, latent: LatentShape, normed: GraphTensor): GraphTensor {
  if (latent.queryRank === undefined) return normed;
  const bytes = latent.queryRank * context.tokenBytes;
  return overwriting(bytes, result(bytes, normed));
}

function absorbed(context: GraphContext, shape: AttentionShape, halves: Halves): Projections {
  const { tokenBytes } = context;
  const rank = shape.latent?.rank ?? 0;
  const rope = shape.latent?.ropeLength ?? 0;
  const inner = result(shape.headCount * rank * tokenBytes, view(halves.query, halves.query.bytes));
  const keys = view(halves.keys);
  return {
    query: result(shape.headCount * (rank + rope) * tokenBytes, view(inner), halves.turned),
    key: result((rank + rope) * tokenBytes, keys, halves.keyTurned),
    value: keys,
  };
}

function legacy(context: GraphContext, shape: AttentionShape, halves: Halves): Projections {
  const { tokenBytes } = context;
  const rope = shape.latent?.ropeLength ?? 0;
  const plainKeys = shape.headCount * (shape.keyLength - rope) * tokenBytes;
  const valueBytes = shape.valueWidth * tokenBytes;
  const both = result(plainKeys + valueBytes, halves.keys);
  return {
    query: result(shape.headCount * shape.keyLength * tokenBytes, halves.query, halves.turned),
    value: result(valueBytes, view(both, valueBytes)),
    key: result(
      shape.keyWidth * tokenBytes,
      view(both, plainKeys),
      result(shape.headCount * rope * tokenBytes, halves.keyTurned, halves.turned),
    ),
  };
}
